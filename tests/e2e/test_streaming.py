"""Drafts that a language model streams, from a real HTTP server that plays its part."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.desk import desk as desk_row
from app.settings import Settings
from app.tables import Desk as DeskRow
from ingest.db import Database
from rag.tickets import TicketLine, save
from tests.e2e.conftest import Desk, free_port, shoot, sign_in, start, wait_until_ready
from tests.e2e.test_story import CITATION, open_ticket
from tests.openai_server import Fault, Reply, ScriptedServer

pytestmark = pytest.mark.browser
ANSWER = (
    "Hello,\n\nDelivery to the United Kingdom takes 5 to 8 working days; import duties and taxes"
    " are included in the price [1]. It comes by drone within 2 hours [1].\n\nKind regards"
)


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def connected(desk: Desk, provider: ScriptedServer) -> Iterator[Desk]:
    """Serve the same desk once more, with a language model connected."""
    port = free_port()
    process = start(
        desk.home,
        port,
        COPILOT_MODEL="openai/scripted",
        COPILOT_MODEL_URL=provider.url,
        COPILOT_MODEL_WINDOW="8192",
        COPILOT_MASK="always",
    )
    add_tickets(desk.home)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        # The app asks the model once when it starts: that must not take a test's reply.
        deadline = time.monotonic() + 60
        while not provider.requests and time.monotonic() < deadline:
            time.sleep(0.1)
        yield Desk(f"http://127.0.0.1:{port}", desk.home, process)
    finally:
        process.terminate()
        process.wait(20)


def add_tickets(home: Path) -> None:
    """Add tickets that no other story drafts."""
    asked = {
        "S-1": "How long does delivery to the United Kingdom take, and are import duties included?",
        "S-2": "What is the flat repair rate for an Aria 700 outside the warranty?",
    }
    database = Database(Settings(home=home).url)
    with database.write() as session:
        for name, body in asked.items():
            save(session, TicketLine(id=name, subject="Question", body=body, locale="en"))
    database.close()


@contextmanager
def desk_rules(served: Desk) -> Iterator[DeskRow]:
    """Yield the row of the desk's rules for a change."""
    database = Database(Settings(home=served.home).url)
    with database.write() as session:
        yield desk_row(session)
    database.close()


def _reopen(page: Page, ticket: str) -> None:
    """Open a ticket that has a draft already."""
    page.goto("/inbox")
    page.get_by_role("button", name=ticket).click()
    page.get_by_role("button", name="Draft again").wait_for()


@pytest.fixture
def page(chromium: Browser, connected: Desk) -> Iterator[Page]:
    context = chromium.new_context(base_url=connected.url, viewport={"width": 1440, "height": 780})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_a_streamed_draft_shows_its_first_words_at_once_and_its_citations_at_the_end(
    page: Page, provider: ScriptedServer
) -> None:
    provider.enqueue(Reply(ANSWER, chunk=12, delay=0.5))
    sign_in(page, "agent")
    open_ticket(page, "T-2021")

    page.get_by_role("button", name="Draft a reply").click()

    # The first draft of all: the server loads its encoder and LiteLLM.
    expect(page.get_by_text("Delivery to the United")).to_be_visible(timeout=20_000)
    expect(page.locator(CITATION)).to_have_count(0)
    shoot(page, "streaming")
    expect(page.locator(CITATION)).to_have_count(2)
    expect(page.get_by_text("sentences 1 and 2 need you")).to_be_visible()
    expect(page.get_by_text("The model did not see: 1 name(s).")).to_be_visible()
    assert "Matilda" not in str(provider.requests[-1].body)
    shoot(page, "streamed")


def test_a_draft_that_broke_off_is_marked_and_cannot_be_approved_as_it_is(
    page: Page, provider: ScriptedServer
) -> None:
    provider.enqueue(Reply(ANSWER, fault=Fault.CUT))
    sign_in(page, "agent")
    open_ticket(page, "T-2010")

    page.get_by_role("button", name="Draft a reply").click()
    expect(page.get_by_text("This draft is not whole")).to_be_visible()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text("it broke off before its end")).to_be_visible()
    shoot(page, "incomplete")


