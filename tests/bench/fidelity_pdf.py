"""PDF files with a known text: columns, running heads, broken words, tables, turned pages."""

import io
from collections.abc import Callable, Sequence

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from tests.bench.fidelity_text import Sample, prose

FONT, SIZE, LEADING = "Times-Roman", 10, 13
WIDTH, HEIGHT = A4
MARGIN = 60
TOP = HEIGHT - 110
BROKEN = ("mainte-nance", "thermo-stat", "regu-lation", "dispen-ser", "connec-tor", "tempera-ture")
Line = tuple[float, float, str]


def samples() -> list[Sample]:
    """Write all files."""
    return [
        _columns(),
        _spanning(),
        _broken_words(),
        _table(),
        _unruled(),
        _turned_pages(),
        _flow(),
    ]


def _columns() -> Sample:
    """Two columns; on the second page they are drawn line by line across, as some programs do."""
    expected = []

    def draw(canvas: Canvas) -> None:
        for page in (1, 2, 3):
            canvas.setFont("Helvetica-Bold", 14)
            canvas.drawString(MARGIN, TOP + 22, heading := f"Chapter {page} of servicing")
            left, right = prose(page, 30), prose(10 + page, 25)
            expected.extend([heading, left, right])
            lines = _lines(left, MARGIN, 220) + _lines(right, WIDTH / 2 + 15, 220)
            if page == 2:
                lines.sort(key=lambda line: -line[1])
            _write(canvas, lines)
            _running(canvas, page)
            canvas.showPage()

    return Sample("columns.pdf", _pdf(draw), "\n".join(expected))


def _spanning() -> Sample:
    """A summary over both columns, and a caption over both in the middle of the page."""
    summary, caption = prose(50, 8), prose(51, 4)
    halves = [prose(52 + number, 9) for number in range(4)]

    def draw(canvas: Canvas) -> None:
        _write(canvas, _lines(summary, MARGIN, WIDTH - 2 * MARGIN))
        for number, text in enumerate(halves):
            left = MARGIN if number % 2 == 0 else WIDTH / 2 + 15
            _write(canvas, _lines(text, left, 220, top=TOP - (90 if number < 2 else 390)))
        _write(canvas, _lines(caption, MARGIN, WIDTH - 2 * MARGIN, top=TOP - 340))

    return Sample(
        "spanning.pdf", _pdf(draw), "\n".join([summary, *halves[:2], caption, *halves[2:]])
    )


def _broken_words() -> Sample:
    """Long words are broken at the ends of lines."""
    halves = [word.split("-") for word in BROKEN]
    lines: list[str] = []
    expected = []
    for number, (first, second) in enumerate(halves * 3):
        text = prose(100 + number, 1).removesuffix(".")
        start = f"{lines.pop()} " if lines else ""
        lines += [f"{start}{text} {first}-", f"{second} follows."]
        expected.append(f"{text} {first}{second} follows.")

    def draw(canvas: Canvas) -> None:
        _write(canvas, [(MARGIN, TOP - LEADING * row, text) for row, text in enumerate(lines)])

    return Sample("broken-words.pdf", _pdf(draw), " ".join(expected))


def _table() -> Sample:
    """A ruled table between paragraphs, with cells of several lines."""
    rows = [["Part", "Interval", "Remark", "Price"]]
    rows += [[f"Part {n}A", f"{n} weeks", prose(200 + n, 2), f"{n}.95"] for n in range(3, 12)]
    before, after = prose(300, 8), prose(301, 8)
    style = getSampleStyleSheet()["BodyText"]
    wrapped = [[Paragraph(cell, style) for cell in row] for row in rows]
    ruled = Table(
        wrapped, colWidths=[60, 70, 250, 60], style=[("GRID", (0, 0), (-1, -1), 1, "black")]
    )
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer).build([Paragraph(before, style), ruled, Paragraph(after, style)])
    expected = [before, *(" ".join(row) for row in rows), after]
    return Sample("table.pdf", buffer.getvalue(), "\n".join(expected))


def _unruled() -> Sample:
    """A table without lines, its columns told by the gaps alone."""
    rows = [["Code", "Meaning", "Wait"]]
    rows += [[f"E{n}", prose(350 + n, 1), f"{n} min"] for n in range(20, 32)]
    before, after = prose(390, 6), prose(391, 6)
    style = getSampleStyleSheet()["BodyText"]
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer).build(
        [Paragraph(before, style), Table(rows), Paragraph(after, style)]
    )
    expected = [before, *(" ".join(row) for row in rows), after]
    return Sample("unruled.pdf", buffer.getvalue(), "\n".join(expected))


def _turned_pages() -> Sample:
    """A page shown turned by its own entry, and one whose text runs up the page."""
    first, second = prose(400, 25), prose(401, 25)

    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        _upwards(canvas, first)
        canvas.showPage()
        canvas.setPageRotation(0)
        _upwards(canvas, second)

    return Sample("turned-pages.pdf", _pdf(draw), f"{first}\n{second}")


def _flow() -> Sample:
    """Headings, paragraphs and lists over several pages, as most documents are."""
    styles = getSampleStyleSheet()
    parts: list[tuple[str, str]] = [("Title", "Operating manual of the long brewer")]
    for chapter in range(1, 11):
        parts.append(("Heading1", f"Section {chapter} about care"))
        parts += [("BodyText", prose(500 + 10 * chapter + n, 9)) for n in range(4)]
        parts += [("Bullet", prose(600 + 10 * chapter + n, 1)) for n in range(3)]
    buffer = io.BytesIO()
    flow = [
        Paragraph(text, styles[name], bulletText="•" if name == "Bullet" else None)
        for name, text in parts
    ]
    template = SimpleDocTemplate(buffer)
    page = iter(range(1, 100))
    template.build(
        flow,
        onFirstPage=lambda canvas, _: _running(canvas, next(page)),
        onLaterPages=lambda canvas, _: _running(canvas, next(page)),
    )
    return Sample("flow.pdf", buffer.getvalue(), "\n".join(text for _, text in parts))


def _pdf(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def _lines(text: str, left: float, width: float, *, top: float = TOP) -> list[Line]:
    wrapped = simpleSplit(text, FONT, SIZE, width)
    return [(left, top - LEADING * row, line) for row, line in enumerate(wrapped)]


def _write(canvas: Canvas, lines: Sequence[Line]) -> None:
    canvas.setFont(FONT, SIZE)
    for left, top, text in lines:
        canvas.drawString(left, top, text)


def _running(canvas: Canvas, page: int) -> None:
    """Draw the head and foot that every page has."""
    canvas.setFont("Helvetica", 8)
    canvas.drawString(MARGIN, HEIGHT - 40, "Brewer Works confidential handbook")
    canvas.drawRightString(WIDTH - MARGIN, 30, f"Page {page}")


def _upwards(canvas: Canvas, text: str) -> None:
    canvas.saveState()
    canvas.translate(WIDTH, 0)
    canvas.rotate(90)
    lines = [(MARGIN, WIDTH - 80 - LEADING * row, line) for row, line in enumerate(_wrap(text))]
    _write(canvas, lines)
    canvas.restoreState()


def _wrap(text: str) -> list[str]:
    return list(simpleSplit(text, FONT, SIZE, HEIGHT - 2 * MARGIN))
