"""The whole story in a real browser: an agent, a content owner and a reviewer."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Desk, shoot, sign_in

pytestmark = pytest.mark.browser
CITATION = 'button[aria-label^="Citation"]'

MOST_CITATIONS = 40


def open_ticket(page: Page, ticket_id: str) -> None:
    page.goto("/inbox")
    page.get_by_role("button", name=ticket_id).click()
    page.get_by_role("button", name="Draft a reply").wait_for()


def test_a_wrong_password_is_refused_with_a_sentence(page: Page) -> None:
    page.goto("/")
    page.fill("#email", "agent@demo.test")
    page.fill("#password", "not the password")
    page.click("button")

    expect(page.get_by_role("alert")).to_contain_text("do not match")
    shoot(page, "sign-in-refused")


def test_an_agent_drafts_checks_edits_and_approves_a_reply(page: Page) -> None:
    sign_in(page, "agent")
    shoot(page, "tour")
    open_ticket(page, "T-2001")
    shoot(page, "ticket")

    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    expect(page.locator(".summary")).to_contain_text("supported")

    page.locator(CITATION).first.click()
    mark = page.locator("mark")
    expect(mark).to_contain_text("E17")
    expect(page.get_by_text("page 14", exact=False).first).to_be_visible()
    # By keyboard: the opened citation has kept the focus, and the next one follows it.
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(CITATION).nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(CITATION).first).to_have_attribute("aria-pressed", "true")
    shoot(page, "citation")

    page.get_by_text("Edit", exact=True).click()
    editor = page.get_by_label("Reply to the customer")
    written = editor.input_value()
    editor.fill(written.replace("8 secondes", "9 secondes"))
    editor.press("Control+Enter")
    shoot(page, "edited")
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("Approved by")).to_be_visible()

    expect(page.get_by_text("9 secondes").first).to_be_visible()
    expect(page.get_by_text("Copy for the customer")).to_be_visible()
    shoot(page, "approved")


def test_a_question_without_an_answer_is_left_undrafted_and_becomes_a_gap(page: Page) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2006")

    page.get_by_role("button", name="Draft a reply").click()

    expect(page.get_by_text("do not seem to answer this question")).to_be_visible()
    shoot(page, "abstained")
    sign_in(page, "owner")
    page.goto("/gaps")
    expect(page.get_by_role("heading", name="Gaps")).to_be_visible()
    page.locator('[data-testid="stDataFrame"]').wait_for()
    shoot(page, "gaps")


def test_a_foreign_question_is_not_answered_in_a_mix_of_languages(page: Page) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2012")

    page.get_by_role("button", name="Draft a reply").click()

    expect(page.get_by_text("Connect a language model")).to_be_visible()
    shoot(page, "other-language")


def test_a_rejected_draft_says_why_and_can_be_made_again(page: Page) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2018")
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()

    page.get_by_role("button", name="Reject").click()
    page.get_by_label("Why is this draft not usable?").fill("Too short")
    page.get_by_role("button", name="Reject the draft").click()

    expect(page.get_by_text("Too short")).to_be_visible()
    page.get_by_role("button", name="Draft again").click()
    page.locator(CITATION).first.wait_for()
    shoot(page, "drafted-again")


def test_an_owner_uploads_reads_and_withdraws_documents(page: Page, tmp_path: Path) -> None:
    good = tmp_path / "quantum-grinder.md"
    good.write_text("# Quantum grinder\n\nThe quantum grinder weighs exactly 777 grams.\n")
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    sign_in(page, "owner")
    page.goto("/documents")
    page.get_by_role("tab", name="Add and watch uploads").click()
    page.locator('input[type="file"]').set_input_files([good, empty])
    shoot(page, "upload-chosen")

    page.get_by_role("button", name="Add to the knowledge base").click()
    expect(page.locator(".overall p").first).to_contain_text("2 of 2 done", timeout=60_000)

    expect(page.get_by_text("The file is empty.", exact=False).first).to_be_visible()
    shoot(page, "uploaded")
    page.get_by_role("tab", name="All documents").click()
    search = page.get_by_label("Find by title, file name")
    search.fill("quantum")
    search.press("Enter")
    page.get_by_role("link", name="Quantum grinder").click()
    expect(page.get_by_text("777 grams")).to_be_visible()
    shoot(page, "passages")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_text("“Quantum grinder” was withdrawn.")).to_be_visible()
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
    shoot(page, "withdrawn")


def test_a_reviewer_judges_the_citations_of_approved_replies(page: Page) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2020")
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Send now").click()
    page.get_by_text("Approved by").wait_for()
    sign_in(page, "reviewer")
    page.goto("/audits")
    page.get_by_text("citation(s) to judge").wait_for()
    expect(page.locator("mark")).to_be_visible()
    shoot(page, "audit")

    left, done = page.get_by_text("citation(s) to judge"), page.get_by_text("Nothing to judge")
    supports = page.get_by_role("button", name="Supports")
    # Their number may grow meanwhile: replies that were approved before are sent.
    for _ in range(MOST_CITATIONS):
        expect(left.or_(done)).to_be_visible()
        if done.count():
            break
        # The one before goes a moment after the next has come.
        expect(supports).to_have_count(1)
        supports.click()
        page.wait_for_timeout(1_000)

    expect(page.get_by_text("Nothing to judge")).to_be_visible()
    shoot(page, "audited")


def test_one_click_changes_the_role_on_the_sample_desk(page: Page) -> None:
    sign_in(page, "agent")

    page.get_by_role("link", name="Continue as content owner").click()

    expect(page.get_by_role("link", name="Olu Owner")).to_be_visible()


def test_a_visitor_pastes_their_own_ticket(page: Page) -> None:
    sign_in(page, "agent")
    page.get_by_label("Paste your own ticket").fill(
        "How much is the flat repair rate for an Aria 700?\nHello, what does a repair cost?"
    )
    page.get_by_label("Paste your own ticket").press("Tab")
    page.get_by_role("button", name="Open as a ticket").click()

    page.get_by_role("button", name="Draft a reply").click()

    page.locator(CITATION).first.wait_for()
    expect(page.get_by_text("149.00").first).to_be_visible()


def test_pages_of_other_roles_are_not_there(page: Page, desk: Desk) -> None:
    sign_in(page, "agent")
    page.goto("/audits")
    page.wait_for_timeout(2_000)

    expect(page.get_by_role("heading", name="Audits")).to_have_count(0)
