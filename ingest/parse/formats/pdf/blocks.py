"""Groups the lines of a PDF into headings, paragraphs, list items and table rows."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ingest.parse.formats.pdf.lines import LINE_END_HYPHEN, Line
from ingest.parse.lists import is_list_item
from ingest.parse.parsed import BlockKind

_HEADING_RATIO = 1.15
_MAX_HEADING_CHARACTERS = 150
_MAX_BOLD_CHARACTERS = 100
_PARAGRAPH_GAP = 1.3  # times the usual distance of baselines
_MAX_LEADING = 2.0  # times the font size
_INDENT_EMS = 0.8
_ALIGNED_EMS = 0.8
_MIN_WORD_LETTERS = 3
_DIVIDED_LINES = 0.025  # a document with a larger share of such lines divides words
_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_MAX_WORD_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Look:
    """What is usual in a document, to tell what stands out."""

    body_size: float
    leading: float  # distance of baselines / font size
    heading_sizes: tuple[float, ...]  # largest first
    is_body_bold: bool
    divides_words: bool  # at line ends, as typesetting programs do and word processors rarely
    words: frozenset[str]

    def heading_level(self, size: float) -> int:
        """Rank a font size among the headings' sizes, from 1; 0: not a heading's."""
        if size < self.body_size * _HEADING_RATIO or not self.heading_sizes:
            return 0
        return min(1 + sum(larger > size + 0.5 for larger in self.heading_sizes), 6)


@dataclass(frozen=True, slots=True)
class PdfBlock:
    """A block of one page before its text is joined."""

    kind: BlockKind
    lines: tuple[Line, ...]
    level: int = 0


def survey(pages: list[list[Line]]) -> Look:
    """Find out what is usual in a document."""
    lines = [line for page in pages for line in page]
    sizes: Counter[float] = Counter()
    bold = 0
    for line in lines:
        sizes[_rounded(line.size)] += len(line.text)
        bold += len(line.text) if line.is_bold else 0
    # Of two sizes as frequent as each other, the smaller is the body's.
    body_size = max(sizes, key=lambda size: (sizes[size], -size), default=1.0)
    larger = sorted({size for size in sizes if size >= body_size * _HEADING_RATIO}, reverse=True)
    return Look(
        body_size=body_size,
        leading=_leading(pages, body_size),
        heading_sizes=tuple(larger),
        is_body_bold=2 * bold > sizes.total(),
        divides_words=sum(map(_ends_divided, lines)) > _DIVIDED_LINES * len(lines),
        words=frozenset(word for line in lines for word in _whole_words(line.text)),
    )


def _leading(pages: list[list[Line]], body_size: float) -> float:
    """Return the usual distance of baselines in body text / its font size."""
    steps = sorted(
        (before.baseline - line.baseline) / line.size
        for page in pages
        for before, line in pairwise(page)
        if 0.8 * line.size < before.baseline - line.baseline < 4 * line.size
        and _rounded(line.size) == _rounded(before.size) == body_size
    )
    # Below the median, so that a document of one-line paragraphs does not become one paragraph.
    return min(steps[len(steps) * 3 // 10], _MAX_LEADING) if steps else 1.2


def _ends_divided(line: Line) -> bool:
    return _word_before_hyphen(line.text).islower()


def group(lines: list[Line], look: Look) -> Iterator[PdfBlock]:
    """Yield the blocks of a page."""
    rows = _table_rows(lines)
    open_lines: list[Line] = []
    for index, line in enumerate(lines):
        if open_lines and (index in rows or _starts_block(open_lines, line, look)):
            yield _classify(open_lines, look)
            open_lines = []
        if index in rows:
            yield PdfBlock(BlockKind.TABLE_ROW, (line,))
        else:
            open_lines.append(line)
    if open_lines:
        yield _classify(open_lines, look)


def join_lines(lines: tuple[Line, ...], look: Look) -> str:
    """Join a block's lines, and the words divided at their ends."""
    pieces: list[str] = []
    for line, following in zip(lines, (*lines[1:], None), strict=True):
        word = _word_before_hyphen(line.text)
        if following is None or not word:
            pieces.append(line.text + " ")
        elif _is_divided_word(word, following.text, look):
            pieces.append(line.text[:-1])
        else:
            pieces.append(line.text[:-1] + "-")
    return "".join(pieces).replace(LINE_END_HYPHEN, "-")


