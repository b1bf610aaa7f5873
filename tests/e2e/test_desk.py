"""An administrator sets how replies sound and what is left to people, in a real browser."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import update

from app.settings import Settings
from app.tables import Desk as DeskRow
from ingest.db import Database
from tests.e2e.conftest import Desk, free_port, shoot, sign_in, start, wait_until_ready

pytestmark = pytest.mark.browser
SAVED = "Saved. It holds from the next draft on."
VOICE = {
    "tone": "Friendly and brief. Plain words.",
    "max_words": 150,
    "languages": {
        "de": {
            "address": "formal",
            "greeting": "Guten Tag {name},",
            "sign_off": "Freundliche Grüße\nIhr Brunelta-Team",
        },
        "en": {"greeting": "Hello {name},", "sign_off": "Kind regards\nYour Brunelta team"},
    },
    "banned": ["no problem", "unfortunately"],
    "glossary": {"water container": "tank", "machine": "coffee maker"},
    "examples": ["Fill the tank, then press the reset button for ten seconds."],
}
TOPICS = [
    {"name": "Law", "words": ["lawyer*", "small claims court"], "hand_over": "Pass it to Clara."},
    {"name": "Press", "words": ["newspaper", "journalist*"], "hand_over": "Say nothing."},
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Serve a desk of this module's own: its rules would change what others draft."""
    home = tmp_path_factory.mktemp("rules")
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
    """Open the record of the desk, with no rules."""
    database = Database(Settings(home=served.home).url)
    _set(database, {}, [])
    yield database
    database.close()


@pytest.fixture
def page(chromium: Browser, served: Desk, database: Database) -> Iterator[Page]:
    context = chromium.new_context(base_url=served.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, "admin")
    yield page
    context.close()


@pytest.fixture
def ruled(database: Database) -> Database:
    _set(database, VOICE, TOPICS)
    return database


def _set(database: Database, voice: object, topics: object) -> None:
    with database.write() as session:
        session.execute(update(DeskRow).values(voice=voice, topics=topics))


def open_section(page: Page, name: str) -> Locator:
    page.goto("/desk")
    page.get_by_role("tab", name=name).click()
    section = page.get_by_role("tabpanel", name=name)
    section.get_by_role("button", name="Save").wait_for()
    return section


def field(section: Locator, name: str) -> Locator:
    return section.get_by_role("textbox", name=re.compile(f"^{name}"))


def leave(left: Locator) -> None:
    """Leave a field, which hands in what was typed, and wait until it has arrived."""
    left.blur()
    left.page.wait_for_timeout(800)


def save(section: Locator) -> None:
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_text(SAVED)).to_be_visible()


def test_an_administrator_sets_the_voice_and_finds_it_after_a_reload(page: Page) -> None:
    section = open_section(page, "Voice")
    shoot(page, "desk-voice-empty", whole=True)

    field(section, "Tone").fill("Friendly and brief.")
    section.get_by_label("Longest reply").fill("120")
    section.get_by_role("button", name="German").click()
    greeting = field(section, "Greeting;")
    greeting.fill("Guten Tag {name},")
    field(section, "Sign-off").fill("Freundliche Grüße\nIhr Brunelta-Team")
    leave(field(section, "Sign-off"))
    expect(section.locator("blockquote").first).to_have_text(
        "Guten Tag Anna Example,\n\n[ the reply ]\n\nFreundliche Grüße\nIhr Brunelta-Team"
    )
    expect(section.locator("blockquote").last).to_have_text("Guten Tag,")
    field(section, "Never written").fill("no problem\nunfortunately")
    field(section, "Words of the house").fill("water container = tank")
    field(section, "Model reply 1").fill("Fill the tank, then press reset.")
    leave(field(section, "Model reply 1"))
    expect(field(section, "Model reply 2")).to_be_visible()
    expect(section.get_by_text("Not saved yet.")).to_be_visible()
    save(section)
    expect(section.get_by_text("Not saved yet.")).to_have_count(0)
    shoot(page, "desk-voice-saved")

    page.reload()
    expect(field(section, "Tone")).to_have_value("Friendly and brief.")
    expect(section.get_by_label("Longest reply")).to_have_value("120")
    expect(field(section, "Greeting;")).to_have_value("Guten Tag {name},")
    expect(field(section, "Never written")).to_have_value("no problem\nunfortunately")
    expect(field(section, "Words of the house")).to_have_value("water container = tank")
    expect(field(section, "Model reply 1")).to_have_value("Fill the tank, then press reset.")


def test_what_cannot_be_used_is_said_beside_it_and_nothing_typed_is_lost(page: Page) -> None:
    section = open_section(page, "Voice")
    section.get_by_role("button", name="English").click()
    field(section, "Greeting;").fill("Hello {first name},")
    leave(field(section, "Greeting;"))
    expect(section.locator(".problem")).to_contain_text("curly brackets stand only in {name}")

    section.get_by_role("button", name="Save").click()
    expect(section.get_by_test_id("stAlert")).to_contain_text("The greeting in English cannot be")
    shoot(page, "desk-voice-problem", whole=True)
    # Neither another section nor another page costs what was typed.
    page.get_by_role("tab", name="Left to people").click()
    page.get_by_role("button", name="Add a topic").wait_for()
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("link", name="Desk").click()
    page.get_by_role("tab", name="Voice").click()
    expect(field(section, "Greeting;")).to_have_value("Hello {first name},")
    section.get_by_role("button", name="Discard changes").click()
    expect(field(section, "Greeting;")).to_have_count(0)


