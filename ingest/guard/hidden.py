"""Text that people do not see: what invisible characters spell, and how to read past them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.guard.signs import Sign, SignKind

# Soft hyphens, zero-width and directional characters, variation selectors, tags, fillers.
INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# The flags of England, Scotland and Wales are a black flag followed by tags.
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f")
_TAGS = re.compile("[\U000e0000-\U000e007f]+")
# An emoji takes one variation selector; a run of them carries a byte each.
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
# Copied text has single ones of these; a row of them spells something in bits.
_ZERO_WIDTH = re.compile("[\xad\u034f\u180e\u200b-\u200d\u2060-\u2064\ufeff]{6,}")
_REVERSED = re.compile("[\u202d\u202e][^\u202c\n]*\u202c?")
# Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁԛԝһАВЕКМНОРСТХІЈЅοενρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdqwhABEKMHOPCTXIJSoevpABEZHIKMNOPTYX",
)


class _Letters(dict[int, str]):
    """Leads from each character to its usual small form, as of full-width or mathematical ones."""

    def __missing__(self, code: int) -> str:
        usual = unicodedata.normalize("NFKC", chr(code)).translate(_LOOKALIKES).lower()
        self[code] = usual if len(usual) == 1 else chr(code)
        return self[code]


_LETTERS = _Letters()


@dataclass(frozen=True, slots=True)
class Visible:
    """A text as a model may read it: without invisible characters, in plain small letters.

    `places` leads from each of its characters to the offset in the text that it was made from;
    None where both are the same.
    """

    text: str
    places: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch stands in the text that this was made from."""
        if self.places is None or start >= end:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def visible(text: str) -> Visible:
    """Return a text for reading: what hides words from a search is taken away."""
    if text.isascii():
        return Visible(text.lower(), None)
    if not INVISIBLE.search(text):
        return Visible(text.translate(_LETTERS), None)
    kept = [(at, each) for at, each in enumerate(text) if not INVISIBLE.match(each)]
    letters = "".join(each for _, each in kept).translate(_LETTERS)
    return Visible(letters, [at for at, _ in kept])


def find(text: str) -> Iterator[Sign]:
    """Yield the stretches in which invisible characters spell something, or turn text around."""
    if text.isascii():
        return
    flags = [match.span() for match in _FLAG.finditer(text)]
    for match in _TAGS.finditer(text):
        if not any(start <= match.start() < end for start, end in flags):
            yield Sign(*match.span(), SignKind.HIDDEN, _of_tags(match.group()))
    for match in _SELECTORS.finditer(text):
        yield Sign(*match.span(), SignKind.HIDDEN, _of_selectors(match.group()))
    for pattern in (_ZERO_WIDTH, _REVERSED):
        for match in pattern.finditer(text):
            yield Sign(*match.span(), SignKind.HIDDEN)


def _of_tags(tags: str) -> str:
    spelt = (ord(each) - 0xE0000 for each in tags)
    return "".join(chr(code) for code in spelt if 0x20 <= code < 0x7F)


def _of_selectors(selectors: str) -> str:
    codes = (ord(each) for each in selectors)
    data = bytes(code - 0xFE00 if code < 0xE0100 else code - 0xE0100 + 16 for code in codes)
    return "".join(each for each in data.decode("utf-8", "ignore") if each.isprintable())
