"""Does the evidence support the claim? Literal checks only: they never guess.

A claim that is a sentence of its passage, word for word, is supported. One with a number that its
passage does not have is not. Of all others the machine says nothing; a reviewer decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.sentences import sentence_spans
from rag.tables import Label

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")


@dataclass(frozen=True, slots=True)
class Finding:
    """The machine's verdict on a claim; `probability` is that the evidence supports it."""

    label: Label
    probability: float
    reasons: tuple[str, ...]


def verify(claim: str, evidence: str) -> Finding | None:
    """Compare a claim, without markers, with the text of the passage it cites."""
    stated = _LIST_MARK.sub("", claim)
    if _folded(claim) in _sentences(evidence):
        return Finding(Label.SUPPORTED, 1.0, ("word for word",))
    missing = missing_numbers(stated, [evidence])
    if missing:
        reasons = tuple(f"{number} is not in the passage" for number in missing)
        return Finding(Label.NOT_ENOUGH_INFO, 0.0, reasons)
    return None


def missing_numbers(claim: str, passages: Sequence[str]) -> list[str]:
    """Return the numbers of a claim that none of the passages has, as they are written."""
    known = {_value(number) for text in passages for number in _NUMBER.findall(text)}
    return [number for number in _NUMBER.findall(claim) if _value(number) not in known]


def _value(number: str) -> str:
    # 1,5 and 1.5 are one number in different countries.
    return number.replace(",", ".")


def _sentences(text: str) -> set[str]:
    """Return the sentences of a text as they are compared.

    Whole ones only: “use vinegar” stands in “do not use vinegar” and is not what it says.
    """
    return {_folded(text[start:end]) for start, end in sentence_spans(text)}


def _folded(text: str) -> str:
    return " ".join(_LIST_MARK.sub("", text).casefold().split()).strip(" .")
