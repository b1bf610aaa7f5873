"""How far a sentence has drifted from what was told of it: the worst first."""

from collections import Counter
from enum import StrEnum

from rag.dates import Date, dates_in
from rag.polarity import NEGATION
from rag.quantified import numbers_in


class Drift(StrEnum):
    """What changed between a sentence that was cited and the one that stands there now."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    WITHDRAWN = "withdrawn"
    GONE = "gone"
    WORDING = "wording"


def drift(was: str, now: str) -> Drift:
    """Tell what changed between two sentences; of several changes the worst."""
    before, after = dates_in(was), dates_in(now)
    if _numbers(was, before) != _numbers(now, after):
        return Drift.NUMBER
    if Counter(map(_moment, before)) != Counter(map(_moment, after)):
        return Drift.DATE
    if len(NEGATION.findall(was)) != len(NEGATION.findall(now)):
        return Drift.NEGATION
    return Drift.WORDING


def _numbers(text: str, dates: list[Date]) -> Counter[str]:
    """Return the numbers that are no part of a date."""
    for date in dates:
        text = text.replace(date.text, " ", 1)
    return Counter(numbers_in(text))


def _moment(date: Date) -> tuple[int | None, ...]:
    return (date.day, date.month, date.year, date.weekday)
