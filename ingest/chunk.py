"""A document's text → passages that join back to it exactly."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument
from ingest.sentences import sentence_spans

# Below this share of the limit a passage goes on over a heading or a page border.
ENOUGH = 0.35


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage before it is stored; offsets are code points in the document's text."""

    ordinal: int
    heading_path: tuple[str, ...]
    start: int
    end: int
    first_page: int | None
    last_page: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest stretch that is kept whole: a block, or a sentence of a block too long."""

    start: int
    end: int
    tokens: int
    heading_path: tuple[str, ...]
    opens: bool  # a heading or the first text of a page: a good place to begin a passage


TokenOffsets = Callable[[str], Sequence[int]]
"""Start offset of every token of a text."""


def chunk(parsed: ParsedDocument, token_offsets: TokenOffsets, max_tokens: int) -> list[Chunk]:
    """Split a document into passages of at most `max_tokens` tokens.

    Passages begin at headings and page borders where that leaves none too small. Together they
    hold the whole text: `"".join(text[c.start:c.end])` is the document.
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
    )


def _pieces(parsed: ParsedDocument, offsets: Sequence[int], max_tokens: int) -> Iterator[Piece]:
    count = _counter(offsets)
    page_starts = [page.start for page in parsed.pages if page.end > page.start]
    path: list[tuple[int, str]] = []
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
        )
        yield from _split(piece, parsed.text, count, max_tokens)


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
        fresh_start = piece.opens and tokens >= ENOUGH * max_tokens
        if group and (full or fresh_start):
            kept = _trailing_headings(group, piece, max_tokens) if full else 0
            yield group[: len(group) - kept]
            group = group[len(group) - kept :]
            tokens = sum(earlier.tokens for earlier in group)
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
