import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from ingest.errors import NoTextError
from ingest.parse import sandbox, scans
from ingest.parse.formats import pdf
from ingest.parse.limits import Limits
from ingest.parse.parsed import ParsedDocument
from ingest.parse.wire import ScannedPage, ScannedWord

Draw = Callable[[Canvas], object]
Make = Callable[..., bytes]
Check = Callable[[ParsedDocument], None]

needs_engine = pytest.mark.skipif(
    not scans.can_be_read(), reason="reading scans is an optional extra: make ocr"
)
SENTENCES = ("The deposit is refunded within", "fourteen days of the return.")
TEXT = "The deposit is refunded within fourteen days of the return."


@pytest.fixture
def write_large(write_lines: Callable[..., Draw]) -> Draw:
    return write_lines(*SENTENCES, size=18)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "a.pdf"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def mixed(make_pdf: Make, write_large: Draw) -> bytes:
    """A page of text and one that a picture covers."""

    def picture(canvas: Canvas) -> None:
        canvas.setFillGray(0.5)
        canvas.drawInlineImage(pixel(), 0, 0, 595, 842)

    return make_pdf(write_large, picture)


def pixel() -> Image.Image:
    return Image.new("L", (8, 8), 200)


def line(text: str, *, left: float, top: float, step: float = 0.06) -> list[ScannedWord]:
    return [
        (word, left + step * at, top, left + step * (at + 0.9), top + 0.015)
        for at, word in enumerate(text.split())
    ]


def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "can_be_read", lambda: False)


@needs_engine
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_scan_is_read_however_it_lies(
    make_scan: Make, write_large: Draw, file: Callable[[bytes], Path], check: Check, degrees: int
) -> None:
    original = pdf.parse(make_scan(write_large), "a.pdf")
    path = file(make_scan(write_large, degrees=degrees))

    document = sandbox.parse_file(path, "a.pdf")

    check(document)
    assert (original.text, document.text, document.unread_pages) == ("", TEXT, ())
    first = document.pages[0].words[0]
    assert document.text[first.start : first.end] == "The"
    left, top, right, bottom = {
        0: (0.121, 0.149, 0.178, 0.175),
        90: (0.149, 0.822, 0.175, 0.879),
        180: (0.822, 0.825, 0.879, 0.851),
        270: (0.825, 0.121, 0.851, 0.178),
    }[degrees]
    assert (first.left, first.top) == pytest.approx((left, top), abs=0.012)
    assert (first.right, first.bottom) == pytest.approx((right, bottom), abs=0.012)


@needs_engine
def test_pages_read_are_counted_for_whoever_watches(
    make_scan: Make, write_large: Draw, file: Callable[[bytes], Path]
) -> None:
    heard: list[tuple[int, int]] = []
    path = file(make_scan(write_large, write_large))

    sandbox.parse_file(path, "a.pdf", watch=lambda done, in_all: heard.append((done, in_all)))

    assert heard == sorted(heard)
    # Of how many pages is known before the first of them is read.
    assert (0, 2) in heard
    assert heard[-1] in {(1, 2), (2, 2)}


@needs_engine
def test_reading_a_scan_can_be_given_up(
    make_scan: Make, write_large: Draw, file: Callable[[bytes], Path]
) -> None:
    def watch(done: int, in_all: int) -> None:
        if in_all:
            raise InterruptedError

    path = file(make_scan(write_large))

    with pytest.raises(InterruptedError):
        sandbox.parse_file(path, "a.pdf", watch=watch)


@needs_engine
def test_a_scan_that_takes_too_much_is_left_unread_beside_pages_with_text(
    make_pdf: Make, make_scan: Make, write_large: Draw, file: Callable[[bytes], Path]
) -> None:
    writer = PdfWriter()
    for data in (make_pdf(write_large), make_scan(write_large)):
        writer.append(PdfReader(io.BytesIO(data)))
    buffer = io.BytesIO()
    writer.write(buffer)
    path = file(buffer.getvalue())

    hurried = sandbox.parse_file(path, "a.pdf", Limits(memory_bytes=150 << 20))
    unhurried = sandbox.parse_file(path, "a.pdf")

    assert (hurried.text, hurried.unread_pages) == (TEXT, (2,))
    assert (unhurried.text, unhurried.unread_pages) == (f"{TEXT}\n\n{TEXT}", ())


