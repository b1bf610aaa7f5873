"""What every parser returns."""

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """The role of a stretch of text in its document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that belongs together; offsets are code points in `ParsedDocument.text`."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0  # of a heading, from 1


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The text of one page; pages count from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text with its structure.

    Blocks are in order, do not overlap and together hold every visible character. Pages are in
    order and cover the text without gaps; formats without pages have none.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[PageSpan, ...]
    media_type: str
    parser: str
