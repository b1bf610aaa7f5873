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
class Word:
    """A word and the rectangle in which its page shows it; offsets as a block's.

    The rectangle is in shares of the shown page, from its upper left corner, to four decimals.
    """

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The text of one page; pages count from 1, words are ordered by where they start."""

    number: int
    start: int
    end: int
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text with its structure.

    Blocks are in order, do not overlap and together hold every visible character. Pages are in
    order and cover the text without gaps; formats without pages have none. Unread pages are
    pictures of text that nobody could read; they have a number and no text. `hidden` is what the
    file holds and does not show, and no part of the text.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[PageSpan, ...]
    media_type: str
    parser: str
    unread_pages: tuple[int, ...] = ()
    hidden: tuple[str, ...] = ()
