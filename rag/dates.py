"""Dates in text: days, months, years and days of the week, in six languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_MONTHS = (
    "january jan januar janvier gennaio enero januari",
    "february feb februar février febbraio febrero februari",
    "march mar märz mars marzo maart",
    "april apr avril aprile abril",
    "may mai maggio mayo mei",
    "june jun juni juin giugno junio",
    "july jul juli juillet luglio julio",
    "august aug août agosto augustus",
    "september sep sept septembre settembre septiembre",
    "october oct oktober octobre ottobre octubre",
    "november nov novembre noviembre",
    "december dec dezember décembre dicembre diciembre",
)
_WEEKDAYS = (
    "monday montag lundi lunedì lunes maandag",
    "tuesday dienstag mardi martedì martes dinsdag",
    "wednesday mittwoch mercredi mercoledì miércoles woensdag",
    "thursday donnerstag jeudi giovedì jueves donderdag",
    "friday freitag vendredi venerdì viernes vrijdag",
    "saturday samstag sonnabend samedi sabato sábado zaterdag",
    "sunday sonntag dimanche domenica domingo zondag",
)
_YEAR = r"(?:19|20)\d\d"


@dataclass(frozen=True, slots=True)
class Date:
    """As much of a date as a text names; months and days of the week count from 1."""

    text: str
    day: int | None = None
    month: int | None = None
    year: int | None = None
    weekday: int | None = None


def dates_in(text: str) -> list[Date]:
    """Return the dates of a text in order; a bare year counts, a bare month only in context."""
    found: list[tuple[int, int, Date]] = []
    for pattern in _patterns():
        for match in pattern.finditer(text):
            overlaps = any(match.start() < end and match.end() > start for start, end, _ in found)
            date = None if overlaps else _date(match)
            if date is not None:
                found.append((match.start(), match.end(), date))
    return [date for _, _, date in sorted(found, key=lambda each: each[0])]


def agrees(claimed: Date, known: Date) -> bool:
    """Tell whether a known date has all that a claimed one names."""
    pairs = (
        (claimed.day, known.day),
        (claimed.month, known.month),
        (claimed.year, known.year),
        (claimed.weekday, known.weekday),
    )
    return all(named is None or named == there for named, there in pairs)


def _date(match: re.Match[str]) -> Date | None:
    parts = match.groupdict()
    day, month = parts.get("day"), parts.get("month")
    numbered = int(month) if month and month.isdigit() else _number(_MONTHS, month)
    if (day and not 1 <= int(day) <= 31) or (numbered is not None and not 1 <= numbered <= 12):
        return None
    year = parts.get("year")
    return Date(
        match.group().strip(),
        int(day) if day else None,
        numbered,
        int(year) if year else None,
        _number(_WEEKDAYS, parts.get("weekday")),
    )


def _number(families: tuple[str, ...], word: str | None) -> int | None:
    if word is None:
        return None
    return next(n for n, names in enumerate(families, start=1) if word.lower() in names.split())


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[re.Pattern[str]]:
    names = sorted((name for some in _MONTHS for name in some.split()), key=len, reverse=True)
    month = rf"(?P<month>{'|'.join(names)})"
    day = r"(?P<day>\d{1,2})(?:\.|st|nd|rd|th|er|º)?"
    year = rf"(?P<year>{_YEAR})"
    glue = r"(?:\s+(?:de|di|del|of))?\s+"
    yield re.compile(rf"\b(?P<year>{_YEAR})-(?P<month>\d\d)-(?P<day>\d\d)\b")
    yield re.compile(rf"\b(?P<day>\d{{1,2}})[./](?P<month>\d{{1,2}})[./]{year}\b")
    yield re.compile(rf"\b{day}{glue}{month}\b\.?(?:{glue}{year}\b)?", re.IGNORECASE)
    alone = r"(?!\s*(?:%|[^\W\d_]))"
    yield re.compile(rf"\b{month}\b\.?\s+{day}\b{alone}(?:,?\s+{year}\b)?", re.IGNORECASE)
    yield re.compile(rf"\b{month}\b\.?{glue}{year}\b", re.IGNORECASE)
    before = "in|im|since|seit|until|bis|ab|from|by|en|depuis|jusqu'en|nel|desde|vanaf|tot|every"
    yield re.compile(rf"(?<=\b)(?:{before})\s+{month}\b(?!\s+\d)", re.IGNORECASE)
    weekdays = "|".join(name for some in _WEEKDAYS for name in some.split())
    # Several: opening hours "from Monday to Friday".
    yield re.compile(rf"\b(?P<weekday>{weekdays})s?\b", re.IGNORECASE)
    yield re.compile(rf"(?<![\w.,-])(?P<year>{_YEAR})(?![\w-]|[.,]\d)")
