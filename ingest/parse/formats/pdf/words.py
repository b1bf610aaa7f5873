"""Finds the words of a page again in the text that was made of them."""

from collections.abc import Iterable, Iterator

from ingest.parse.clean import clean
from ingest.parse.formats.pdf.frame import Box, Frame
from ingest.parse.formats.pdf.lines import LINE_END_HYPHEN, Cell, Line
from ingest.parse.parsed import Word

Placed = tuple[str, Box | None]  # a word as it stands on the page; None: it is only in the text
_BLANKS = (" ", "\n")
_CELL_BORDER: Placed = ("|", None)


def words_of_lines(lines: Iterable[Line]) -> Iterator[Placed]:
    """List the words of lines that were joined."""
    for line in lines:
        for cell in line.cells:
            yield from cell.words


def words_of_row(cells: Iterable[Cell]) -> Iterator[Placed]:
    """List the words of a table row."""
    for number, cell in enumerate(cells):
        if number:
            yield _CELL_BORDER
        yield from cell.words


def align(text: str, start: int, words: Iterable[Placed], frame: Frame) -> Iterator[Word]:
    """Give the words of a block their offsets; `text` is all of the block, `start` its own offset.

    The text was cleaned, the words were not. One that cannot be found is left out.
    """
    at = left_out = 0
    for word, box in words:
        if text.startswith(_BLANKS, at):
            at += 1
        if not left_out and text.startswith(word, at):
            begin, end = at, at + len(word)
        else:
            begin, end = _find(text, at, word, left_out)
            if begin < 0:
                left_out += len(word) + 1
                continue
        left_out = 0
        at = end
        place = frame.fractions(box) if box and begin < end else None
        if place:
            yield Word(start + begin, start + end, *place)


def _find(text: str, at: int, word: str, left_out: int) -> tuple[int, int]:
    """Find a word where the text stands, or after as much text as the words left out can be."""
    cleaned = clean(word.replace(LINE_END_HYPHEN, "-"))
    if not cleaned:
        return at, at
    if left_out:
        limit = at + left_out + len(cleaned) + 1
        found = [text.find(blank + cleaned, at, limit) + 1 for blank in _BLANKS]
        begin = min((one for one in found if one), default=-1)
        return begin, begin + len(cleaned)
    for candidate in (cleaned, cleaned.removesuffix("-")):
        if candidate and text.startswith(candidate, at):
            return at, at + len(candidate)
    return -1, -1
