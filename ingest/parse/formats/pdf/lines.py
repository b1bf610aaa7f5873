"""The lines of a PDF page with their places, sizes and cells, in reading order."""

import re
from collections.abc import Iterable, Iterator
from ctypes import c_double, c_int, create_string_buffer
from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat
from math import hypot, isfinite

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest.parse.formats.pdf.frame import Box, Frame

# The text engine's sign for a hyphen at the end of a line, which it joins to the next line.
LINE_END_HYPHEN = "\x02"
_LINE_ENDS = re.compile("[\r\n]+|(?<=[\x02\ufffe])")
_WORD = re.compile(r"\S+")
_CELL_GAP_EMS = 1.2
_WORD_GAP_EMS = 0.12
_BOLD = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without large gaps, and its words where they stand."""

    text: str
    left: float
    right: float
    words: tuple[tuple[str, Box], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one baseline; places in points from the shown page's lower left corner."""

    cells: tuple[Cell, ...]
    top: float
    bottom: float
    baseline: float
    size: float  # of its font
    is_bold: bool
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join([cell.text for cell in self.cells]))

    @property
    def left(self) -> float:
        """Where the line starts."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Where the line ends."""
        return self.cells[-1].right


def read_lines(page: pdfium.PdfPage, frame: Frame) -> list[Line]:
    """Extract the lines of a page."""
    textpage = page.get_textpage()
    try:
        return join_baselines(_raw_lines(_Characters(textpage, frame)))
    finally:
        textpage.close()


class _Characters:
    """The characters of a page, by index."""

    def __init__(self, textpage: pdfium.PdfTextPage, frame: Frame) -> None:
        self._count = textpage.count_chars()
        # The wrapper would be unwrapped at each of some thousand calls.
        self._textpage = textpage.raw
        self._frame = frame
        self._rectangles = raw.FS_RECTF(), raw.FS_RECTF()

    def text(self) -> str:
        # The engine's own text call skips and inserts characters, which would shift the boxes.
        codes = map(raw.FPDFText_GetUnicode, repeat(self._textpage), range(self._count))
        return "".join([chr(code & 0x1FFFFF) for code in codes])

    def word_box(self, first: int, last: int) -> Box:
        """Return the box around a word's first and last character, as high as their font."""
        one, other = self._rectangles
        raw.FPDFText_GetLooseCharBox(self._textpage, first, one)
        if first == last:
            return self._frame.box(one.left, one.bottom, one.right, one.top)
        raw.FPDFText_GetLooseCharBox(self._textpage, last, other)
        return self._frame.box(
            min(one.left, other.left),
            min(one.bottom, other.bottom),
            max(one.right, other.right),
            max(one.top, other.top),
        )

    def size(self, index: int) -> float:
        """Return a character's font size as it is drawn, which a matrix may have scaled."""
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(self._textpage, index, matrix)
        scale = hypot(matrix.c, matrix.d)
        size = float(raw.FPDFText_GetFontSize(self._textpage, index) * scale)
        return size if isfinite(size) else 0.0

    def baseline(self, index: int) -> float:
        x, y = c_double(), c_double()
        raw.FPDFText_GetCharOrigin(self._textpage, index, x, y)
        height = self._frame.point(x.value, y.value)[1]
        return height if isfinite(height) else 0.0

    def is_bold(self, index: int) -> bool:
        if raw.FPDFText_GetFontWeight(self._textpage, index) >= _BOLD_WEIGHT:
            return True
        name = create_string_buffer(128)
        raw.FPDFText_GetFontInfo(self._textpage, index, name, 128, c_int())
        return _BOLD.search(name.value) is not None


def _raw_lines(characters: _Characters) -> Iterator[Line]:
    text = characters.text()
    start = 0
    for found in [*_LINE_ENDS.finditer(text), None]:
        end = found.start() if found else len(text)
        line = _line(characters, text[start:end].replace("\ufffe", LINE_END_HYPHEN), start)
        if line:
            yield line
        start = found.end() if found else len(text)


def _line(characters: _Characters, text: str, offset: int) -> Line | None:
    spans = [(found.start() + offset, found[0]) for found in _WORD.finditer(text)]
    if not spans:
        return None
    words = [(word, characters.word_box(at, at + len(word) - 1)) for at, word in spans]
    # The longest word stands for the line: its first may be a bullet or a footnote's sign.
    typical = max(spans, key=lambda span: len(span[1]))[0]
    top, bottom = max([box[3] for _, box in words]), min([box[1] for _, box in words])
    size = characters.size(typical) or top - bottom or 1.0
    first, last = spans[0][0], spans[-1][0] + len(spans[-1][1]) - 1
    return Line(
        cells=tuple(make_cells(words, size)),
        top=top,
        bottom=bottom,
        baseline=characters.baseline(typical),
        size=size,
        is_bold=characters.is_bold(first) and characters.is_bold(last),
    )


def make_cells(words: list[tuple[str, Box]], size: float) -> Iterator[Cell]:
    """Put the words of a line together where no large gap divides them."""
    start = 0
    for at, (before, word) in enumerate(pairwise(words), start=1):
        if word[1][0] - before[1][2] > _CELL_GAP_EMS * size:
            yield _cell(words[start:at])
            start = at
    yield _cell(words[start:])


def _cell(words: list[tuple[str, Box]]) -> Cell:
    text = " ".join([word for word, _ in words])
    first, last = words[0][1], words[-1][1]  # whichever way the script runs
    return Cell(text, min(first[0], last[0]), max(first[2], last[2]), tuple(words))


def join_baselines(lines: Iterable[Line]) -> list[Line]:
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
        merged = Cell(
            last.text + glue + first.text, last.left, first.right, last.words + first.words
        )
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
