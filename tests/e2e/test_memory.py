"""A content owner looks after the memory of solved tickets, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import delete, select

from app.settings import Settings
from ingest.db import Database, now
from rag.tables import Case, CaseState, Head, HeadState
from tests.e2e import memories
from tests.e2e.conftest import Desk, free_port, shoot, sign_in, start, wait_until_ready

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Serve a desk of this module's own: what it remembers would change what others find."""
    home = tmp_path_factory.mktemp("memory")
    port = free_port()
    process = start(home, port)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Desk(f"http://127.0.0.1:{port}", home, process)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def database(served: Desk) -> Iterator[Database]:
    """Open the record of the desk, with an empty memory."""
    database = Database(Settings(home=served.home).url)
    with database.write() as session:
        for table in (Case, Head):
            session.execute(delete(table))
    yield database
    database.close()


@pytest.fixture
def page(chromium: Browser, served: Desk, database: Database) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=served.url,
        viewport={"width": 1440, "height": 900},
        timezone_id="Europe/Amsterdam",
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, "owner")
    yield page
    context.close()


@pytest.fixture
def remembered(database: Database) -> Database:
    memories.fill(database)
    return database


def open_section(page: Page, name: str) -> None:
    page.goto("/memory")
    page.get_by_role("tab", name=name).click()


def case_row(page: Page, name: str) -> Locator:
    return page.locator("tbody tr").filter(has=page.get_by_text(name, exact=True))


def test_a_desk_without_solved_tickets_says_how_to_get_some(page: Page) -> None:
    page.goto("/memory")

    advice = "No solved tickets yet: import them with “support-copilot tickets import FILE.jsonl”"
    expect(page.get_by_role("tabpanel", name="Overview").get_by_text(advice)).to_be_visible()
    shoot(page, "memory-empty")
    page.get_by_role("tab", name="Solved tickets").click()
    expect(page.get_by_role("tabpanel", name="Solved tickets").get_by_text(advice)).to_be_visible()
    page.get_by_role("tab", name="What was learnt").click()
    expect(page.get_by_text("Nothing has been learnt yet.")).to_be_visible()


def test_the_overview_says_where_the_votes_go_and_switches_learning(
    page: Page, remembered: Database
) -> None:
    page.goto("/memory")

    expect(page.get_by_role("row", name=re.compile("^Import"))).to_contain_text("42")
    expect(page.get_by_text(re.compile(r"The 10 documents with most votes hold"))).to_be_visible()
    expect(page.get_by_text("17.8 points, likely between")).to_be_visible()
    expect(page.get_by_text("may be chance")).to_be_visible()
    shoot(page, "memory-overview", whole=True)
    page.get_by_role("button", name="Switch learning off").click()
    expect(page.get_by_text("Learning is off. It holds from the next search on")).to_be_visible()
    shoot(page, "memory-off")
    page.get_by_role("button", name="Switch learning on").click()
    expect(page.get_by_role("button", name="Switch learning off")).to_be_visible()


