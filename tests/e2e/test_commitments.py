"""An agent confirms what binds the desk before a reply is approved, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import shoot, sign_in
from tests.e2e.test_story import CITATION, open_ticket

pytestmark = pytest.mark.browser
REFUNDED = "We have refunded 25 euros to your card."
PROMISED = "You will receive a new pump by Friday."


def test_sentences_that_bind_the_desk_are_confirmed_one_by_one(page: Page) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2002")
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.wait_for()
    page.get_by_text("Edit", exact=True).click()
    editor = page.get_by_label("Reply to the customer")
    editor.fill(f"{editor.input_value()}\n\n{REFUNDED} {PROMISED}")
    editor.press("Tab")

    done = page.get_by_role("checkbox", name=REFUNDED[:-1])
    promised = page.get_by_role("checkbox", name=PROMISED[:-1])
    expect(promised).not_to_be_checked()
    shoot(page, "commitments")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert").first).to_contain_text(REFUNDED)
    page.get_by_text(REFUNDED).last.click()
    expect(done).to_be_checked()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert").first).to_contain_text(PROMISED)
    shoot(page, "commitments-refused")

    # Another wording has to be confirmed anew; what was confirmed stays so.
    editor.fill(editor.input_value().replace("Friday", "Monday"))
    editor.press("Tab")
    page.get_by_text("You will receive a new pump by Monday.").last.click()
    expect(done).to_be_checked()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text("Approved by")).to_be_visible()