def test_without_the_engine_a_document_says_which_pages_were_not_read(
    mixed: bytes, file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch, check: Check
) -> None:
    without_engine(monkeypatch)

    document = sandbox.parse_file(file(mixed), "a.pdf")

    check(document)
    assert (document.text, document.unread_pages) == (TEXT, (2,))


def test_without_the_engine_a_scan_names_how_to_switch_it_on(
    make_scan: Make,
    write_large: Draw,
    file: Callable[[bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_engine(monkeypatch)

    with pytest.raises(NoTextError, match="make ocr"):
        sandbox.parse_file(file(make_scan(write_large)), "a.pdf")


def test_a_small_picture_on_an_empty_page_is_no_scan(make_pdf: Make, write_large: Draw) -> None:
    def logo(canvas: Canvas) -> None:
        canvas.drawInlineImage(pixel(), 50, 50, 100, 100)

    assert pdf.parse(make_pdf(write_large, logo), "a.pdf").unread_pages == ()


def test_the_hidden_text_of_a_searchable_scan_is_kept(make_pdf: Make, check: Check) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawInlineImage(pixel(), 0, 0, 595, 842)
        hidden = canvas.beginText(72, 700)
        hidden.setTextRenderMode(3)
        hidden.textLine("Recognised before.")
        canvas.drawText(hidden)

    document = pdf.parse(make_pdf(draw), "a.pdf")

    check(document)
    assert (document.text, document.unread_pages) == ("Recognised before.", ())
    assert len(document.pages[0].words) == 2


def test_recognised_lines_become_paragraphs_with_places(
    mixed: bytes, blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    scan = ScannedPage(
        [line("The door opens at", left=0.1, top=0.1), line("nine.", left=0.1, top=0.116)]
    )

    document = pdf.parse(mixed, "a.pdf", {2: scan})

    assert blocks_of(document)[1:] == [("paragraph", "The door opens at nine.")]
    word = document.pages[1].words[1]
    assert document.text[word.start : word.end] == "door"
    assert (word.left, word.top, word.right, word.bottom) == (0.16, 0.1, 0.214, 0.115)


def test_places_on_a_scan_that_lies_on_its_side_are_those_of_the_shown_page(mixed: bytes) -> None:
    upright = ScannedPage([line("door", left=0.1, top=0.2)])

    words = {
        turns: pdf.parse(mixed, "a.pdf", {2: replace(upright, turns=turns)}).pages[1].words[0]
        for turns in (1, 2, 3)
    }

    sides = {turns: (word.left, word.top, word.right, word.bottom) for turns, word in words.items()}
    assert sides == {
        1: pytest.approx((0.785, 0.1, 0.8, 0.154), abs=1e-4),
        2: pytest.approx((0.846, 0.785, 0.9, 0.8), abs=1e-4),
        3: pytest.approx((0.2, 0.846, 0.215, 0.9), abs=1e-4),
    }


def test_columns_of_prose_are_read_one_after_the_other_and_rows_of_tables_across(
    mixed: bytes, blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    columns = [
        line(f"{side} column goes on {number}", left=left, top=0.1 + 0.018 * number)
        for number in range(4)
        for side, left in (("first", 0.05), ("second", 0.55))
    ]
    table = [
        line(cell, left=left, top=0.5 + 0.018 * number)
        for number, row in enumerate([("Plan", "Fee"), ("Basic", "1"), ("Pro", "9")])
        for cell, left in zip(row, (0.05, 0.55), strict=True)
    ]

    across = [line("all of our plans and what each of them costs by month", left=0.05, top=0.4)]

    document = pdf.parse(mixed, "a.pdf", {2: ScannedPage(columns + across + table)})

    text = document.text.split("\n\n", 1)[1]
    assert text.index("first column goes on 3") < text.index("second column goes on 0")
    assert "Plan | Fee\nBasic | 1\nPro | 9" in text
