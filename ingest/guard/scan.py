"""One text, all signs."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.guard import hidden, phrases
from ingest.guard.signs import Sign

# A mail may have a mailbox pasted into it: the time that a scan takes is bounded.
MAX_CHARACTERS = 200_000


def scan(text: str) -> list[Sign]:
    """Return what is suspicious in a text, in order; signs that overlap are one, of the first kind.

    What hides in a sign, such as text in tags, stays its own.
    """
    kept: list[Sign] = []
    for sign in sorted(set(_signs(text[:MAX_CHARACTERS])), key=lambda one: (one.start, -one.end)):
        if kept and sign.start < kept[-1].end and not sign.hidden:
            kept[-1] = replace(kept[-1], end=max(kept[-1].end, sign.end))
        else:
            kept.append(sign)
    return kept


def _signs(text: str) -> Iterator[Sign]:
    yield from hidden.find(text)
    read = hidden.visible(text)
    for sign in phrases.find(read.text):
        yield Sign(*read.span(sign.start, sign.end), sign.kind)
