"""What was found in a text, and which find counts where two overlap."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What a masked value is; its placeholder says so."""

    NAME = "NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    BIRTH = "BIRTH"
    CARD = "CARD"
    IBAN = "IBAN"
    ID = "ID"
    KEY = "KEY"
    LOGIN = "LOGIN"
    IP = "IP"
    REFERENCE = "REFERENCE"
    # What the customer wrote and looks like one of our placeholders.
    LITERAL = "LITERAL"


class Sureness(IntEnum):
    """How far a find can be trusted."""

    LISTED = 0
    IN_CONTEXT = 1
    SHAPED = 2
    CHECKED = 3
    GIVEN = 4


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """A stretch of a text that is to be masked; it holds no text itself."""

    start: int
    end: int
    kind: Kind
    sureness: Sureness


def settle(text: str, finds: Iterable[Find]) -> list[Find]:
    """Return finds that do not overlap, in the order of the text.

    The longest wins, then the surer; what stands out of a loser is masked as what it was found to
    be, so that no half of a value stays.
    """
    taken = bytearray(len(text))
    kept = []
    for find in sorted(finds, key=lambda find: (find.start - find.end, -find.sureness, find)):
        for start, end in _free(taken, find.start, find.end):
            taken[start:end] = b"\x01" * (end - start)
            if any(character.isalnum() for character in text[start:end]):
                kept.append(Find(start, end, find.kind, find.sureness))
    return sorted(kept)


def _free(taken: bytearray, start: int, end: int) -> list[tuple[int, int]]:
    free = []
    while (first := taken.find(0, start, end)) >= 0:
        last = taken.find(1, first, end)
        start = end if last < 0 else last
        free.append((first, start))
    return free
