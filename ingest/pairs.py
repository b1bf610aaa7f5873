"""Passages of two documents that resemble each other → what is wrong between the two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from ingest.figures import Statement, alike, products_in, statements

# Of 100: two passages are the same text but for a few words.
MIN_SAME_TEXT = 90


@dataclass(frozen=True, slots=True)
class Text:
    """A passage as it is compared: `start` counts in the document, statements in the passage."""

    start: int
    text: str
    products: frozenset[str]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a document; `start` counts in the document's text."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Return the offset behind the last character."""
        return self.start + len(self.text)


Texts = Sequence[tuple[Text, Text]]
Stretches = tuple[Stretch, Stretch]


def read_text(start: int, text: str, context: str) -> Text:
    """Read a passage; title and headings, its context, tell what it is about."""
    return Text(start, text, products_in(context), tuple(statements(text)))


def repeated(texts: Texts) -> list[tuple[Text, Text]]:
    """Return the pairs of passages that are the same text, in the first document's order."""
    same = [
        (one, other)
        for one, other in texts
        if fuzz.ratio(one.text.strip(), other.text.strip(), score_cutoff=MIN_SAME_TEXT)
    ]
    return sorted(same, key=lambda pair: (pair[0].start, pair[1].start))


def conflicts(texts: Texts) -> Iterator[Stretches]:
    """Yield sentences that say the same with different figures, each sentence once.

    A sentence whose like stands in the other document with equal figures contradicts nothing:
    that document tells two cases apart.
    """
    meetings = list(_meetings(texts))
    done = {side for one, other, is_equal in meetings if is_equal for side in _sides(one, other)}
    for one, other, _ in meetings:
        if done.isdisjoint(_sides(one, other)):
            done.update(_sides(one, other))
            yield one, other


def _sides(one: Stretch, other: Stretch) -> tuple[tuple[int, str], tuple[int, str]]:
    return (1, one.text), (2, other.text)


def _meetings(texts: Texts) -> Iterator[tuple[Stretch, Stretch, bool]]:
    """Yield the sentences that say the same, and whether with equal figures."""
    for one, other in sorted(texts, key=lambda pair: (pair[0].start, pair[1].start)):
        if not _are_about_one_thing(one, other):
            continue
        for ours in one.statements:
            for theirs in other.statements:
                if alike(ours, theirs):
                    is_equal = ours.values == theirs.values
                    yield _stretch(one, ours), _stretch(other, theirs), is_equal


def _are_about_one_thing(one: Text, other: Text) -> bool:
    if not one.products or not other.products:
        return True
    return not one.products.isdisjoint(other.products)


def _stretch(text: Text, statement: Statement) -> Stretch:
    return Stretch(text.start + statement.start, text.text[statement.start : statement.end])
