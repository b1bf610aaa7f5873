"""How far a sentence has drifted from what was told of it: the worst first."""

import re
from collections import Counter
from enum import StrEnum


class Drift(StrEnum):
    """What changed between a sentence that was cited and the one that stands there now."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    WITHDRAWN = "withdrawn"
    GONE = "gone"
    WORDING = "wording"


_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember|"
    "janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|dicembre|"
    "enero|febrero|abril|mayo|junio|julio|septiembre|octubre|noviembre|diciembre|"
    "januari|februari|maart|mei|augustus|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|okt|nov|dec|dez"
)
_DATE = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b(?:19|20)\d\d\b|"
    rf"\b\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?(?: de| di| of)? (?:{_MONTHS})\b|"
    rf"\b(?:{_MONTHS})\.? \d{{1,2}}\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f']\d+)*")
_NEGATION = re.compile(
    r"\b(?:not?|never|cannot|none|nor|without|nicht|kein\w*|nie(?:mals)?|weder|ohne|"
    r"ne|jamais|aucun\w*|sans|non|nessun\w*|senza|nunca|jamás|ning[uú]n\w*|sin|"
    r"niet|geen|nooit|zonder)\b|n['\u2019]t\b|\bn['\u2019](?=\w)",
    re.IGNORECASE,
)


def drift(was: str, now: str) -> Drift:
    """Tell what changed between two sentences; of several changes the worst."""
    if _numbers(was) != _numbers(now):
        return Drift.NUMBER
    if Counter(_DATE.findall(was)) != Counter(_DATE.findall(now)):
        return Drift.DATE
    if len(_NEGATION.findall(was)) != len(_NEGATION.findall(now)):
        return Drift.NEGATION
    return Drift.WORDING


def _numbers(text: str) -> Counter[str]:
    """Return the numbers that are no part of a date; 1,5 and 1.5 are one number."""
    rest = _DATE.sub(" ", text)
    return Counter(number.replace(",", ".") for number in _NUMBER.findall(rest))
