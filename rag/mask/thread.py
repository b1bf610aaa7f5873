"""A thread's texts → the same without personal data, one placeholder for one value throughout."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rag.mask import accounts, births, online, people, phones, postal
from rag.mask.finds import Find, Kind, Sureness, settle
from rag.mask.masking import PLACEHOLDER, Issue, Masking, is_bare, is_placeholder

FINDERS = (online.find, accounts.find, phones.find, births.find, postal.find)

# So many values are looked for again where nothing announces them, if they are not too short.
MAX_REPEATED, MIN_REPEATED = 100, 4


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

    What one text gives away is masked in all of them, so pass the whole thread at once.

    Args:
        texts: Subject and messages, as plain text: mask first, escape afterwards.
        known: Of an earlier call; its placeholders go on standing for the same values.
        names: Persons known to write in the thread.
        references: Numbers of customers, orders or devices that are to be masked as well.
    """
    known = known or Masking()
    said = dict.fromkeys(references, Kind.REFERENCE) | known.kinds()
    people_known = [*names, *(value for value, kind in said.items() if kind == Kind.NAME)]
    issue = Issue(known)
    found = find(texts, names=people_known, said=said)
    replaced = tuple(issue.replaced(text, finds) for text, finds in zip(texts, found, strict=True))
    return Masked(replaced, issue.masking())


def find(
    texts: Sequence[str], *, names: Sequence[str] = (), said: Mapping[str, Kind] | None = None
) -> list[list[Find]]:
    """Return what of each text is personal, in order and without overlaps.

    What is `said` to be personal is found wherever it stands.
    """
    known = _name_parts(texts, names)
    finds = [_shaped(text, known) for text in texts]
    repeated = _in_context(texts, finds) | dict(said or {})
    return [
        settle(text, _with_literals(text, [*own, *_repeated(text, repeated)]))
        for text, own in zip(texts, finds, strict=True)
    ]


def _name_parts(texts: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    given = people.parts(names)
    said = {text[one.start : one.end] for text in texts for one in people.find(text, given)}
    # What also stands in small letters is a word.
    return given | (people.parts(said) - people.small_words(texts))


def _shaped(text: str, known: frozenset[str]) -> list[Find]:
    return [*people.find(text, known), *(find for finder in FINDERS for find in finder(text))]


def _in_context(texts: Sequence[str], finds: Sequence[Sequence[Find]]) -> dict[str, Kind]:
    """Return values that only the words before them gave away."""
    values = (
        (text[one.start : one.end], one.kind)
        for text, own in zip(texts, finds, strict=True)
        for one in own
        if one.sureness == Sureness.IN_CONTEXT and one.kind != Kind.NAME
    )
    return dict(islice(values, MAX_REPEATED))


def _repeated(text: str, values: Mapping[str, Kind]) -> Iterator[Find]:
    for value, kind in values.items():
        if len(value.strip()) >= MIN_REPEATED and kind not in {Kind.NAME, Kind.LITERAL}:
            whole = re.compile(rf"(?<!\w){re.escape(value.strip())}(?!\w)", re.IGNORECASE)
            for match in whole.finditer(text):
                yield Find(*match.span(), kind, Sureness.GIVEN)


def _with_literals(text: str, finds: list[Find]) -> list[Find]:
    """Add what looks like a placeholder of ours, or would behind a mask."""
    ends = {find.end for find in finds}
    for match in PLACEHOLDER.finditer(text):
        if is_placeholder(match) or (is_bare(match) and match.start() in ends):
            finds.append(Find(*match.span(), Kind.LITERAL, Sureness.GIVEN))
            ends.add(match.end())
    return finds
