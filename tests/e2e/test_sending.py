"""After the approval: undo, send, or come back with the reason, in a real browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.settings import Settings
from ingest import life
from ingest.db import Database
from ingest.tables import Document
from rag.tables import Message, Ticket
from tests.e2e.conftest import Desk, shoot, sign_in
from tests.e2e.test_story import CITATION

pytestmark = pytest.mark.browser
WAITS = re.compile(r"It will be sent in \d+ s")


REPAIR = "How much is the flat repair rate for an Aria 700?\nHello, what does a repair cost?"
LUNAR = "{}\nAt how many degrees does the {} keep its water while it waits?"


def draft(page: Page, desk: Desk, question: str = REPAIR) -> str:
    """Have a reply drafted to a ticket of this test's own, and return the ticket's id."""
    sign_in(page, "agent")
    pasted = page.get_by_label("Paste your own ticket")
    pasted.fill(question)
    pasted.press("Tab")
    page.get_by_role("button", name="Open as a ticket").click()
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    with record(desk) as session:
        return session.scalars(select(Ticket.id).order_by(Ticket.created_at.desc())).first() or ""


def approve(page: Page) -> None:
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(WAITS).wait_for()


@contextmanager
def record(desk: Desk) -> Iterator[Session]:
    """Open the record of the served desk, to change it behind the browser's back."""
    database = Database(Settings(home=desk.home).url)
    with database.write() as session:
        yield session
    database.close()


def messages(desk: Desk, ticket_id: str) -> int:
    with record(desk) as session:
        return session.scalar(select(func.count()).where(Message.ticket_id == ticket_id)) or 0


def test_an_approval_that_is_undone_sends_nothing_and_keeps_the_text(
    page: Page, desk: Desk
) -> None:
    ticket = draft(page, desk)
    page.get_by_text("Edit", exact=True).click()
    editor = page.get_by_label("Reply to the customer")
    expect(editor).to_have_value(re.compile("149"))
    editor.fill(f"{editor.input_value()}\nAda")
    editor.press("Control+Enter")
    page.get_by_text(WAITS).wait_for()

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("nothing was sent")).to_be_visible()
    expect(page.get_by_label("Reply to the customer")).to_have_value(re.compile("Ada$"))
    shoot(page, "undone")
    page.wait_for_timeout(11_000)
    assert messages(desk, ticket) == 1


def test_an_approval_that_is_left_alone_is_sent_by_itself(page: Page, desk: Desk) -> None:
    ticket = draft(page, desk)

    approve(page)
    shoot(page, "sending")

    expect(page.get_by_text("Approved by")).to_be_visible(timeout=30_000)
    assert messages(desk, ticket) == 2

    page.get_by_text("Sent replies, as they were (1)").click()
    page.get_by_role("button", name="agent@demo.test").click()
    expect(page.get_by_text("Its seal holds")).to_be_visible()
    expect(page.get_by_text("149.00 €").first).to_be_visible()
    page.locator(CITATION).first.click()
    expect(page.locator("mark")).to_contain_text("149.00")
    shoot(page, "reopened")
    page.get_by_role("button", name="Back to the present").click()
    expect(page.get_by_text("Copy for the customer")).to_be_visible()


def test_undo_has_a_key(page: Page, desk: Desk) -> None:
    ticket = draft(page, desk)
    approve(page)

    page.keyboard.press("z")

    expect(page.get_by_text("nothing was sent")).to_be_visible()
    assert messages(desk, ticket) == 1


WORDS = "# {}\n\nThe {} keeps its water at {} degrees while it waits.\n"
NUMBERS = count(1)


def ingest(desk: Desk, file: Path) -> None:
    command = [sys.executable, "-c", "from app.cli import main; main()", "ingest", str(file)]
    options = ["--home", str(desk.home), "--visibility", "public"]
    subprocess.run([*command, *options], check=True)


@dataclass(frozen=True)
class Lunar:
    """A document with two versions of its own for each test."""

    name: str
    document: str


@pytest.fixture
def lunar(page: Page, desk: Desk, tmp_path: Path) -> Lunar:
    """Draft a reply from a document that once said 85 degrees and now says 82."""
    name = f"Lunar brewer {next(NUMBERS)}"
    file = tmp_path / f"{name}.md"
    for degrees in (85, 82):
        file.write_text(WORDS.format(name, name, degrees))
        ingest(desk, file)
    draft(page, desk, LUNAR.format(name, name))
    with record(desk) as session:
        found = session.scalars(select(Document.id).where(Document.title == name))
        return Lunar(name, found.one())


def test_a_new_version_before_the_reply_goes_brings_it_back_with_the_difference(
    page: Page, desk: Desk, lunar: Lunar
) -> None:
    approve(page)

    with record(desk) as session:
        life.restore_version(session, lunar.document, 1, "olu")

    expect(page.get_by_text("This reply was not sent")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("has a new version")).to_be_visible()
    expect(page.locator("del").first).to_contain_text("82")
    expect(page.locator("ins").first).to_contain_text("85")
    shoot(page, "refused", whole=True)


def test_a_withdrawal_before_the_reply_goes_brings_it_back(
    page: Page, desk: Desk, lunar: Lunar
) -> None:
    approve(page)

    with record(desk) as session:
        life.withdraw_document(session, lunar.document, "olu")

    expect(page.get_by_text(f"“{lunar.name}” was withdrawn.")).to_be_visible(timeout=30_000)
    shoot(page, "refused-withdrawn")


def test_a_sent_reply_whose_document_changed_is_recalled_with_a_correction(
    page: Page, desk: Desk, lunar: Lunar
) -> None:
    approve(page)
    page.get_by_role("button", name="Send now").click()
    page.get_by_text("Approved by").wait_for()
    with record(desk) as session:
        life.restore_version(session, lunar.document, 1, "olu")

    page.get_by_role("link", name="Recalls").click()
    expect(page.get_by_text("Number changed")).to_be_visible()
    expect(page.locator("del").first).to_contain_text("82")
    expect(page.locator("ins").first).to_contain_text("85")
    shoot(page, "recalls")
    page.get_by_role("button", name="Prepare a correction").click()
    expect(page.get_by_text("The correction is drafted")).to_be_visible()

    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("button", name=lunar.name).first.click()
    expect(page.get_by_text("A correction of the reply that was sent")).to_be_visible()
    expect(page.locator(CITATION).first).to_be_visible()
    shoot(page, "correction")


def test_a_stale_draft_is_told_and_cites_the_current_version_in_one_click(
    page: Page, desk: Desk, lunar: Lunar
) -> None:
    with record(desk) as session:
        life.restore_version(session, lunar.document, 1, "olu")
    page.get_by_role("button", name=lunar.name).first.click()
    expect(page.get_by_text("This draft is stale")).to_be_visible()
    shoot(page, "stale")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("cites what its source no longer says").first).to_be_visible()

    page.get_by_role("button", name="Cite the current version").click()

    expect(page.get_by_text("cites the current version now")).to_be_visible()
    expect(page.get_by_text("This draft is stale")).to_have_count(0)
    expect(page.locator("span.refuted").first).to_contain_text("82")
    shoot(page, "renewed")
