"""Numbers in a sentence: figures, which could be others, and names, which could not.

A figure is a term, a price, a count. "Aria 500", "version 3", "E17" and dates are names: they tell
what a sentence is about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.units import Unit, lexicon

MAXDIGITS = 6
COUNT = Unit("count", 1)
CURRENCIES = frozenset(["euro", "dollar", "pound", "franc"])
DIGIT = re.compile(r"\d")

_NUMBER = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?"
_FIGURE = re.compile(
    rf"(?P<currency>[€$£]?)(?P<low>{_NUMBER})(?:[-\u2013](?P<high>{_NUMBER}))?"
    r"-?(?P<unit>[^\W\d_]+|[%€$£]|°\w?)?"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,'\u2019\u00a0\u202f]\d{3})+(?!\d)")
_CLOCK = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d\d)")
_TOKEN = re.compile(r"[^\s|]+|\|")
_EDGES = "\"'“”\u2018\u2019«»()[]{}*.,;:!?…"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its unit, in the smallest unit of its dimension; a range has two values.

    `text` is how it is written.
    """

    values: tuple[float, ...]
    dimension: str
    text: str = field(default="", compare=False)


@dataclass(slots=True)
class Reading:
    """What was read of a sentence so far."""

    figures: list[Figure] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    before: str = ""
    after_name: bool = False


def read(text: str) -> Reading:
    """Read a sentence, a table cell or a title."""
    reading = Reading()
    _read_tokens(reading, _TOKEN.findall(text))
    return reading


def _read_tokens(reading: Reading, tokens: Sequence[str]) -> None:
    is_unit = False
    for token, following in pairwise([*tokens, ""]):
        if is_unit:
            is_unit = False
        elif DIGIT.search(token):
            is_unit = _read_number(reading, token.strip(_EDGES), following.strip(_EDGES))
        else:
            _read_word(reading, token.strip(_EDGES).lower())
        reading.before = token.strip(_EDGES)


def _read_word(reading: Reading, word: str) -> None:
    if any(map(str.isalpha, word)) and word not in lexicon().light:
        reading.words.append(word)
    reading.after_name = reading.after_name and word in lexicon().joining


def _read_number(reading: Reading, number: str, following: str) -> bool:
    """Read a token with digits; tell whether the one after it was its unit."""
    if clock := _CLOCK.fullmatch(number):
        minutes = int(clock["hour"]) * 60.0 + int(clock["minute"])
        reading.figures.append(Figure((minutes,), "time of day", number))
        return False
    match = _FIGURE.fullmatch(number)
    unit, is_apart = _unit(reading, match, following) if match else (None, False)
    if match is None or unit is None:
        is_code = any(map(str.isalpha, number))
        reading.names.append(number if is_code else f"{reading.before} {number}")
        reading.after_name = True
        return False
    digits = [match[key] for key in ("low", "high") if match[key]]
    # Rounded, since 1.1 times 1,000 is not quite 1,100.
    values = tuple(round(_value(part) * unit.size, 6) for part in digits)
    written = f"{number} {following}" if is_apart else number
    reading.figures.append(Figure(values, unit.dimension, written))
    reading.after_name = False
    return is_apart


def _unit(reading: Reading, match: re.Match[str], following: str) -> tuple[Unit | None, bool]:
    """Return the unit of a number, none if it is a name, and whether it is the next word."""
    if attached := match["currency"] or match["unit"]:
        return lexicon().units.get(attached.lower()), False
    if unit := lexicon().units.get(following.lower()):
        return unit, True
    before = reading.before.lower()
    if (unit := lexicon().units.get(before)) and unit.dimension in CURRENCIES:
        if reading.words[-1:] == [before]:
            reading.words.pop()
        return unit, False
    return (None if _is_name(reading, match["low"], following) else COUNT), False


def _is_name(reading: Reading, digits: str, following: str) -> bool:
    # Editions of programs, chapters; telephone, order and article numbers; columns of numbers.
    if not digits.isdigit() and not _THOUSANDS.match(digits):
        return True
    if len(digits) > MAXDIGITS or re.fullmatch(r"0\d+|(?:19|20)\d\d", digits):
        return True
    if following[:1].isdigit() or following.lower() in lexicon().months:
        return True
    before = reading.before
    if not before:
        return following[:1].isupper()
    is_labelled = before.lower() in lexicon().labels or any(map(str.isupper, before))
    return is_labelled or reading.after_name


def _value(digits: str) -> float:
    whole = _THOUSANDS.match(digits)
    if whole is None:
        return float(digits.replace(",", "."))
    end = whole.end()
    return float(re.sub(r"\D", "", digits[:end]) + digits[end:].replace(",", "."))
