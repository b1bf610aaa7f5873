"""The page behind a citation, as its author made it."""

import re

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Desk, shoot, sign_in
from tests.e2e.test_gate import signed_in
from tests.e2e.test_story import CITATION, open_ticket

pytestmark = pytest.mark.browser


def test_a_cited_page_is_shown_as_it_looks_with_the_quote_marked(page: Page, desk: Desk) -> None:
    sign_in(page, "agent")
    open_ticket(page, "T-2005")
    page.get_by_role("button", name="Draft a reply").click()
    page.locator(CITATION).first.click()

    image = page.get_by_role("img", name=re.compile(r"^Page \d+ of .+, quote marked$"))
    image.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth > 900", arg=image.element_handle())
    shoot(page, "documents-page-image")
    address = str(image.get_attribute("src"))
    with signed_in(desk, "agent") as client:
        answer = client.get(address)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "private, no-cache"
        for page_number in ("9999", "0", "xx", "9" * 5_000):
            other = re.sub(r"/page/\d+", f"/page/{page_number}", address)
            assert client.get(other).status_code == 422
        assert client.get(f"/source/nothing/page/1.png?{'9' * 5_000}").status_code == 404
        assert client.get("/upload/nothing").status_code == 404