def test_a_draft_can_be_stopped_and_what_came_is_kept(page: Page, provider: ScriptedServer) -> None:
    provider.enqueue(Reply(ANSWER, chunk=12, delay=1.0))
    sign_in(page, "agent")
    open_ticket(page, "T-2011")
    page.get_by_role("button", name="Draft a reply").click()
    expect(page.get_by_text("Delivery to the United")).to_be_visible()

    page.get_by_role("button", name="Stop drafting").click()

    expect(page.get_by_text("it was stopped")).to_be_visible()
    shoot(page, "stopped")


def test_a_provider_that_refuses_the_key_is_named_with_what_to_do(
    page: Page, provider: ScriptedServer
) -> None:
    provider.enqueue(Reply(status=401))
    sign_in(page, "agent")
    open_ticket(page, "T-2017")

    page.get_by_role("button", name="Draft a reply").click()

    expect(page.get_by_text("the API key is missing or wrong")).to_be_visible()
    shoot(page, "key-refused")


def test_an_image_in_a_reply_is_never_fetched(page: Page, provider: ScriptedServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    leak = "Your order has been sent ![x](http://127.0.0.1:9/leak?d=secret) [1]."
    provider.enqueue(Reply(f"{leak} <img src='http://127.0.0.1:9/leak2'>"))
    sign_in(page, "agent")
    open_ticket(page, "T-2008")

    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    page.wait_for_timeout(1_000)

    assert not [url for url in asked if "leak" in url]


def test_a_draft_is_changed_with_a_click_and_in_words(page: Page, provider: ScriptedServer) -> None:
    sign_in(page, "agent")
    open_ticket(page, "S-1")
    provider.enqueue(Reply(ANSWER))
    page.get_by_role("button", name="Draft a reply").click()
    expect(page.locator(CITATION)).to_have_count(2)
    provider.enqueue(Reply("Delivery takes 5 to 8 working days [1]."))

    page.get_by_role("button", name="Change it").click()
    page.get_by_role("button", name="Shorter").click()
    expect(page.get_by_role("button", name="Draft it so")).to_be_enabled()
    shoot(page, "change")
    page.get_by_label("Or say what should change").fill("Leave the taxes out.")
    page.get_by_label("Or say what should change").press("Tab")
    page.get_by_role("button", name="Draft it so").click()

    expect(page.locator(CITATION)).to_have_count(1)
    asked = provider.requests[-1].prompt
    assert "The agent asks for this: Make the reply shorter. Leave the taxes out." in asked


def test_sources_that_were_found_afterwards_are_said_to_be(
    page: Page, provider: ScriptedServer
) -> None:
    plain = "Delivery to the United Kingdom takes 5 to 8 working days."
    provider.enqueue(Reply(plain), Reply(plain))
    sign_in(page, "agent")
    _reopen(page, "S-1")

    page.get_by_role("button", name="Draft again").click()

    expect(page.get_by_text("did not say where its sentences come from")).to_be_visible()
    shoot(page, "attributed")


def test_a_topic_left_to_people_and_a_word_not_used_here_are_shown_to_the_agent(
    page: Page, connected: Desk, provider: ScriptedServer
) -> None:
    with desk_rules(connected) as rules:
        rules.voice = {"banned": ["by drone"]}
        rules.topics = [{"name": "Repairs", "words": ["repair"], "hand_over": "Ask the workshop."}]
    provider.enqueue(Reply(ANSWER))
    sign_in(page, "agent")
    _reopen(page, "S-1")
    page.get_by_role("button", name="Draft again").click()
    expect(page.get_by_text("“by drone” is not to be written.")).to_be_visible(timeout=30_000)
    shoot(page, "voice-notes")
    asked = len(provider.requests)

    open_ticket(page, "S-2")
    page.get_by_role("button", name="Draft a reply").click()

    expect(page.get_by_text("This desk leaves “Repairs” to people")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Ask the workshop.")).to_be_visible()
    page.get_by_role("button", name="Ask the customer for more").click()
    expect(page.get_by_label("Reply to the customer")).to_have_value(re.compile("which product"))
    shoot(page, "left-to-people")
    assert len(provider.requests) == asked
    with desk_rules(connected) as rules:
        rules.voice, rules.topics = {}, []