def test_the_voice_is_set_with_the_keyboard_alone(page: Page) -> None:
    section = open_section(page, "Voice")

    field(section, "Tone").focus()
    page.keyboard.type("Calm.")
    page.keyboard.press("Tab")
    page.keyboard.type("90")
    for _ in range(20):
        page.keyboard.press("Tab")
        if section.get_by_role("button", name="Save").evaluate("b => b === document.activeElement"):
            break
    page.keyboard.press("Enter")

    expect(section.get_by_text(SAVED)).to_be_visible()
    expect(section.get_by_role("button", name="Save")).to_be_focused()
    page.reload()
    expect(field(section, "Tone")).to_have_value("Calm.")
    expect(section.get_by_label("Longest reply")).to_have_value("90")


def test_an_administrator_leaves_topics_to_people_and_tries_them(page: Page) -> None:
    section = open_section(page, "Left to people")
    expect(section.get_by_text("every ticket may be drafted")).to_be_visible()
    shoot(page, "desk-topics-empty")

    for number, topic in enumerate(TOPICS):
        section.get_by_role("button", name="Add a topic").click()
        field(section, "Words that tell it").nth(number).fill("\n".join(topic["words"]))
        field(section, "What the agent is to do").nth(number).fill(str(topic["hand_over"]))
        field(section, "Topic").nth(number).fill(str(topic["name"]))
        leave(field(section, "Topic").nth(number))
    tried = field(section, "What a customer might write")
    tried.fill("I told a journalist, and my lawyers will write to you.")
    leave(tried)
    expect(section.get_by_text("Left to people as “Law”. Pass it to Clara.")).to_be_visible()
    section.get_by_role("button", name="Move up: Press").click()
    expect(section.get_by_text("Left to people as “Press”. Say nothing.")).to_be_visible()
    save(section)
    shoot(page, "desk-topics-saved", whole=True)

    page.reload()
    names = field(section, "Topic")
    expect(names).to_have_count(2)
    assert [names.nth(number).input_value() for number in range(2)] == ["Press", "Law"]
    section.get_by_role("button", name="Remove: Press").click()
    expect(names).to_have_count(1)
    expect(names).to_have_value("Law")
    save(section)


def test_a_topic_without_words_is_refused_beside_the_form(page: Page) -> None:
    section = open_section(page, "Left to people")
    section.get_by_role("button", name="Add a topic").click()
    field(section, "Topic").fill("Law")
    leave(field(section, "Topic"))

    section.get_by_role("button", name="Save").click()

    expect(section.get_by_test_id("stAlert")).to_contain_text("there is none")
    expect(field(section, "Topic")).to_have_value("Law")


def test_what_another_administrator_saved_meanwhile_is_not_overwritten(
    page: Page, ruled: Database
) -> None:
    section = open_section(page, "Voice")
    field(section, "Tone").fill("Mine.")
    leave(field(section, "Tone"))
    _set(ruled, {"tone": "Theirs."}, TOPICS)

    section.get_by_role("button", name="Save").click()

    expect(section.get_by_text("was changed by somebody else meanwhile")).to_be_visible()
    expect(field(section, "Tone")).to_have_value("Mine.")
    shoot(page, "desk-voice-overtaken")
    section.get_by_role("button", name="Discard changes").click()
    expect(field(section, "Tone")).to_have_value("Theirs.")


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_desk_is_whole_in_the_light_in_the_dark_and_on_a_phone(
    page: Page, ruled: Database, look: str
) -> None:
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    elif look == "dark":
        page.emulate_media(color_scheme="dark")

    for name, section in (("voice", "Voice"), ("topics", "Left to people")):
        open_section(page, section)
        shoot(page, f"desk-{name}-{look}", whole=True)
        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0


def test_markup_in_a_rule_is_text(page: Page, ruled: Database) -> None:
    hostile = "<img src=x onerror=alert(1)> [x](https://evil.example) **b**"
    voice = {"languages": {"en": {"greeting": f"Hello {{name}} {hostile}", "sign_off": hostile}}}
    _set(ruled, json.loads(json.dumps(voice)), [{"name": hostile[:60], "words": ["word"]}])

    section = open_section(page, "Voice")
    expect(section.locator("blockquote").first).to_contain_text(hostile)
    assert page.locator("main img, [data-testid=stMain] a[href*=evil]").count() == 0


def test_nobody_but_an_administrator_has_the_page(page: Page) -> None:
    sign_in(page, "owner")

    expect(page.get_by_role("link", name="Documents")).to_be_visible()
    expect(page.get_by_role("link", name="Desk", exact=True)).to_have_count(0)
