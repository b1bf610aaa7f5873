"""What binds the desk is confirmed, read by a second person, and left blank where nobody knows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app import accounts
from app.desk import desk as desk_row
from app.roles import Role
from app.settings import Settings
from ingest.db import Database
from rag.policy import Policy
from rag.tables import Approval, ApprovalState, ClaimKind
from tests.e2e.conftest import PASSWORD, Desk, shoot, sign_in
from tests.e2e.test_story import CITATION, open_ticket

pytestmark = pytest.mark.browser
REFUNDED = "We have refunded 25 euros to your card."
PROMISED = "You will receive a new pump by Friday."
WAIVED = "As a gesture of goodwill we will waive the fee."


@pytest.fixture
def database(desk: Desk) -> Iterator[Database]:
    database = Database(Settings(home=desk.home).url)
    yield database
    database.close()


@pytest.fixture
def two_people(database: Database) -> Iterator[None]:
    """Have concessions approved by two people, of whom one is new."""
    policy = Policy(second_approver=frozenset({ClaimKind.CONCESSION}))
    with database.write() as session:
        accounts.add(session, "ben@demo.test", Role.AGENT, PASSWORD, [], "tests")
        desk_row(session).policy = policy.model_dump(mode="json")
    yield
    with database.write() as session:
        desk_row(session).policy = {}


def _draft(page: Page, ticket: str) -> Locator:
    open_ticket(page, ticket)
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for(timeout=60_000)
    page.get_by_text("Edit", exact=True).click()
    return page.get_by_label("Reply to the customer")


def _write(editor: Locator, text: str) -> None:
    editor.fill(text)
    editor.press("Tab")


def _confirm(page: Page, sentence: str) -> None:
    """Tick a box by keyboard: what moves under the pointer is not clicked."""
    box = page.get_by_role("checkbox", name=sentence[:-1])
    expect(box).to_have_count(1)
    box.press("Space")
    expect(box).to_be_checked()


def _approve(page: Page) -> None:
    # A second time at once is taken for a key that repeats.
    page.wait_for_timeout(900)
    page.keyboard.press("Control+Enter")


def test_sentences_that_bind_the_desk_are_confirmed_one_by_one(page: Page) -> None:
    sign_in(page, "agent")
    editor = _draft(page, "T-2002")
    _write(editor, f"{editor.input_value()}\n\n{REFUNDED} {PROMISED}")

    done = page.get_by_role("checkbox", name=REFUNDED[:-1])
    promised = page.get_by_role("checkbox", name=PROMISED[:-1])
    expect(promised).not_to_be_checked()
    shoot(page, "commitments")
    _approve(page)
    expect(page.get_by_text("nobody has confirmed it")).to_contain_text(REFUNDED)
    _confirm(page, REFUNDED)
    expect(done).to_be_checked()
    expect(page.get_by_text("nobody has confirmed it")).to_have_count(0)
    _approve(page)
    expect(page.get_by_text("nobody has confirmed it")).to_contain_text(PROMISED)
    shoot(page, "commitments-refused")

    # Another wording has to be confirmed anew; what was confirmed stays so.
    _write(editor, editor.input_value().replace("Friday", "Monday"))
    _confirm(page, PROMISED.replace("Friday", "Monday"))
    expect(done).to_be_checked()
    expect(page.get_by_text("nobody has confirmed it")).to_have_count(0)
    _approve(page)

    expect(page.get_by_text(re.compile("Approved. It (will be|is being) sent"))).to_be_visible()


def test_a_fact_that_nobody_supplied_is_a_blank_that_keeps_the_reply_back(page: Page) -> None:
    sign_in(page, "agent")
    editor = _draft(page, "T-2004")

    expect(page.locator("span.blank")).to_have_text("[date of the refund?]")
    expect(page.get_by_text("Nobody supplied these facts yet")).to_be_visible()
    shoot(page, "blank")
    _approve(page)
    expect(page.get_by_text("is still to be filled in")).to_be_visible()
    filled = editor.input_value().replace("[date of the refund?]", "5 October")
    _write(editor, f"{filled}\n\nThis is about order BK-884120.")
    expect(page.locator("span.blank")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Your refund was released")).not_to_be_checked()

    page.get_by_text("from the customer\u2019s message").first.click()
    expect(page.get_by_text("order number BK-884120").last).to_be_visible()
    shoot(page, "repeated")


@pytest.mark.usefixtures("two_people")
def test_a_second_person_approves_what_the_first_did(
    page: Page, chromium: Browser, desk: Desk, database: Database
) -> None:
    sign_in(page, "agent")
    editor = _draft(page, "T-2014")
    _write(editor, f"{editor.input_value()}\n\n{WAIVED}")
    _confirm(page, WAIVED)
    _approve(page)
    expect(page.get_by_text("Waiting for a second person")).to_be_visible()
    expect(page.get_by_role("button", name="Approve as second person")).to_be_disabled()
    shoot(page, "second-own")

    other = chromium.new_context(base_url=desk.url, viewport={"width": 1440, "height": 780})
    second = other.new_page()
    second.goto("/login")
    second.fill("#email", "ben@demo.test")
    second.fill("#password", PASSWORD)
    second.click("button")
    second.wait_for_url(re.compile(r"/$|/tour$"))
    second.goto("/?ticket=T-2014")
    expect(second.get_by_text("stands by")).to_contain_text(WAIVED)
    shoot(second, "second")
    second.get_by_role("button", name="Approve as second person").click()
    expect(second.get_by_text(re.compile("Approved. It (will be|is being) sent"))).to_be_visible()
    other.close()

    with database.read() as session:
        approval = session.scalars(
            select(Approval).where(Approval.final_text.contains(WAIVED))
        ).one()
    assert (approval.decided_by, approval.seconded_by) == ("agent@demo.test", "ben@demo.test")
    assert approval.state in {ApprovalState.SEALED, ApprovalState.SENT}


def test_an_administrator_asks_for_a_second_person(page: Page, database: Database) -> None:
    sign_in(page, "admin")
    page.goto("/desk")
    page.get_by_role("tab", name="Approval").click()
    page.get_by_role("button", name="concede something").click()
    shoot(page, "policy")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("It holds from the next approval on.")).to_be_visible()
    with database.write() as session:
        assert desk_row(session).policy == {"second_approver": ["concession"]}
        desk_row(session).policy = {}
