"""A content owner's day in a real browser: uploads, versions, reviews, findings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import files
from tests.e2e.conftest import Desk, shoot, sign_in

pytestmark = pytest.mark.browser
SOON = 90_000
ENDS = {
    "damaged.pdf": "The file is damaged or is not what its name says",
    "protected.pdf": "The file is protected by a password.",
    "empty.txt": "The file is empty.",
    "picture.png": "This kind of file (PNG image) cannot be read.",
    "swollen.docx": "it is in quarantine",
    "manual-copy.md": "Duplicate: the same file is already here as Manual of the kettle.",
}


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=desk.url,
        viewport={"width": 1440, "height": 900},
        timezone_id="Europe/Amsterdam",
        accept_downloads=True,
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, "owner")
    yield page
    context.close()


def open_section(page: Page, name: str) -> None:
    page.goto("/documents")
    page.get_by_role("tab", name=name).click()


def upload(page: Page, *paths: Path) -> None:
    """Choose files, wait until the browser has sent them, and hand them in."""
    open_section(page, "Add and watch uploads")
    page.locator('input[type="file"]').set_input_files(list(paths))
    page.get_by_text(paths[0].name).first.wait_for()
    page.get_by_role("button", name="Add to the knowledge base").click()
    page.get_by_text("have arrived").wait_for()


def row(page: Page, name: str) -> Locator:
    """Return what is said of an upload."""
    return page.locator("li.upload").filter(has=page.get_by_text(name, exact=True)).first


def unfold(page: Page, group: str) -> None:
    summary = page.locator("details > summary").filter(has_text=group)
    summary.wait_for(timeout=SOON)
    if summary.locator("xpath=..").get_attribute("open") is None:
        summary.click()


def taken_in(page: Page, name: str) -> None:
    """Return when an upload is done and can be found."""
    unfold(page, "Done")
    expect(row(page, name)).to_contain_text("Taken in", timeout=SOON)


def open_document(page: Page, title: str) -> None:
    page.goto("/documents")
    page.get_by_label("Find by title").fill(title)
    page.get_by_label("Find by title").press("Enter")
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", name=title, level=1).wait_for()


def test_thirty_files_of_all_kinds_are_taken_in_or_say_why_not(page: Page, tmp_path: Path) -> None:
    upload(page, *files.mixed(tmp_path))
    line = page.locator(".overall p").first
    expect(line).to_contain_text(re.compile(r"\d+ of 30 done"))
    shoot(page, "documents-uploading")

    seen = [line.inner_text()]
    while "30 of 30" not in seen[-1] and len(seen) * 200 < SOON:
        page.wait_for_timeout(200)
        seen.append(line.inner_text())
    counts = [int(text.partition(" ")[0]) for text in seen]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 30
    expect(line).to_have_text("30 of 30 done, 5 need you")
    for name, sentence in ENDS.items():
        expect(row(page, name)).to_contain_text(sentence)
    shoot(page, "documents-uploaded", whole=True)
    with page.expect_download() as download:
        row(page, "swollen.docx").get_by_role("link", name="Download the file").click()
    assert download.value.suggested_filename == "swollen.docx"
    row(page, "empty.txt").get_by_role("button", name="Discard").click()
    expect(row(page, "empty.txt")).to_have_count(0)
    row(page, "manual-copy.md").get_by_role("link", name="Manual of the kettle").click()
    page.get_by_role("heading", name="Manual of the kettle", level=1).wait_for()
    shoot(page, "documents-one")


def test_an_upload_at_work_is_paused_cancelled_without_a_trace_and_tried_again(
    page: Page, tmp_path: Path
) -> None:
    upload(page, files.large(tmp_path))
    parts = row(page, "wagon-parts.md")
    expect(parts).to_contain_text(re.compile(r"Embedding \d+ of \d+ passages"), timeout=SOON)
    shoot(page, "documents-at-work")

    page.get_by_role("button", name="Pause all").click()
    expect(parts).to_contain_text("Paused")
    expect(page.locator(".overall p").first).to_contain_text("1 paused")
    page.get_by_role("button", name="Resume all").click()
    expect(parts).to_contain_text(re.compile("Waiting|Reading|Embedding"))
    # By keyboard: the button keeps the focus while what stands beside it changes.
    cancel = parts.get_by_role("button", name="Cancel")
    cancel.focus()
    before = parts.inner_text()
    expect(parts).not_to_have_text(before, use_inner_text=True, timeout=SOON)
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(parts).to_contain_text("Cancelled; nothing of it was stored.")
    shoot(page, "documents-cancelled", whole=True)
    page.get_by_role("tab", name="All documents").click()
    page.get_by_label("Find by title").fill("wagon-parts")
    page.get_by_label("Find by title").press("Enter")
    expect(page.get_by_text("No document matches")).to_be_visible()

    page.get_by_role("tab", name="Add and watch uploads").click()
    parts.get_by_role("button", name="Try again").click()
    taken_in(page, "wagon-parts.md")


def test_a_new_version_is_compared_restored_and_reviewed(page: Page, tmp_path: Path) -> None:
    tariff = tmp_path / "tariff.md"
    lines = [f"Route {number} is served by the van of depot {number % 7}." for number in range(40)]
    for price in ("45", "55"):
        lines[20] = f"A visit in the evening costs {price} euro."
        tariff.write_text("# Tariff of visits\n\n" + "\n\n".join(lines))
        upload(page, tariff)
        expect(page.get_by_text(re.compile("^(\\d+) of \\1 done")).first).to_be_visible(
            timeout=SOON
        )

    open_document(page, "Tariff of visits")
    expect(page.get_by_text("version 2, current").first).to_be_visible()
    page.get_by_text("Compare two versions").click()
    expect(page.locator("del")).to_have_text("45")
    expect(page.locator("ins")).to_have_text("55")
    expect(page.get_by_text("1 line(s) changed, 0 added, 0 removed.")).to_be_visible()
    expect(page.get_by_text("unchanged lines").first).to_be_visible()
    shoot(page, "documents-changes")

    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_text("Version 1 is current again, as version 3.")).to_be_visible()
    expect(page.get_by_text("restored from version 1")).to_be_visible()
    expect(page.get_by_text("costs 45 euro").last).to_be_visible()
    shoot(page, "documents-restored")

    page.get_by_text("Change owner, visibility").click()
    page.locator('[data-type="year"]').click()
    page.keyboard.type("20240131")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It holds from now on.")).to_be_visible()
    expect(page.get_by_text("should have been reviewed by 2024-01-31")).to_be_visible()
    shoot(page, "documents-described")
    page.get_by_role("button", name="← All documents").click()
    page.get_by_text("Review overdue (").click()
    expect(page.get_by_role("cell", name="2024-01-31, overdue")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    shoot(page, "documents-stale")


def test_documents_that_disagree_are_shown_side_by_side_until_settled(
    page: Page, tmp_path: Path
) -> None:
    for name, months in (("nova-terms", 24), ("nova-leaflet", 36)):
        path = tmp_path / f"{name}.md"
        path.write_text(f"# Nova 300 {name}\n\nThe warranty of the Nova 300 is {months} months.\n")
    upload(page, *sorted(tmp_path.iterdir()))
    ours = page.locator("section.finding").filter(has_text="nova-terms")

    for _ in range(SOON // 2_000):
        open_section(page, "Findings")
        page.get_by_text("These documents disagree").or_(page.get_by_text("No findings")).wait_for()
        if ours.count():
            break
        page.wait_for_timeout(1_000)

    expect(ours.locator("mark")).to_have_text(["24", "36"], use_inner_text=True)
    shoot(page, "documents-findings")
    ours.get_by_role("button", name="Settled").click()
    expect(page.get_by_text("Settled. It will not be shown again.")).to_be_visible()
    expect(ours).to_have_count(0)


def test_nobody_labels_a_document_out_of_their_own_sight(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "hidden.md"
    path.write_text("# Hidden\n\nNobody would see this.")
    open_section(page, "Add and watch uploads")
    page.locator('input[type="file"]').set_input_files(path)
    page.get_by_text("hidden.md").first.wait_for()

    page.get_by_text("Restricted: holders of a label only").click()
    labels = page.get_by_role("textbox", name="Labels that open them")
    labels.fill("moon, mars")
    labels.press("Tab")
    page.get_by_role("button", name="Add to the knowledge base").click()

    expect(page.get_by_text("you would not see the document")).to_be_visible()
    shoot(page, "documents-restricted")


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_the_pages_are_whole_on_a_phone_and_in_the_dark(page: Page, look: str) -> None:
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    else:
        page.emulate_media(color_scheme="dark")

    for number, section in enumerate(("All documents", "Add and watch uploads", "Findings")):
        open_section(page, section)
        page.locator(".tree > *").or_(page.get_by_text("No findings")).first.wait_for()
        shoot(page, f"documents-{look}-{number + 1}")
        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0
    page.get_by_role("tab", name="All documents").click()
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Versions").wait_for()
    shoot(page, f"documents-{look}-4")


def test_a_document_that_is_not_there_is_answered_in_words(page: Page) -> None:
    page.goto("/documents?document=nothing")

    expect(page.get_by_text("There is no such document.")).to_be_visible()
    page.get_by_role("button", name="← All documents").click()
    expect(page.get_by_role("tab", name="All documents")).to_be_visible()
