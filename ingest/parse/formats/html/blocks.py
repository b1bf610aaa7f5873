"""Turns the elements of a page, in order, into blocks."""

import re

from ingest.parse.builder import DocumentBuilder
from ingest.parse.parsed import BlockKind

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_TAGS = frozenset(
    {"address", "article", "aside", "body", "details", "dialog", "div", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "header", "hgroup", "legend", "main", "nav", "section"}
    | {"blockquote", "center", "dd", "dl", "dt", "hr", "li", "ol", "p", "pre", "summary", "ul"}
    | {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
    | set(_HEADINGS)
)
_CELLS = frozenset({"td", "th"})
_LISTS = frozenset({"ul", "ol"})
_WHITESPACE = re.compile(r"\s+")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


class BlockWriter:
    """Keeps what is open (headings, lists, tables) and the text since the last border."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._pending: list[str] = []
        self._heading = 0
        self._preformatted = 0
        self._items = 0
        self._lists: list[int | None] = []  # the next number of each open list; None: bullets
        self._marker = ""
        self._data_tables: list[bool] = []
        self._row: list[str] = []

    def text(self, text: str) -> None:
        """Take a text node."""
        self._pending.append(text if self._preformatted else _WHITESPACE.sub(" ", text))

    def enter(self, tag: str, number: int | None = None) -> None:
        """Open an element; `number` is where a list starts or an item's own number."""
        if tag == "br":
            self._pending.append("\n")
        if tag not in BLOCK_TAGS:
            return
        self._border()
        if tag == "li":
            self._enter_item(number)
        elif tag in _LISTS:
            self._lists.append((1 if number is None else number) if tag == "ol" else None)
        elif tag == "pre":
            self._preformatted += 1
        elif tag in _HEADINGS:
            self._heading = _HEADINGS[tag]

    def enter_table(self, *, is_data: bool) -> None:
        """Open a table; one that only lays out the page is read as ordinary blocks."""
        self._border()
        self._data_tables.append(is_data)
        self._builder.end_group()

    def leave(self, tag: str) -> None:
        """Close an element."""
        if tag not in BLOCK_TAGS:
            return
        if self._in_data_table():
            self._leave_in_table(tag)
        self._border()
        self._close(tag)

    def finish(self) -> None:
        """Write what is left."""
        self._data_tables.clear()
        self._border()

    def _close(self, tag: str) -> None:
        if tag == "li":
            self._items = max(0, self._items - 1)
            self._marker = ""
        elif tag in _LISTS and self._lists:
            self._lists.pop()
            if not self._lists:
                self._builder.end_group()
        elif tag == "pre":
            self._preformatted -= 1
        elif tag in _HEADINGS:
            self._heading = 0
        elif tag == "table":
            self._data_tables.pop()
            self._builder.end_group()

    def _enter_item(self, number: int | None) -> None:
        self._items += 1
        following = self._lists[-1] if self._lists else None
        if following is None:
            self._marker = ""
            return
        value = following if number is None else number
        self._lists[-1] = value + 1
        self._marker = f"{value}. "

    def _leave_in_table(self, tag: str) -> None:
        if tag in _CELLS:
            self._row.append("".join(self._pending))
            self._pending.clear()
        elif tag == "tr":
            self._builder.add_row(self._row)
            self._row = []
        elif tag == "caption":
            self._builder.add(BlockKind.PARAGRAPH, "".join(self._pending))
            self._pending.clear()

    def _in_data_table(self) -> bool:
        return bool(self._data_tables) and self._data_tables[-1]

    def _border(self) -> None:
        """End the current block; inside a cell, borders are only blanks."""
        if self._in_data_table():
            self._pending.append(" ")
            return
        text = "".join(self._pending)
        self._pending.clear()
        if text.strip():
            self._emit(text)

    def _emit(self, text: str) -> None:
        if self._preformatted:
            self._builder.add(BlockKind.CODE, text)
        elif self._heading:
            self._builder.add(BlockKind.HEADING, text.rstrip("¶ \n"), self._heading)
        elif self._items:
            self._builder.add(BlockKind.LIST_ITEM, self._marker + text.strip())
            self._marker = ""
        else:
            for paragraph in _EMPTY_LINE.split(text):
                self._builder.add(BlockKind.PARAGRAPH, paragraph)