def test_solved_tickets_are_found_switched_removed_and_confirmed(
    page: Page, remembered: Database
) -> None:
    open_section(page, "Solved tickets")
    expect(page.get_by_text("45 solved ticket(s), newest first.")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(20)
    expect(case_row(page, "C-03")).to_contain_text(memories.HOSTILE)
    expect(case_row(page, "C-00")).to_contain_text("Votes from")
    expect(case_row(page, "C-01")).to_contain_text("1 document you may not see")
    expect(page.get_by_text("Secret matrix")).to_have_count(0)
    shoot(page, "memory-cases", whole=True)

    # By keyboard: the button keeps the focus while its words change.
    page.get_by_role("button", name="Switch off: C-04").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ticket C-04 has no say from now on.")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on: C-04")).to_be_focused()
    page.get_by_role("button", name="Remove: C-05").click()
    expect(page.get_by_text("Ticket C-05 is removed and stays away")).to_be_visible()
    expect(case_row(page, "C-05")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Still right: .*C-01$")).click()
    expect(page.get_by_text("the document still solves ticket C-01")).to_be_visible()
    expect(case_row(page, "C-01")).not_to_contain_text("has changed")
    shoot(page, "memory-changed")

    page.get_by_text("Removed", exact=True).click()
    page.get_by_role("button", name="Bring back: C-05").click()
    expect(page.get_by_text("No solved ticket matches.")).to_be_visible()
    page.get_by_text("All", exact=True).click()
    page.get_by_label("Find by subject").fill("c-05 PUMP")
    page.get_by_label("Find by subject").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    case_row(page, "C-05").get_by_role("link").click()
    page.get_by_role("heading", name="Versions").wait_for()
    page.go_back()
    expect(case_row(page, "C-05")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(
    page: Page, remembered: Database
) -> None:
    open_section(page, "Solved tickets")
    expect(case_row(page, "C-04")).to_be_visible()
    with remembered.write() as session:
        case = session.get_one(Case, "C-04")
        case.state, case.changed_at = CaseState.REMOVED, now()

    page.get_by_role("button", name="Switch off: C-04").click()

    for place in ("stAlert", "stToast"):
        shown = page.get_by_test_id(place)
        expect(shown).to_contain_text("was changed by somebody else meanwhile")
    shoot(page, "memory-problem")
    expect(case_row(page, "C-04")).to_have_count(0)


def test_the_last_page_that_empties_gives_way_to_the_one_before(
    page: Page, remembered: Database
) -> None:
    open_section(page, "Solved tickets")
    page.get_by_role("button", name="Page 3", exact=True).or_(
        page.get_by_role("button", name="3", exact=True)
    ).first.click()
    expect(page.locator("tbody tr")).to_have_count(5)
    with remembered.write() as session:
        for number in range(41, 45):
            session.get_one(Case, f"C-{number}").state = CaseState.REMOVED

    page.get_by_role("button", name="Remove: C-40").click()

    expect(page.get_by_text("Ticket C-40 is removed")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(20)


def test_what_served_before_serves_again(page: Page, remembered: Database) -> None:
    open_section(page, "What was learnt")
    expect(page.get_by_text("not taken into use")).to_be_visible()
    shoot(page, "memory-heads", whole=True)

    page.get_by_role("button", name="Let this serve again").click()
    shoot(page, "memory-roll-back")
    page.get_by_role("button", name="Let it serve").click()

    expect(page.get_by_text(re.compile(r"What was learnt \S+ \S+ serves again\."))).to_be_visible()
    expect(page.get_by_text("serves since")).to_have_count(1)
    with remembered.read() as session:
        serving = session.scalars(select(Head).where(Head.state == HeadState.SERVING)).all()
    assert [head.card["reason"] for head in serving] == ["the first one"]


def test_a_reviewer_reads_the_memory_and_changes_nothing(page: Page, remembered: Database) -> None:
    sign_in(page, "reviewer")
    open_section(page, "Solved tickets")

    expect(page.locator("tbody tr")).to_have_count(20)
    expect(page.get_by_role("button", name=re.compile("Switch|Remove|Still right"))).to_have_count(
        0
    )
    shoot(page, "memory-reviewer")
    page.get_by_role("tab", name="What was learnt").click()
    expect(page.get_by_text("serves since")).to_be_visible()
    expect(page.get_by_role("button", name="Let this serve again")).to_have_count(0)


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_the_memory_is_whole_on_a_phone_and_in_the_dark(
    page: Page, remembered: Database, look: str
) -> None:
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    else:
        page.emulate_media(color_scheme="dark")

    for number, section in enumerate(("Overview", "Solved tickets", "What was learnt")):
        open_section(page, section)
        page.locator(".tree > *").first.wait_for()
        shoot(page, f"memory-{look}-{number + 1}", whole=True)
        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0


def test_an_agent_has_no_such_page(page: Page) -> None:
    sign_in(page, "agent")
    expect(page.get_by_role("link", name="Inbox")).to_be_visible()

    expect(page.get_by_role("link", name="Memory")).to_have_count(0)
