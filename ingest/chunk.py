"""A document's text → passages that join back to it exactly."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument
from ingest.sentences import sentence_spans

# Below this share of the limit a passage goes on over a heading or a page border.
ENOUGH = 0.35
# A header row longer than this is not repeated: it would leave too little room for the rows.
MAX_HEADER_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage before it is stored; offsets are code points in the document's text.

    `table_header` is the first row of the table that the passage begins in the middle of.
    """

    ordinal: int
    heading_path: tuple[str, ...]
    start: int
    end: int
    first_page: int | None
    last_page: int | None
    table_header: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest stretch that is kept whole: a block, or a sentence of a block too long."""

    start: int
    end: int
    tokens: int
    heading_path: tuple[str, ...]
    opens: bool  # a heading or the first text of a page: a good place to begin a passage
    header: "Header | None" = None  # of a row that is not its table's first
    table_tokens: int = 0  # of a table's first row: those of the whole table


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a table."""

    text: str
    tokens: int


TokenOffsets = Callable[[str], Sequence[int]]
"""Start offset of every token of a text."""


def chunk(parsed: ParsedDocument, token_offsets: TokenOffsets, max_tokens: int) -> list[Chunk]:
    """Split a document into passages of at most `max_tokens` tokens.

    Passages begin at headings and page borders where that leaves none too small. Together they
    hold the whole text: `"".join(text[c.start:c.end])` is the document. A table is kept whole where
    it fits, else split between rows; with a header that is repeated a passage keeps to the limit.
    """
    if not parsed.blocks:
        return []
    pieces = list(_pieces(parsed, token_offsets(parsed.text), max_tokens))
    groups = list(_pack(pieces, max_tokens))
    borders = [0, *(group[0].start for group in groups[1:]), len(parsed.text)]
    return [
        _chunk(ordinal, group, start, end, parsed.pages)
        for ordinal, (group, (start, end)) in enumerate(
            zip(groups, pairwise(borders), strict=True), start=1
        )
    ]


def _chunk(
    ordinal: int, group: Sequence[Piece], start: int, end: int, pages: Sequence[PageSpan]
) -> Chunk:
    # Pages are those of the visible text: white space at the borders belongs to no page.
    touched = [p.number for p in pages if p.start < group[-1].end and p.end > group[0].start]
    return Chunk(
        ordinal,
        group[0].heading_path,
        start,
        end,
        touched[0] if touched else None,
        touched[-1] if touched else None,
        group[0].header.text if group[0].header else None,
    )


def _pieces(parsed: ParsedDocument, offsets: Sequence[int], max_tokens: int) -> Iterator[Piece]:
    count = _counter(offsets)
    page_starts = [page.start for page in parsed.pages if page.end > page.start]
    path: list[tuple[int, str]] = []
    rows = _rows(parsed, count)
    for block, opens_page in _with_page_openings(parsed.blocks, page_starts):
        if block.kind is BlockKind.HEADING:
            path = [entry for entry in path if entry[0] < block.level]
            path.append((block.level, " ".join(parsed.text[block.start : block.end].split())))
        piece = Piece(
            block.start,
            block.end,
            count(block.start, block.end),
            tuple(text for _, text in path),
            opens_page or block.kind is BlockKind.HEADING,
            *rows.get(block.start, (None, 0)),
        )
        yield from _split(_with_fitting_header(piece, max_tokens), parsed.text, count, max_tokens)


def _rows(
    parsed: ParsedDocument, count: Callable[[int, int], int]
) -> dict[int, tuple[Header | None, int]]:
    """Return by start of each table row its table's header, or of a first row the table's size."""
    rows: dict[int, tuple[Header | None, int]] = {}
    for table in _tables(parsed):
        first = table[0]
        tokens = count(first.start, first.end)
        header = Header(parsed.text[first.start : first.end], tokens)
        repeated = header if tokens <= MAX_HEADER_TOKENS else None
        rows |= {row.start: (repeated, 0) for row in table[1:]}
        rows[first.start] = (None, count(first.start, table[-1].end))
    return rows


