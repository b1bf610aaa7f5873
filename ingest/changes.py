"""How one text became another: lines kept, taken out and put in, words marked in those changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

# Lines alike to at least this degree are one line that was changed, not two.
ALIKE = 0.5
# The effort grows with the square of a line's words.
MAX_COMPARED_CHARACTERS = 4_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


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
    matcher = SequenceMatcher(None, old, new)
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
    matcher = SequenceMatcher(None, _WORD.findall(before), _WORD.findall(after), autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _marked(before: str, after: str) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...]]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[Stretch] = []
    right: list[Stretch] = []
    for kind, *borders in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        old_start, old_end, new_start, new_end = borders
        marked = kind != "equal"
        if old_start < old_end:
            left.append(Stretch("".join(old[old_start:old_end]), marked))
        if new_start < new_end:
            right.append(Stretch("".join(new[new_start:new_end]), marked))
    return tuple(left), tuple(right)
