"""Where a page shows its words: kept in few bytes, and as rectangles to highlight."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ingest.parse.parsed import Word

_VERSION = b"\x01"
_STEPS = 10_000  # of a page's width or height
_WORD_BYTES = struct.calcsize("<2I4H")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in shares of the shown page, from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


def pack(words: Sequence[Word]) -> bytes:
    """Write words in few bytes; the first names the layout, so that others may follow."""
    starts = [0, *(word.start for word in words)]
    columns = [
        [after - before for before, after in pairwise(starts)],
        [word.end - word.start for word in words],
        *([round(getattr(word, side) * _STEPS) for word in words] for side in Box.__slots__),
    ]
    numbers = [number for column in columns for number in column]
    return _VERSION + zlib.compress(struct.pack(_layout(len(words)), *numbers))


def unpack(packed: bytes) -> tuple[Word, ...]:
    """Read what `pack` wrote.

    Raises:
        ValueError: It is of another version, or damaged.
    """
    if packed[:1] != _VERSION:
        raise ValueError("these places were written by another version")
    try:
        content = zlib.decompress(packed[1:])
        count = len(content) // _WORD_BYTES
        numbers = struct.unpack(_layout(count), content)
    except (zlib.error, struct.error) as error:
        raise ValueError("these places are damaged") from error
    gaps, lengths, *sides = (numbers[column * count :][:count] for column in range(6))
    return tuple(
        Word(start, start + length, *(side / _STEPS for side in place))
        for start, length, *place in zip(accumulate(gaps), lengths, *sides, strict=True)
    )


def boxes(words: Iterable[Word], start: int, end: int) -> list[Box]:
    """Return the rectangles of the text from `start` to `end`, one for each line of a page's words.

    Of a word that is only partly inside, its share of characters.
    """
    found: list[Box] = []
    before: Word | None = None
    for word in words:
        if max(word.start, start) < min(word.end, end):
            box = _part(word, start, end)
            if before and _on_one_line(before, word):
                found[-1] = _around(found[-1], box)
            else:
                found.append(box)
            before = word
    return found


def _layout(count: int) -> str:
    return f"<{2 * count}I{4 * count}H"


def _part(word: Word, start: int, end: int) -> Box:
    box = Box(word.left, word.top, word.right, word.bottom)
    width, characters = word.right - word.left, word.end - word.start
    if start > word.start:
        box = replace(box, left=word.left + width * (start - word.start) / characters)
    if end < word.end:
        box = replace(box, right=word.right - width * (word.end - end) / characters)
    return box


def _on_one_line(before: Word, word: Word) -> bool:
    """Tell whether two words that follow each other stand beside each other."""
    overlap = min(before.bottom, word.bottom) - max(before.top, word.top)
    lower = min(before.bottom - before.top, word.bottom - word.top)
    return overlap > lower / 2


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
