"""How each statement stands, one-click citations and conflicts, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import shoot, sign_in
from tests.e2e.test_story import CITATION

pytestmark = pytest.mark.browser
WARRANTY = (
    "Warranty: 24 or 36 months?\nI registered my Aria 500. One paper says the warranty is 24"
    " months from the date of purchase for every machine, another one 36 months. Which is right?"
)
REPAIR = "Flat rate\nWhat is the flat repair rate for an Aria 700 outside the warranty?"


def drafted(page: Page, ticket: str) -> None:
    """Have a reply to a pasted ticket drafted."""
    sign_in(page, "agent")
    page.get_by_label("Paste your own ticket").fill(ticket)
    page.get_by_label("Paste your own ticket").press("Tab")
    page.get_by_role("button", name="Open as a ticket").click()
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    # What is clicked while the page is made anew may be gone by then.
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def editor(page: Page) -> Locator:
    page.get_by_text("Edit", exact=True).click()
    field = page.get_by_label("Reply to the customer")
    expect(field).to_have_value(re.compile(r"\[1\]"))
    return field


def write(field: Locator, text: str) -> None:
    field.fill(text)
    field.press("Tab")


def test_a_changed_number_is_refuted_and_the_sentence_is_named_with_its_source(page: Page) -> None:
    drafted(page, REPAIR)
    summary = page.locator(".summary")
    expect(summary).to_have_text("1 of 1 supported.")
    expect(page.locator("span.supported").first).to_contain_text("149.00")
    field = editor(page)

    write(field, field.input_value().replace("149.00", "199.00"))

    changed = page.locator("span.refuted").first
    expect(changed).to_contain_text("199.00")
    expect(changed).to_have_attribute("title", re.compile("Sentence 1: its source says something"))
    expect(page.locator(".refuted-sign")).to_contain_text("✗")
    expect(summary).to_have_text("0 of 1 supported, sentence 1 needs you.")
    attention = page.locator(".attention")
    expect(attention).to_contain_text("the passage says 149.00")
    expect(attention.locator("blockquote").last).to_contain_text("149.00")
    shoot(page, "doubtful")
    attention.get_by_role("button", name="Show the place").click()
    expect(page.locator(".source mark")).to_contain_text("149.00")

    write(field, field.input_value().replace("199.00", "149.00"))
    expect(summary).to_have_text("1 of 1 supported.")
    expect(page.locator(".attention")).to_have_count(0)


def test_a_citation_is_added_with_one_click_and_own_words_are_marked_so(page: Page) -> None:
    drafted(page, REPAIR)
    field = editor(page)
    bare = re.sub(r" ?\[\d+\]", "", field.input_value())

    write(field, bare.replace("Kind regards", "I have set a new pump aside.\n\nKind regards"))

    expect(page.locator("span.uncited").first).to_contain_text("149.00")
    expect(page.locator("span.own").first).to_contain_text("a new pump")
    expect(page.locator(".own-sign")).to_contain_text("your own statement")
    expect(page.locator(".summary")).to_have_text(
        "0 of 2 supported, 1 your own, sentence 1 needs you."
    )
    shoot(page, "states")
    page.get_by_role("button", name=re.compile(r"Add \[\d+\] to sentence 1")).click()
    expect(page.locator("span.supported").first).to_contain_text("149.00")
    expect(field).to_have_value(re.compile(r"149\.00.*\[\d+\]"))
    expect(page.locator(".summary")).to_have_text("1 of 2 supported, 1 your own.")


def test_documents_that_contradict_each_other_are_shown_and_both_places_open(page: Page) -> None:
    drafted(page, WARRANTY)
    card = page.locator(".conflict").first
    expect(card).to_contain_text("contradict each other")
    sides = card.locator(".sides > div")

    for side in (sides.first, sides.last):
        words = side.locator("blockquote").inner_text()
        side.get_by_role("button", name="Show the place").click()
        expect(page.locator(".source mark").filter(has_text=words).first).to_be_visible()
        expect(side.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    assert set(card.locator("mark").all_inner_texts()) == {"24 months", "36 months"}
    shoot(page, "conflict")

    page.locator(CITATION).first.click()
    expect(side.get_by_role("button")).to_have_attribute("aria-pressed", "false")

    sign_in(page, "owner")
    page.goto("/documents")
    page.get_by_role("tab", name="Findings").click()
    finding = page.locator(".finding", has_text="24 months from the date of purchase")
    expect(finding).to_contain_text("36 months from the day of delivery")
