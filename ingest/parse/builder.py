"""Assembles a document's text and the offsets of its blocks and pages."""

from collections.abc import Iterable

from ingest.guard import hidden
from ingest.parse.clean import clean, one_line, reflow
from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument, Word

# Only whether it is an attack is asked of it.
_MAX_HIDDEN, _MAX_HIDDEN_CHARACTERS = 200, 2_000
_CLOSE_TOGETHER = frozenset({BlockKind.LIST_ITEM, BlockKind.TABLE_ROW})


class DocumentBuilder:
    """Takes raw pieces in reading order; cleans each before its offsets are counted."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._first_blocks: list[int] = []  # of each page: the number of blocks before it
        self._words: list[list[Word]] = []  # of each page
        self._group_ended = True
        self._hidden: dict[str, None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing visible was added."""
        return not self._blocks

    def add(self, kind: BlockKind, raw: str, level: int = 0) -> bool:
        """Append a block; tell whether it has visible text, else it is left out."""
        if any(hidden.find(raw)):
            self.hide(raw)
        text = clean(raw)
        text = text.strip("\n").rstrip() if kind is BlockKind.CODE else reflow(text)
        if kind is BlockKind.HEADING:
            text = one_line(text)
        if not text.strip():
            return False
        self._append(self._separator(kind))
        start = self._length
        self._append(text)
        self._blocks.append(Block(kind, start, self._length, max(1, level) if level else 0))
        self._group_ended = False
        return True

    def add_row(self, cells: list[str]) -> bool:
        """Append a table row; empty cells keep their place, except at the end."""
        for cell in cells:
            if any(hidden.find(cell)):
                self.hide(cell)
        texts = [one_line(clean(cell)) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        return self.add(BlockKind.TABLE_ROW, " | ".join(texts))

    def hide(self, raw: str) -> None:
        """Note a text that the file holds and does not show; it is no part of the document."""
        if raw.strip() and len(self._hidden) < _MAX_HIDDEN:
            self._hidden[raw[:_MAX_HIDDEN_CHARACTERS].strip()] = None

    @property
    def last_text(self) -> tuple[str, int]:
        """The text of the last block and its offset."""
        return self._pieces[-1], self._blocks[-1].start

    def place(self, words: Iterable[Word]) -> None:
        """Say where the page shows the words of the last block."""
        self._words[-1].extend(words)

    def end_group(self) -> None:
        """Close a list or table: the next item or row starts another one."""
        self._group_ended = True

    def start_page(self) -> None:
        """Let what follows belong to the next page."""
        self._first_blocks.append(len(self._blocks))
        self._words.append([])
        self._group_ended = True

    def first_heading(self) -> str | None:
        """Return the text of the first heading."""
        headings = self._headings()
        return self._text(headings[0]) if headings else None

    def title_heading(self) -> str | None:
        """Return the heading that names all of the document.

        It is the first block, or the only heading of its level and above.
        """
        headings = self._headings()
        if not headings:
            return None
        if self._blocks[0] is headings[0]:
            return self._text(headings[0])
        highest = min(block.level for block in headings)
        top = [block for block in headings if block.level == highest]
        return self._text(top[0]) if len(top) == 1 else None

    def _headings(self) -> list[Block]:
        return [block for block in self._blocks if block.kind is BlockKind.HEADING]

    def _text(self, block: Block) -> str:
        return "".join(self._pieces)[block.start : block.end]

    def build(
        self, title: str, media_type: str, parser: str, unread_pages: Iterable[int] = ()
    ) -> ParsedDocument:
        """Return the document."""
        return ParsedDocument(
            title,
            "".join(self._pieces),
            tuple(self._blocks),
            self._pages(),
            media_type,
            parser,
            tuple(unread_pages),
            tuple(self._hidden),
        )

    def _pages(self) -> tuple[PageSpan, ...]:
        starts = [
            self._blocks[first].start if first < len(self._blocks) else self._length
            for first in self._first_blocks
        ]
        if starts:
            starts[0] = 0
        ends = [*starts[1:], self._length]
        return tuple(
            PageSpan(number, start, end, tuple(words))
            for number, (start, end, words) in enumerate(
                zip(starts, ends, self._words, strict=False), start=1
            )
        )

    def _separator(self, kind: BlockKind) -> str:
        if not self._blocks:
            return ""
        follows = self._blocks[-1].kind is kind and kind in _CLOSE_TOGETHER
        return "\n" if follows and not self._group_ended else "\n\n"

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)
