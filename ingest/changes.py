"""How one text became another: lines kept, taken out and put in, words marked in those changed."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby, zip_longest

from rapidfuzz.distance import Indel, LCSseq

# Lines alike to at least this degree are one line that was changed, not two.
ALIKE = 0.5
# The effort grows with the square of a line's words.
MAX_COMPARED_CHARACTERS = 4_000
# And with the square of how often a text has one line; one that it has more often is not looked
# for, it only stays where its neighbours stay.
MANY_TIMES = 50
# With the space behind it: otherwise spaces would be what most lines have in common.
_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


class ChangeKind(StrEnum):
    """What became of a line."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a line, and whether the other text has it not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A line as it was and as it is; the side that has no such line is empty."""

    kind: ChangeKind
    before: tuple[Stretch, ...] = ()
    after: tuple[Stretch, ...] = ()


def between(before: str, after: str) -> list[Change]:
    """Compare two texts line by line, in reading order; blank lines are left out."""
    old, new = _lines(before), _lines(after)
    times = Counter(new)
    matcher = SequenceMatcher(lambda line: times[line] > MANY_TIMES, old, new)
    changes: list[Change] = []
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            changes += [_kept(line) for line in old[old_start:old_end]]
        else:
            changes += _replaced(old[old_start:old_end], new[new_start:new_end])
    return changes


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _kept(line: str) -> Change:
    whole = (Stretch(line, marked=False),)
    return Change(ChangeKind.KEPT, whole, whole)


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for before, after in zip_longest(old, new):
        if before is not None and before == after:
            yield _kept(before)
            continue
        if before is not None and after is not None and _alike(before, after):
            yield Change(ChangeKind.CHANGED, *_marked(before, after))
            continue
        if before is not None:
            yield Change(ChangeKind.REMOVED, before=(Stretch(before, marked=True),))
        if after is not None:
            yield Change(ChangeKind.ADDED, after=(Stretch(after, marked=True),))


def _alike(before: str, after: str) -> bool:
    if max(len(before), len(after)) > MAX_COMPARED_CHARACTERS:
        return False
    return Indel.normalized_similarity(_WORD.findall(before), _WORD.findall(after)) >= ALIKE


def _marked(before: str, after: str) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...]]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    equal = [step for step in LCSseq.opcodes(old, new) if step.tag == "equal"]
    return (
        _stretches(old, {place for step in equal for place in range(step.src_start, step.src_end)}),
        _stretches(
            new, {place for step in equal for place in range(step.dest_start, step.dest_end)}
        ),
    )


def _stretches(words: Sequence[str], kept: set[int]) -> tuple[Stretch, ...]:
    return tuple(
        Stretch("".join(words[place] for place in places), marked=not is_kept)
        for is_kept, places in groupby(range(len(words)), kept.__contains__)
    )
