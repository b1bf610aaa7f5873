"""Dates of birth: dates after words that say so, in any of six languages."""

import re
from collections.abc import Iterator

from rag.mask.finds import Find, Kind, Sureness

_MONTH = (
    r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[ée]vr?|avr|juin|juil"
    r"|ao[uû]|d[ée]c|gen|mag|giu|lug|ago|set|ott|dic|ene|abr|maa)[^\W\d_]{0,8}\.?"
)
_DATE = (
    r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
    rf"|\d{{1,2}}(?:\.|st|nd|rd|th|er|º|°)?[ ](?:de[ ]|of[ ])?{_MONTH},?[ ](?:del?[ ])?\d{{2,4}}"
    rf"|{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]\d{{4}})"
)
_BIRTH = re.compile(
    r"""(?:\b(?:born|birth(?:day|date)?|d\.?o\.?b|geboren|geburtstag|geburtsdatum|naissance|n[ée]e?
    |nascita|nat[oa]|nacimiento|nacid[oa]|nac[íi]|cumpleaños|geboortedatum|jarig)\b|\bgeb\.)"""
    rf"[^\n\d]{{0,25}}?(?P<date>{_DATE})(?![\w/-])",
    re.IGNORECASE | re.VERBOSE,
)


def find(text: str) -> Iterator[Find]:
    """Yield the dates of birth in a text; any other date stays."""
    for match in _BIRTH.finditer(text):
        yield Find(*match.span("date"), Kind.BIRTH, Sureness.IN_CONTEXT)