def _word_before_hyphen(text: str) -> str:
    if not text.endswith((LINE_END_HYPHEN, "-")):
        return ""
    found = _LAST_WORD.search(text[-_MAX_WORD_LETTERS - 1 : -1])
    return found[0] if found else ""


def _is_divided_word(first: str, following: str, look: Look) -> bool:
    """Tell whether a hyphen only divides a word; a compound keeps its own."""
    second = _WORD.match(following)
    if second is None or not (first[-1].islower() and second[0][0].islower()):
        return False
    joined = (first + second[0]).lower()
    halves = (first.lower(), second[0].lower())
    are_words = all(len(half) >= _MIN_WORD_LETTERS and half in look.words for half in halves)
    return joined in look.words or (look.divides_words and not are_words)


def _whole_words(text: str) -> list[str]:
    """List a line's words, without those that its borders may have cut."""
    words: list[str] = _WORD.findall(text.lower())
    return words[1:-1]


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _table_rows(lines: list[Line]) -> set[int]:
    """Find consecutive lines whose cells stand below each other."""
    rows: set[int] = set()
    for index, (above, below) in enumerate(pairwise(lines)):
        if _may_be_row(above) and _may_be_row(below) and _are_aligned(above, below):
            rows |= {index, index + 1}
    return rows


def _may_be_row(line: Line) -> bool:
    """Tell whether a line has cells, other than a list's sign that stands apart from its item."""
    first, *others = line.cells
    return len(others) > 1 or (bool(others) and not is_list_item(f"{first.text} {others[0].text}"))


def _are_aligned(above: Line, below: Line) -> bool:
    near = _ALIGNED_EMS * max(above.size, below.size)
    aligned = sum(
        any(
            abs(cell.left - other.left) < near or abs(cell.right - other.right) < near
            for other in above.cells
        )
        for cell in below.cells
    )
    return above.bottom > below.bottom and aligned > 1


def _starts_block(open_lines: list[Line], line: Line, look: Look) -> bool:
    before = open_lines[-1]
    if is_list_item(line.text) and not before.text.endswith(LINE_END_HYPHEN):
        return True
    if abs(line.size - before.size) > 0.12 * max(line.size, before.size):
        # A short line of another size is a superscript or a symbol, not another block.
        return min(len(line.text), len(before.text)) > 2
    if line.is_bold != before.is_bold and not look.is_body_bold and not is_list_item(before.text):
        return True
    step = before.baseline - line.baseline
    if step < -0.5 * line.size:
        return not _reads_on(before.text, line.text)
    if step > _PARAGRAPH_GAP * look.leading * line.size:
        return True
    is_indented = line.left - before.left > _INDENT_EMS * line.size
    return (
        is_indented
        and before.text.endswith((".", "!", "?", ":"))
        and not is_list_item(open_lines[0].text)
    )


def _reads_on(before: str, following: str) -> bool:
    """Tell whether a sentence goes on from the foot of one column at the head of the next."""
    return not before.endswith((".", "!", "?", ":")) and following[:1].islower()


def _classify(lines: list[Line], look: Look) -> PdfBlock:
    block = tuple(lines)
    text = " ".join(line.text for line in lines)
    level = look.heading_level(min(line.size for line in lines))
    has_bullet = is_list_item(text) and not text[0].isdigit()
    if level and not has_bullet and _may_be_heading(text, _MAX_HEADING_CHARACTERS):
        return PdfBlock(BlockKind.HEADING, block, level)
    if is_list_item(text):
        return PdfBlock(BlockKind.LIST_ITEM, block)
    if _is_bold_heading(lines, text, look):
        return PdfBlock(BlockKind.HEADING, block, min(len(look.heading_sizes) + 1, 6))
    return PdfBlock(BlockKind.PARAGRAPH, block)


def _is_bold_heading(lines: list[Line], text: str, look: Look) -> bool:
    return (
        not look.is_body_bold
        and all(line.is_bold and line.size >= 0.95 * look.body_size for line in lines)
        and not text.endswith(":")
        and _may_be_heading(text, _MAX_BOLD_CHARACTERS)
    )


def _may_be_heading(text: str, max_characters: int) -> bool:
    return (
        len(text) <= max_characters
        and not text.endswith((".", ",", ";"))
        and _WORD.search(text) is not None
    )
