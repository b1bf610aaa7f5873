import io
from collections.abc import Callable

import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.errors import (
    CorruptDocumentError,
    EncryptedDocumentError,
    NoTextError,
    PoisonDocumentError,
)
from ingest.parse import registry
from ingest.parse.formats import pdf
from ingest.parse.parsed import ParsedDocument

Draw = Callable[[Canvas], object]


def together(*draws: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def test_headings_paragraphs_and_list_items_are_told_apart(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    data = make_pdf(
        together(
            write_lines("Refund policy", size=20, top=780),
            write_lines("We refund within five days", "after the parcel came back.", top=740),
            write_lines("Fees are not refunded.", top=690),
            write_lines("Exceptions", top=660, font="Helvetica-Bold"),
            write_lines("• gift cards", "• tickets for events", "that are over", top=640),
        )
    )

    assert blocks_of(pdf.parse(data, "policy.pdf")) == [
        ("heading1", "Refund policy"),
        ("paragraph", "We refund within five days after the parcel came back."),
        ("paragraph", "Fees are not refunded."),
        ("heading2", "Exceptions"),
        ("list_item", "• gift cards"),
        ("list_item", "• tickets for events that are over"),
    ]


def test_rows_of_aligned_cells_become_a_table(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    def draw_table(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for row, cells in enumerate(
            [("Plan", "Fee", "Days"), ("Basic", "1", "14"), ("Pro", "9", "30")]
        ):
            for column, cell in enumerate(cells):
                canvas.drawString(72 + 120 * column, 600 - 14 * row, cell)

    data = make_pdf(together(write_lines("Our plans are these.", "Choose one."), draw_table))

    assert blocks_of(pdf.parse(data, "plans.pdf")) == [
        ("paragraph", "Our plans are these. Choose one."),
        ("table_row", "Plan | Fee | Days"),
        ("table_row", "Basic | 1 | 14"),
        ("table_row", "Pro | 9 | 30"),
    ]


def test_a_bullet_that_stands_apart_from_its_item_makes_no_table(
    make_pdf: Callable[..., bytes], blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for row, (sign, item) in enumerate([("•", "gift cards"), ("2.", "tickets for events")]):
            canvas.drawString(72, 600 - 28 * row, sign)
            canvas.drawString(100, 600 - 28 * row, item)
        canvas.drawString(100, 600 - 42, "that are over")

    assert blocks_of(pdf.parse(make_pdf(draw), "a.pdf")) == [
        ("list_item", "• gift cards"),
        ("list_item", "2. tickets for events that are over"),
    ]


def test_pages_cover_the_text_and_empty_ones_keep_their_number(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    check: Callable[[ParsedDocument], None],
) -> None:
    data = make_pdf(write_lines("First page."), lambda canvas: None, write_lines("Third page."))

    document = pdf.parse(data, "a.pdf")

    check(document)
    assert [(page.number, document.text[page.start : page.end]) for page in document.pages] == [
        (1, "First page.\n\n"),
        (2, ""),
        (3, "Third page."),
    ]


def test_running_headers_and_page_numbers_are_left_out(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    pages = [
        together(
            write_lines("Staff handbook", top=810),
            write_lines(f"This is what page {name} is about."),
            write_lines(f"Page {number} of 5", top=30),
        )
        for number, name in enumerate(["one", "two", "three", "four", "five"], start=1)
    ]

    document = pdf.parse(make_pdf(*pages), "handbook.pdf")
    short = pdf.parse(make_pdf(*pages[:3]), "handbook.pdf")

    assert document.text == "\n\n".join(
        f"This is what page {name} is about." for name in ["one", "two", "three", "four", "five"]
    )
    assert short.text.count("Staff handbook") == 3


def test_words_divided_at_line_ends_are_joined_and_compounds_keep_their_hyphen(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    data = make_pdf(
        write_lines(
            "The infor-",
            "mation is kept in a data-",
            "base with an end-to-",
            "End key by a third-",
            "party firm, and such a party is a third one here.",
        )
    )

    assert pdf.parse(data, "a.pdf").text == (
        "The information is kept in a database with an end-to-End key by a third-party firm, "
        "and such a party is a third one here."
    )


def test_the_title_is_the_stated_one_then_the_largest_lines_then_the_name(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    page = together(
        write_lines("Travel", "expenses", size=24, top=780), write_lines("Keep receipts.")
    )

    assert pdf.parse(make_pdf(page, title="Expense rules"), "a.pdf").title == "Expense rules"
    assert pdf.parse(make_pdf(page, title="untitled"), "a.pdf").title == "Travel expenses"
    assert pdf.parse(make_pdf(page, title="C:\\tmp\\x.doc"), "a.pdf").title == "Travel expenses"
    assert pdf.parse(make_pdf(write_lines("x")), "travel_2024.pdf").title == "Travel 2024"


def test_a_password_is_asked_for_only_where_one_is_needed(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    locked = make_pdf(write_lines("Secret."), encrypt=StandardEncryption("user", "owner"))
    readable = make_pdf(write_lines("Open."), encrypt=StandardEncryption("", "owner"))

    with pytest.raises(EncryptedDocumentError, match=r"locked\.pdf: the file is protected"):
        registry.parse(locked, "locked.pdf")
    assert registry.parse(readable, "open.pdf").text == "Open."


def test_a_scan_without_text_says_how_many_pages_it_has(make_pdf: Callable[..., bytes]) -> None:
    picture = io.BytesIO()
    Image.new("L", (60, 80), 200).save(picture, "PNG")
    picture.seek(0)
    scan = make_pdf(*[lambda canvas: canvas.drawImage(ImageReader(picture), 0, 0, 500, 700)] * 2)

    with pytest.raises(NoTextError, match=r"no text was found on its 2 page\(s\)"):
        registry.parse(scan, "scan.pdf")


def test_a_document_of_300_pages_is_read_whole(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    check: Callable[[ParsedDocument], None],
) -> None:
    pages = [write_lines(f"Chapter {number}", "It is short.") for number in range(1, 301)]

    document = pdf.parse(make_pdf(*pages), "long.pdf")

    check(document)
    last = document.pages[-1]
    assert len(document.pages) == 300
    assert document.text[last.start : last.end] == "Chapter 300 It is short."


def test_a_file_that_claims_endless_pages_is_refused() -> None:
    kids = b"3 0 R " * 20_000
    bomb = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 20000/Kids[" + kids + b"]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )

    with pytest.raises(PoisonDocumentError, match="more than 2,000"):
        pdf.parse(bomb, "bomb.pdf")


def test_a_broken_file_is_called_damaged() -> None:
    with pytest.raises(CorruptDocumentError, match="broken"):
        registry.parse(b"%PDF-1.7\nnothing else", "a.pdf")


def test_a_file_with_a_broken_table_of_objects_is_still_read(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    whole = make_pdf(write_lines("First page."), write_lines("Second page."))

    damaged = whole.replace(b"startxref\n", b"startxref\n9")

    assert registry.parse(damaged, "damaged.pdf").text == "First page.\n\nSecond page."


def test_a_file_that_lost_its_root_is_repaired(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    check: Callable[[ParsedDocument], None],
) -> None:
    whole = make_pdf(write_lines("First page."), write_lines("Second page."), title="Fees")

    document = registry.parse(whole.replace(b"/Root", b"/Roof"), "damaged.pdf")

    check(document)
    assert (document.title, document.text) == ("Fees", "First page.\n\nSecond page.")
