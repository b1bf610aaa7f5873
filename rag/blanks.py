"""Blanks such as [delivery date?]: facts about an order or account that nobody supplied yet."""

import re
from collections.abc import Iterator

# A letter tells it from a marker: [1?] is none.
BLANK = re.compile(r"\[(?=[^\[\]\n]*[^\W\d_])[^\[\]\n]{2,80}\?\s*\]")


def blanks(text: str) -> list[str]:
    """Return the blanks of a text in order, each once, brackets included."""
    return list(dict.fromkeys(BLANK.findall(text)))


def split(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the stretches of a text, and whether each is a blank."""
    position = 0
    for match in BLANK.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], False
        yield match.group(), True
        position = match.end()
    if position < len(text):
        yield text[position:], False


def within_blank(text: str, place: int) -> bool:
    """Tell whether a place is inside of a blank or right behind it in the same line."""
    return any(
        match.start() < place <= match.end() + _blank_space(text, match.end())
        for match in BLANK.finditer(text)
    )


def _blank_space(text: str, end: int) -> int:
    rest = text[end:]
    return len(rest) - len(rest.lstrip(" \t"))
