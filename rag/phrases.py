"""Phrases found word for word, whatever their case, blanks and apostrophes."""

import re
from functools import lru_cache


@lru_cache(maxsize=64)
def finder(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds phrases between the borders of words; of several the longest."""
    longest = sorted(filter(None, phrases), key=len, reverse=True)
    found = "|".join(map(literal, longest)) if longest else r"(?!)"
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)", re.IGNORECASE)


def literal(phrase: str) -> str:
    """Return a pattern for a phrase, however its blanks, apostrophes and ß are written."""
    pattern = r"\s+".join(map(re.escape, phrase.split()))
    return re.sub("['\u2019]", "['\u2019]", pattern).replace("ß", "(?:ß|ss)")


def key(phrase: str) -> str:
    """Return what is the same for all spellings of a phrase that `literal` finds."""
    return " ".join(phrase.split()).casefold().replace("\u2019", "'")
