"""The lines of a PDF page with their places, sizes and cells, in reading order."""

import re
from collections.abc import Iterator
from ctypes import c_double, c_int, create_string_buffer
from dataclasses import dataclass, replace
from math import hypot

import pypdfium2 as pdfium
from pypdfium2 import raw

# The text engine's sign for a hyphen at the end of a line, which it joins to the next line.
LINE_END_HYPHEN = "\x02"
_LINE_ENDS = re.compile("[\r\n]+|(?<=[\x02\ufffe])")
_CELL_GAP_EMS = 1.2
_WORD_GAP_EMS = 0.12
_BOLD = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without large gaps."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one baseline; places in points from the page's lower left corner."""

    cells: tuple[Cell, ...]
    top: float
    bottom: float
    baseline: float
    size: float  # of its font
    is_bold: bool

    @property
    def text(self) -> str:
        """All of the line."""
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        """Where the line starts."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Where the line ends."""
        return self.cells[-1].right


def read_lines(page: pdfium.PdfPage) -> list[Line]:
    """Extract the lines of a page."""
    textpage = page.get_textpage()
    try:
        return _join_baselines(_raw_lines(textpage))
    finally:
        textpage.close()


def _raw_lines(textpage: pdfium.PdfTextPage) -> Iterator[Line]:
    count = textpage.count_chars()
    unicode_of = raw.FPDFText_GetUnicode
    # The engine's own text call skips and inserts characters, which would shift the boxes.
    text = "".join([chr(unicode_of(textpage, index) & 0x1FFFFF) for index in range(count)])
    start = 0
    for found in [*_LINE_ENDS.finditer(text), None]:
        end = found.start() if found else count
        line = _line(textpage, text[start:end].replace("\ufffe", LINE_END_HYPHEN), start)
        if line:
            yield line
        start = found.end() if found else count


def _line(textpage: pdfium.PdfTextPage, text: str, offset: int) -> Line | None:
    words = [(found.start(), found[0]) for found in re.finditer(r"\S+", text)]
    if not words:
        return None
    boxes = {
        start + at: _box(textpage, offset + start + at)
        for start, word in words
        for at in {0, len(word) - 1}
    }
    first, last = min(boxes), max(boxes)
    # The longest word stands for the line: its first may be a bullet or a footnote's sign.
    typical = offset + max(words, key=lambda word: len(word[1]))[0]
    top, bottom = max(box[3] for box in boxes.values()), min(box[1] for box in boxes.values())
    size = _size(textpage, typical) or top - bottom or 1.0
    return Line(
        cells=tuple(_cells(words, boxes, size)),
        top=top,
        bottom=bottom,
        baseline=_baseline(textpage, typical),
        size=size,
        is_bold=_is_bold(textpage, offset + first) and _is_bold(textpage, offset + last),
    )


def _cells(words: list[tuple[int, str]], boxes: dict[int, Box], size: float) -> Iterator[Cell]:
    texts: list[str] = []
    left = right = 0.0
    for start, word in words:
        word_left, word_right = boxes[start][0], boxes[start + len(word) - 1][2]
        if texts and word_left - right > _CELL_GAP_EMS * size:
            yield Cell(" ".join(texts), left, right)
            texts = []
        if not texts:
            left = word_left
        texts.append(word)
        right = word_right
    yield Cell(" ".join(texts), left, right)


def _box(textpage: pdfium.PdfTextPage, index: int) -> Box:
    """Return a character's (left, bottom, right, top), as high as its font."""
    rectangle = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage, index, rectangle)
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


def _size(textpage: pdfium.PdfTextPage, index: int) -> float:
    """Return a character's font size as it is drawn, which a matrix may have scaled."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(textpage, index, matrix)
    return float(raw.FPDFText_GetFontSize(textpage, index) * hypot(matrix.c, matrix.d))


def _baseline(textpage: pdfium.PdfTextPage, index: int) -> float:
    x, y = c_double(), c_double()
    raw.FPDFText_GetCharOrigin(textpage, index, x, y)
    return y.value


def _is_bold(textpage: pdfium.PdfTextPage, index: int) -> bool:
    if raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD_WEIGHT:
        return True
    name = create_string_buffer(128)
    raw.FPDFText_GetFontInfo(textpage, index, name, 128, c_int())
    return _BOLD.search(name.value) is not None


def _join_baselines(lines: Iterator[Line]) -> list[Line]:
    """Put together what the engine split on one baseline: table cells, superscripts."""
    joined: list[Line] = []
    for line in lines:
        if joined and _continues(joined[-1], line):
            joined[-1] = _join(joined[-1], line)
        else:
            joined.append(line)
    return joined


def _continues(before: Line, line: Line) -> bool:
    overlap = min(before.top, line.top) - max(before.bottom, line.bottom)
    lower = min(before.top - before.bottom, line.top - line.bottom)
    return overlap > 0.5 * lower and line.left >= before.right - 0.5 * before.size


def _join(before: Line, line: Line) -> Line:
    size = max(before.size, line.size)
    longer = before if len(before.text) >= len(line.text) else line
    gap = line.left - before.right
    cells = (*before.cells, *line.cells)
    if gap <= _CELL_GAP_EMS * size:
        glue = " " if gap > _WORD_GAP_EMS * size else ""
        last, first = before.cells[-1], line.cells[0]
        merged = Cell(last.text + glue + first.text, last.left, first.right)
        cells = (*before.cells[:-1], merged, *line.cells[1:])
    return replace(
        before,
        cells=cells,
        top=max(before.top, line.top),
        bottom=min(before.bottom, line.bottom),
        size=longer.size,
        baseline=longer.baseline,
        is_bold=before.is_bold and line.is_bold,
    )
