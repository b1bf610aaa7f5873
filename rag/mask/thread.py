"""A thread's texts → the same without personal data, one placeholder for one value throughout."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.mask import accounts, births, online, people, phones, postal
from rag.mask.finds import Find, Kind, Sureness, settle
from rag.mask.masking import PLACEHOLDER, Issue, Masking, is_bare, is_placeholder

FINDERS = (online.find, accounts.find, phones.find, births.find, postal.find)


@dataclass(frozen=True, slots=True)
class Masked:
    """The texts with placeholders, in the order given, and what the placeholders stand for."""

    texts: tuple[str, ...] = field(repr=False)
    masking: Masking


def mask(
    texts: Sequence[str],
    known: Masking | None = None,
    *,
    names: Sequence[str] = (),
    references: Sequence[str] = (),
) -> Masked:
    """Mask the personal data of a thread.

    A name that one text gives away is masked in all of them, so pass the whole thread at once.

    Args:
        texts: Subject and messages, as plain text: mask first, escape afterwards.
        known: Of an earlier call; its placeholders go on standing for the same values.
        names: Persons known to write in the thread.
        references: Numbers of customers, orders or devices that are to be masked as well.
    """
    known = known or Masking()
    issue = Issue(known)
    people_known = [*names, *_names_of(known)]
    found = find(texts, names=people_known, references=references)
    replaced = tuple(issue.replaced(text, finds) for text, finds in zip(texts, found, strict=True))
    return Masked(replaced, issue.masking())


def find(
    texts: Sequence[str], *, names: Sequence[str] = (), references: Sequence[str] = ()
) -> list[list[Find]]:
    """Return what of each text is personal, in order and without overlaps."""
    given = people.parts(names)
    first = [list(people.find(text, given)) for text in texts]
    said = {
        text[one.start : one.end] for text, finds in zip(texts, first, strict=True) for one in finds
    }
    mentioned = given | people.parts(said)
    return [settle(text, _all(text, mentioned, references)) for text in texts]


def _all(text: str, mentioned: frozenset[str], references: Sequence[str]) -> list[Find]:
    finds = [*people.find(text, mentioned), *_given(text, references)]
    for finder in FINDERS:
        finds += finder(text)
    return finds + list(_literals(text, {find.end for find in finds}))


def _literals(text: str, ends: set[int]) -> Iterator[Find]:
    for match in PLACEHOLDER.finditer(text):
        # A mask in front of it would make a placeholder of the end of a word.
        if is_placeholder(match) or (is_bare(match) and match.start() in ends):
            yield Find(*match.span(), Kind.LITERAL, Sureness.GIVEN)


def _given(text: str, references: Iterable[str]) -> Iterator[Find]:
    for reference in filter(None, map(str.strip, references)):
        for match in re.finditer(rf"(?<!\w){re.escape(reference)}(?!\w)", text, re.IGNORECASE):
            yield Find(*match.span(), Kind.REFERENCE, Sureness.GIVEN)


def _names_of(known: Masking) -> list[str]:
    return [
        value for placeholder, value in known.values.items() if placeholder.startswith("<NAME_")
    ]
