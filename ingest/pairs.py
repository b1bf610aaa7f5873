"""Passages of two documents that resemble each other → what is wrong between the two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz

from ingest.figures import Statement, agreement, products_in, statements

# Of 100: two passages are the same text but for a few words.
MIN_SAME_TEXT = 90
# The cosine from which two passages are about the same.
CLOSE = 0.80


# Without slots: what is read of it is kept in it.
@dataclass(frozen=True)
class Text:
    """A passage as it is compared; `context` is its title and headings, `start` its place."""

    start: int
    text: str
    context: str

    @cached_property
    def products(self) -> frozenset[str]:
        """Return the products that the passage is about, as far as its context tells."""
        return products_in(self.context)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Return what the passage states with figures; offsets count in the passage."""
        return tuple(statements(self.text))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a document; `start` counts in the document's text."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Return the offset behind the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two passages of two documents that resemble each other; `score` is their cosine."""

    one: Text
    other: Text
    score: float


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two sentences that say the same of the same names, of one row's cells the column's too."""

    one: Stretch
    other: Stretch
    names: tuple[str, ...]
    is_equal: bool

    @property
    def claims(self) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
        return (1, self.one.text, self.names), (2, self.other.text, self.names)


Meetings = Sequence[Meeting]
Stretches = tuple[Stretch, Stretch]


def repeated(meetings: Meetings) -> list[Meeting]:
    """Return those of the meetings whose passages are the same text, in reading order."""
    same = [
        meeting
        for meeting in meetings
        if meeting.score >= CLOSE
        and fuzz.ratio(
            meeting.one.text.strip(), meeting.other.text.strip(), score_cutoff=MIN_SAME_TEXT
        )
    ]
    return sorted(same, key=_place)


def conflicts(meetings: Meetings) -> Iterator[Stretches]:
    """Yield sentences that say the same with different figures, each sentence once.

    A sentence whose like stands in the other document with equal figures contradicts nothing:
    that document tells two cases apart.
    """
    compared = [found for meeting in sorted(meetings, key=_place) for found in _compared(meeting)]
    agreed = {claim for found in compared if found.is_equal for claim in found.claims}
    told: set[tuple[int, str]] = set()
    for found in compared:
        sides = (1, found.one.text), (2, found.other.text)
        if agreed.isdisjoint(found.claims) and told.isdisjoint(sides):
            told.update(sides)
            yield found.one, found.other


def _place(meeting: Meeting) -> tuple[int, int]:
    return meeting.one.start, meeting.other.start


def _compared(meeting: Meeting) -> Iterator[_Compared]:
    """Yield the sentences that say the same."""
    one, other = meeting.one, meeting.other
    # Most passages state no figures: then the other one is not read at all.
    if not one.statements or not _are_about_one_thing(one, other):
        return
    for ours in one.statements:
        for theirs in other.statements:
            if meeting.score < CLOSE and not (ours.stands_alone and theirs.stands_alone):
                continue
            if (is_equal := agreement(ours, theirs)) is not None:
                stretches = _stretch(one, ours), _stretch(other, theirs)
                yield _Compared(*stretches, ours.names, is_equal)


def _are_about_one_thing(one: Text, other: Text) -> bool:
    if not one.products or not other.products:
        return True
    return not one.products.isdisjoint(other.products)


def _stretch(text: Text, statement: Statement) -> Stretch:
    return Stretch(text.start + statement.start, text.text[statement.start : statement.end])
