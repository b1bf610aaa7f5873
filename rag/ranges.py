"""Does a row of a table hold for a number that somebody names? “15 to 21 °dH” does for 17 °dH."""

import re
from collections.abc import Iterator
from math import inf

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"°\w+|%|[^\W\d]\w*"
_NAMED = re.compile(rf"({_NUMBER})\s*({_UNIT})")
# The unit stands behind the numbers, or before them as the name of the column.
_BEFORE, _BEHIND = rf"(?:(?P<column>{_UNIT})[^:;|]*:\s*)?", rf"\s*(?P<unit>{_UNIT})?"
_BETWEEN = re.compile(
    rf"{_BEFORE}(?P<low>{_NUMBER})\s*(?:to|bis|à|a|tot|-|\u2013)\s*(?P<high>{_NUMBER}){_BEHIND}"
)
_OVER = re.compile(
    rf"{_BEFORE}(?:over|above|more than|über|mehr als|plus de|oltre|più di|más de|meer dan)\s*"
    rf"(?P<low>{_NUMBER}){_BEHIND}",
    re.IGNORECASE,
)


def covers(row: str, question: str) -> bool:
    """Tell whether one of a row's ranges has a number of the question, in the same unit."""
    named = [(_value(number), unit.casefold()) for number, unit in _NAMED.findall(question)]
    return any(
        low <= number <= high and unit in units
        for low, high, units in _ranges(row)
        for number, unit in named
    )


def _ranges(row: str) -> Iterator[tuple[float, float, set[str]]]:
    """Yield lowest and highest number, and the words that may be their unit."""
    for match in (*_BETWEEN.finditer(row), *_OVER.finditer(row)):
        found = match.groupdict()
        # What is over 21 is not 21.
        low = _value(found["low"]) if "high" in found else _value(found["low"]) + 1e-9
        high = _value(found["high"]) if "high" in found else inf
        yield low, high, {(found[name] or "").casefold() for name in ("column", "unit")} - {""}


def _value(number: str) -> float:
    return float(number.replace(",", "."))
