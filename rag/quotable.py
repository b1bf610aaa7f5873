"""A passage → what may be quoted of it: sentences, procedures, rows with their columns' names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.sentences import sentence_spans

MIN_WORDS, MAX_WORDS = 5, 60
# Longer procedures are a chapter to be opened, not a letter.
MAX_STEPS = 9
CELL = "|"
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")
_STEP = re.compile(r"^\s*\d{1,2}[.)]\s+")
_BULLET = re.compile(r"^\s*[-*•]\s+")
_NUMBER = re.compile(r"^(?:\d+\.)+\d*\s+")
_ENDINGS = (".", "!", "…", ".)", "”", "»", '."')
# They say of whom only in the sentence before.
_POINTS_BACK = re.compile(
    r"(?:it|its|they|their|them|this|these|that|those|he|she|both|such|otherwise|then|also|however|but"
    r"|es|er|dies\w{0,2}|damit|dazu|dort|danach|sonst|beide"
    r"|elles?|ils|cela|ceci|ces|cette|celle|sinon|ensuite"
    r"|ess[oai]|quest[oaei]|ciò|altrimenti|poi"
    r"|est[oae]s?|ello|luego|después"
    r"|deze|dit|dat|daarna|anders)\b",
    re.IGNORECASE,
)

# What a page says of itself, or of another one, is no answer once it is quoted elsewhere.
_OF_PAGES = re.compile(
    r"\b(?:(?:this|the following) (?:article|page|guide|section|chapter|document|manual|tutorial)"
    r"|(?:over|click|read|see) here"
    r"|dieser? (?:artikel|seite|anleitung|abschnitt|kapitel|handbuch)"
    r"|(?:cet article|cette page|ce (?:guide|manuel|chapitre|document))"
    r"|quest[oa] (?:articolo|pagina|guida|manuale)|est[ea] (?:artículo|página|guía|manual)"
    r"|(?:dit artikel|deze (?:pagina|handleiding)))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Something that can be quoted by itself.

    `lines` stand one under the other, each as its source has it; `heading` is what they stand
    under. `label` is the first cell of a row, None where it is none.
    """

    lines: tuple[str, ...]
    heading: str
    position: int
    label: str | None = None

    @property
    def adds_names(self) -> bool:
        """Tell whether names stand in it that its place has not: those of columns, or a heading."""
        return self.label is not None or self.text.startswith(f"{self.heading}: ")

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return " ".join(self.lines)


def quotes(text: str, heading: str = "", header: str | None = None) -> Iterator[Quote]:
    """Yield what may be quoted of a text, in its order: no headings, fragments or contents.

    Args:
        text: A passage.
        heading: What the passage stands under.
        header: The names of the columns, where the text begins with rows of a table.
    """
    start = 0
    for end, following in [*(gap.span() for gap in _BLANK_LINE.finditer(text)), (len(text),) * 2]:
        block = text[start:end].rstrip()
        if CELL in block:
            yield from _rows(block, heading, start, header if start == 0 else None)
        elif _is_heading(block):
            heading = _NUMBER.sub("", " ".join(block.split()))
        elif _STEP.match(block):
            yield from _steps(block, heading, start)
        else:
            yield from _sentences(block, heading, start)
        start = following


def _is_heading(block: str) -> bool:
    return bool(block) and "\n" not in block and not block.endswith((*_ENDINGS, ":", ";", "?"))


def _sentences(block: str, heading: str, offset: int) -> Iterator[Quote]:
    before = ""
    for start, end in sentence_spans(block):
        raw = " ".join(block[start:end].split())
        # A number before a sentence is what a page break has left of another.
        text = _NUMBER.sub("", _BULLET.sub("", raw))
        if not _is_whole(text):
            before = ""
            continue
        lines: tuple[str, ...] = (text,)
        if _BULLET.match(raw) and heading:
            # An item of a list may be what is not the case: its heading says so.
            lines = (f"{heading}: {text}",)
        elif before and _POINTS_BACK.match(text):
            lines = (before, text)
        yield Quote(lines, heading, offset + start)
        before = text


def _steps(block: str, heading: str, offset: int) -> Iterator[Quote]:
    """Yield a procedure as a whole: a step alone is seldom an answer."""
    steps: list[str] = []
    for line in block.splitlines():
        if _STEP.match(line) or not steps:
            steps.append(" ".join(line.split()))
        else:
            steps[-1] += " " + " ".join(line.split())
    if len(steps) == 1:
        yield from _sentences(_STEP.sub("", block), heading, offset)
    elif len(steps) <= MAX_STEPS and all(step.endswith(_ENDINGS) for step in steps):
        yield Quote(tuple(steps), heading, offset)


def _rows(block: str, heading: str, offset: int, header: str | None) -> Iterator[Quote]:
    """Yield the rows of a table, each cell with the name of its column."""
    lines = [line for line in block.splitlines() if line.strip()]
    if header is None:
        header, *lines = lines
    names = _cells(header)
    for line in lines:
        cells = _cells(line)
        if len(cells) == len(names) and len(line.split()) <= MAX_WORDS:
            pairs = [f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell]
            yield Quote(("; ".join(pairs) + ".",), heading, offset + block.index(line), cells[0])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(CELL)]


def _is_whole(text: str) -> bool:
    """Tell a sentence that stands by itself from a fragment, a table and a word about pages."""
    is_sentence = MIN_WORDS <= len(text.split()) <= MAX_WORDS and text.endswith(_ENDINGS)
    return is_sentence and not _OF_PAGES.search(text)
