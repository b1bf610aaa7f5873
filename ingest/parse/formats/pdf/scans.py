"""Pages that are pictures of text: finds them, and puts what was read on them into lines."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from statistics import median

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest.parse.formats.pdf.frame import Box, Frame
from ingest.parse.formats.pdf.lines import Line, join_baselines, make_cells
from ingest.parse.wire import ScannedPage, ScannedWord

_MIN_SHARE_OF_PAGE = 0.5
_MAX_ITEMS = 2_000
_MAX_DEPTH = 5
_SPANNING = 0.6  # of the page's width: a line that long is in no column
_MIN_COLUMN_LINES = 3
_MIN_COLUMN_CHARACTERS = 20  # of the usual line; the cells of tables are shorter
_SIZE_PER_HEIGHT = 0.75  # font size / height of the box that the engine draws
_SAME_SIZE = 0.2  # by how much boxes of one font differ in height


def is_scan(page: pdfium.PdfPage, frame: Frame) -> bool:
    """Tell whether pictures cover most of a page."""
    width, height = frame.shown_width, frame.shown_height
    try:
        covered = sum(_area(item, frame) for item in _pictures(page))
    except pdfium.PdfiumError:
        return False
    return covered > _MIN_SHARE_OF_PAGE * width * height


def _pictures(page: pdfium.PdfPage) -> Iterator[pdfium.PdfObject]:
    kinds = [raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM]
    for item in islice(page.get_objects(filter=kinds, max_depth=1), _MAX_ITEMS):
        inner = page.get_objects(filter=kinds[:1], max_depth=_MAX_DEPTH, form=item)
        if item.type == raw.FPDF_PAGEOBJ_IMAGE or any(inner):
            yield item


def _area(item: pdfium.PdfObject, frame: Frame) -> float:
    left, bottom, right, top = frame.box(*item.get_bounds())
    width, height = frame.shown_width, frame.shown_height
    return max(0.0, min(right, width) - max(left, 0.0)) * max(
        0.0, min(top, height) - max(bottom, 0.0)
    )


def lines_of(scan: ScannedPage, frame: Frame) -> list[Line]:
    """Put what was read on a page into lines, in reading order; `frame` is tilted as the scan."""
    width, height = frame.shown_width, frame.shown_height
    lines = [_line(words, width, height) for words in scan.lines if words]
    return join_baselines(_with_even_sizes(_in_reading_order(lines, width)))


def _line(words: Sequence[ScannedWord], width: float, height: float) -> Line:
    placed: list[tuple[str, Box]] = [
        (text, (left * width, (1 - bottom) * height, right * width, (1 - top) * height))
        for text, left, top, right, bottom in words
    ]
    # Those of its words: a line that slopes is higher than its letters.
    bottom, height = median(box[1] for _, box in placed), min(b[3] - b[1] for _, b in placed)
    size = _SIZE_PER_HEIGHT * height or 1.0
    cells = tuple(make_cells(placed, size))
    return Line(cells, bottom + height, bottom, bottom + 0.25 * height, size, is_bold=False)


def _with_even_sizes(lines: list[Line]) -> list[Line]:
    """Give lines that are about as high as most the same font size: letters differ in height."""
    usual = median(line.size for line in lines) if lines else 0.0
    return [
        replace(line, size=usual) if abs(line.size - usual) < _SAME_SIZE * usual else line
        for line in lines
    ]


def _in_reading_order(lines: list[Line], width: float) -> list[Line]:
    """Order lines from top to bottom, and one column of prose after the other."""
    ordered: list[Line] = []
    band: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.top, line.left)):
        if line.right - line.left > _SPANNING * width:
            ordered += [*_column_by_column(band), line]
            band = []
        else:
            band.append(line)
    return ordered + _column_by_column(band)


def _column_by_column(lines: list[Line]) -> list[Line]:
    reach = float("-inf")
    by_left = sorted(lines, key=lambda line: line.left)
    for at, line in enumerate(by_left):
        first, rest = by_left[:at], by_left[at:]
        if line.left > reach and _is_prose(first) and _is_prose(rest):
            return [*_from_the_top(first), *_column_by_column(rest)]
        reach = max(reach, line.right)
    return _from_the_top(lines)


def _is_prose(lines: list[Line]) -> bool:
    return (
        len(lines) >= _MIN_COLUMN_LINES
        and median(len(line.text) for line in lines) >= _MIN_COLUMN_CHARACTERS
    )


def _from_the_top(lines: list[Line]) -> list[Line]:
    """Order lines by height, those of one height from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.baseline):
        row = rows[-1] if rows else []
        if row and row[0].baseline - line.baseline < 0.5 * min(row[0].size, line.size):
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]
