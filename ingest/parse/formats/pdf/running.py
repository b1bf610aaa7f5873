"""Finds the headers, footers and page numbers that repeat from page to page."""

import re
from collections import Counter

from ingest.parse.formats.pdf.lines import Line

_MIN_PAGES = 4
_SHARE_OF_PAGES = 0.6
_EDGE_LINES = 3
_PLACE_POINTS = 6

_Mark = tuple[str, int]  # a line's text without its digits, and its height on the page


def without_running_lines(pages: list[list[Line]]) -> list[list[Line]]:
    """Drop lines at a page's edge that most pages have at the same place, digits apart."""
    if len(pages) < _MIN_PAGES:
        return pages
    counts = Counter(mark for lines in pages for mark in {_mark(line) for line in _edges(lines)})
    repeated = {mark for mark, count in counts.items() if count > _SHARE_OF_PAGES * len(pages)}
    kept = [_without(repeated, lines) for lines in pages]
    # A document of nothing but such lines (a form on every page) keeps them.
    return kept if any(kept) else pages


def _without(repeated: set[_Mark], lines: list[Line]) -> list[Line]:
    running = {id(line) for line in _edges(lines) if _mark(line) in repeated}
    return [line for line in lines if id(line) not in running]


def _edges(lines: list[Line]) -> list[Line]:
    if len(lines) <= 2 * _EDGE_LINES:
        return lines
    by_height = sorted(lines, key=lambda line: line.top)
    return by_height[:_EDGE_LINES] + by_height[-_EDGE_LINES:]


def _mark(line: Line) -> _Mark:
    return re.sub(r"\d+", "#", line.text), round(line.bottom / _PLACE_POINTS)
