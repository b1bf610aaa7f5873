import io
from collections.abc import Callable, Iterator

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from ingest.parse.formats import pdf
from ingest.parse.parsed import ParsedDocument, Word

Draw = Callable[[Canvas], object]
Sides = tuple[float, float, float, float]

NEAR = 0.005  # of the page
SIZE = 12
# Where words begin, and how far the font reaches above and below its baseline.
PLACES = {"alpha": (100.0, 700.0), "beta": (300.0, 400.0), "gamma": (420.0, 90.0)}
ASCENT, DESCENT = 0.77, 0.22
WIDTH, HEIGHT = 595.28, 841.89


@pytest.fixture
def page_of_words(make_pdf: Callable[..., bytes]) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", SIZE)
        for word, (x, y) in PLACES.items():
            canvas.drawString(x, y, word)

    return make_pdf(draw)


def changed(data: bytes, *, turned: int = 0, crop: Sides | None = None) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    page = writer.pages[0]
    if crop:
        page.cropbox = RectangleObject(crop)
    page.rotate(turned)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def on_page(word: str) -> Sides:
    x, y = PLACES[word]
    width = stringWidth(word, "Helvetica", SIZE)
    return x, y - DESCENT * SIZE, x + width, y + ASCENT * SIZE


def shown(sides: Sides, turned: int, crop: Sides) -> Sides:
    """Work out by hand where a reader sees a rectangle: (left, top, right, bottom)."""
    across, up = crop[2] - crop[0], crop[3] - crop[1]
    left, right = (sides[0] - crop[0]) / across, (sides[2] - crop[0]) / across
    top, bottom = (crop[3] - sides[3]) / up, (crop[3] - sides[1]) / up
    return {
        0: (left, top, right, bottom),
        90: (1 - bottom, left, 1 - top, right),
        180: (1 - right, 1 - bottom, 1 - left, 1 - top),
        270: (top, 1 - right, bottom, 1 - left),
    }[turned]


def texts(document: ParsedDocument) -> Iterator[tuple[str, Word]]:
    for page in document.pages:
        for word in page.words:
            yield document.text[word.start : word.end], word


def sides_of(word: Word) -> Sides:
    return word.left, word.top, word.right, word.bottom


def share_in_words(document: ParsedDocument) -> float:
    visible = sum(not character.isspace() for character in document.text)
    return sum(word.end - word.start for _, word in texts(document)) / visible


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [(0, 0, WIDTH, HEIGHT), (80.0, 50.0, 500.0, 760.0)])
def test_words_stand_where_the_page_shows_them(
    page_of_words: bytes, turned: int, crop: Sides, check: Callable[[ParsedDocument], None]
) -> None:
    document = pdf.parse(changed(page_of_words, turned=turned, crop=crop), "a.pdf")

    check(document)
    found = {text: sides_of(word) for text, word in texts(document)}
    assert found == {
        word: pytest.approx(shown(on_page(word), turned, crop), abs=NEAR) for word in PLACES
    }


def test_words_outside_the_shown_part_are_read_but_have_no_place(page_of_words: bytes) -> None:
    document = pdf.parse(changed(page_of_words, crop=(0, 300, WIDTH, 500)), "a.pdf")

    assert document.text.split() == ["alpha", "beta", "gamma"]
    assert [text for text, _ in texts(document)] == ["beta"]