def _tables(parsed: ParsedDocument) -> Iterator[list[Block]]:
    """Yield the rows of each table; between rows of one table there is a single line end."""
    table: list[Block] = []
    for block in parsed.blocks:
        is_row = block.kind is BlockKind.TABLE_ROW
        if table and not (is_row and parsed.text[table[-1].end : block.start] == "\n"):
            yield table
            table = []
        if is_row:
            table.append(block)
    if table:
        yield table


def _with_page_openings(
    blocks: Sequence[Block], page_starts: Sequence[int]
) -> Iterator[tuple[Block, bool]]:
    waiting = list(reversed(page_starts))
    for block in blocks:
        opens = False
        while waiting and waiting[-1] <= block.start:
            waiting.pop()
            opens = True
        yield block, opens


def _with_fitting_header(piece: Piece, max_tokens: int) -> Piece:
    if piece.header and piece.header.tokens + piece.tokens > max_tokens:
        return replace(piece, header=None)
    return piece


def _counter(offsets: Sequence[int]) -> Callable[[int, int], int]:
    def count(start: int, end: int) -> int:
        return bisect_left(offsets, end) - bisect_left(offsets, start)

    return count


def _split(
    piece: Piece, text: str, count: Callable[[int, int], int], max_tokens: int
) -> Iterator[Piece]:
    """Split a piece over the limit at sentences, and a sentence over the limit at words."""
    if piece.tokens <= max_tokens:
        yield piece
        return
    spans = [
        (piece.start + start, piece.start + end)
        for start, end in sentence_spans(text[piece.start : piece.end])
    ]
    for index, (start, end) in enumerate(spans):
        for part_start, part_end in _fit(text, start, end, count, max_tokens):
            yield replace(
                piece,
                start=part_start,
                end=part_end,
                tokens=count(part_start, part_end),
                opens=piece.opens and index == 0 and part_start == start,
            )


def _fit(
    text: str, start: int, end: int, count: Callable[[int, int], int], max_tokens: int
) -> Iterator[tuple[int, int]]:
    while count(start, end) > max_tokens:
        cut = _last_cut(text, start, end, count, max_tokens)
        yield start, cut
        start = cut
    yield start, end


def _last_cut(
    text: str, start: int, end: int, count: Callable[[int, int], int], max_tokens: int
) -> int:
    low, high = start + 1, end
    while low < high:
        middle = (low + high + 1) // 2
        if count(start, middle) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    space = max(text.rfind(" ", start + 1, low), text.rfind("\n", start + 1, low))
    return space + 1 if space > start else low


def _pack(pieces: Sequence[Piece], max_tokens: int) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    tokens = 0
    for piece in pieces:
        full = tokens + piece.tokens > max_tokens
        # A table that fits into a passage of its own is not begun at the end of another.
        fits_alone = tokens + piece.table_tokens > max_tokens >= piece.table_tokens
        fresh_start = (piece.opens or fits_alone) and tokens >= ENOUGH * max_tokens
        if group and (full or fresh_start):
            moves = full or fits_alone
            kept = _trailing_headings(group, piece, max_tokens) if moves else 0
            yield group[: len(group) - kept]
            group = group[len(group) - kept :]
            tokens = sum(earlier.tokens for earlier in group)
        if not group and piece.header:
            tokens = piece.header.tokens
        group.append(piece)
        tokens += piece.tokens
    if group:
        yield group


def _trailing_headings(group: Sequence[Piece], following: Piece, max_tokens: int) -> int:
    """Count the pieces at the end of a full group that introduce what follows, at most two."""
    kept, tokens = 0, following.tokens
    for earlier in reversed(group[1:]):
        tokens += earlier.tokens
        is_heading = earlier.opens and earlier.tokens <= 40
        if kept == 2 or not is_heading or following.opens or tokens > max_tokens:
            break
        kept += 1
    return kept