def test_a_page_printed_sideways_and_turned_to_be_read_has_its_lines_in_order(
    make_pdf: Callable[..., bytes], blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.translate(0, HEIGHT)
        canvas.rotate(-90)
        canvas.setFont("Helvetica", SIZE)
        canvas.drawString(72, 500, "The fee is due in May, on")
        canvas.drawString(72, 485, "the first day of the month.")

    document = pdf.parse(changed(make_pdf(draw), turned=270), "a.pdf")

    assert blocks_of(document) == [
        ("paragraph", "The fee is due in May, on the first day of the month.")
    ]
    first = document.pages[0].words[0]
    assert sides_of(first) == pytest.approx(
        (72 / HEIGHT, 1 - (500 + ASCENT * SIZE) / WIDTH, (72 + 21.3) / HEIGHT, 1 - 497.4 / WIDTH),
        abs=NEAR,
    )


def test_a_divided_word_has_a_place_on_each_of_its_lines(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    document = pdf.parse(make_pdf(write_lines("The infor-", "mation is free.")), "a.pdf")

    assert document.text == "The information is free."
    _, first, second, *_ = texts(document)
    assert (first[0], second[0]) == ("infor", "mation")
    assert (first[1].end, second[1].start) == (9, 9)
    assert first[1].bottom < second[1].bottom


def test_a_compound_kept_at_a_line_end_has_its_hyphen_on_the_first_line(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    document = pdf.parse(make_pdf(write_lines("An end-to-", "End key.")), "a.pdf")

    assert document.text == "An end-to-End key."
    assert [text for text, _ in texts(document)] == ["An", "end-to-", "End", "key."]


def test_words_of_table_rows_have_places_and_the_lines_between_cells_none(
    make_pdf: Callable[..., bytes],
) -> None:
    def draw(canvas: Canvas) -> None:
        for row, cells in enumerate([("Plan", "Monthly fee"), ("Basic", "1 | 2"), ("Pro", "9 a")]):
            for column, cell in enumerate(cells):
                canvas.drawString(72 + 160 * column, 600 - 14 * row, cell)

    document = pdf.parse(make_pdf(draw), "a.pdf")

    assert document.text == "Plan | Monthly fee\nBasic | 1 | 2\nPro | 9 a"
    words = ["Plan", "Monthly", "fee", "Basic", "1", "|", "2", "Pro", "9", "a"]
    assert [text for text, _ in texts(document)] == words


def test_running_lines_that_were_left_out_have_no_words(
    make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    def with_header(name: str) -> Draw:
        def draw(canvas: Canvas) -> None:
            write_lines("Handbook", top=810)(canvas)
            write_lines(f"Page {name}.")(canvas)

        return draw

    document = pdf.parse(make_pdf(*map(with_header, ["one", "two", "three", "four"])), "a.pdf")

    assert [text for text, _ in texts(document)] == [
        *("Page", "one.", "Page", "two.", "Page", "three.", "Page", "four."),
    ]


def test_nearly_all_of_an_ordinary_text_stands_in_words(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    check: Callable[[ParsedDocument], None],
) -> None:
    def columns(canvas: Canvas) -> None:
        for left in (60, 320):
            canvas.setFont("Times-Roman", 10)
            for line in range(40):
                words = f"Column {left}, line {line}: naïve façade café, «quoted» data-"
                canvas.drawString(left, 760 - 12 * line, words)

    pages = [write_lines(*[f"Rule {n}: keep the bill, it is “proof”." for n in range(50)]), columns]

    document = pdf.parse(make_pdf(*pages), "a.pdf")

    check(document)
    assert len(document.text) > 4_000
    assert share_in_words(document) >= 0.995


@pytest.mark.parametrize(
    "matrix",
    [
        (1e38, 0, 0, 1e38, 0, 0),
        (1, 0, 0, 1, 9e30, 5),
        (0, 0, 0, 0, 5, 5),
        (-1, 0, 0, -1, 300, 300),
        (1e-30, 0, 0, 1e-30, 100, 100),
        (1, 0, 0, 1, 585, 835),
        (1, 0, 0, 1, -20, -4),
    ],
)
def test_absurd_places_are_cut_to_the_page_or_left_out(
    make_pdf: Callable[..., bytes],
    matrix: tuple[float, ...],
    check: Callable[[ParsedDocument], None],
) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "ordinary words")
        numbers = " ".join(f"{number:f}" for number in matrix)
        canvas._code.append(f"BT /F1 12 Tf {numbers} Tm (strange place) Tj ET")

    document = pdf.parse(make_pdf(draw), "a.pdf")

    check(document)
    assert [text for text, _ in texts(document)][:2] == ["ordinary", "words"]
