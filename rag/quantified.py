"""Whether a passage has a claim's figures and codes, or others in their place."""

import re
from collections import Counter
from collections.abc import Sequence

from ingest.quantities import COUNT, Figure
from rag.statements import Statement

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# A sentence with so much of what the nearest one shares with a claim may be what it rests on.
NEARLY = 0.7
_SIGNS = re.compile(r"[\s\u00a0-]+")


def known(figure: Figure, evidence: Sequence[Statement]) -> bool:
    """Tell whether a figure stands in the evidence, in whatever unit of its dimension."""
    if any(_equal(figure, other) for one in evidence for other in one.figures):
        return True
    # A bare number may be part of a name there.
    there = {number for one in evidence for number in numbers_in(one.text)}
    return figure.dimension == COUNT.dimension and set(numbers_in(figure.text)) <= there


def contradicted(
    claim: Statement, figure: Figure, near: Statement | None, related: Sequence[Statement]
) -> str | None:
    """Return what stands in a passage in place of a claim's figure; None if nothing does.

    Args:
        claim: The statement of which the figure is.
        figure: One of its figures.
        near: The sentence that says the same but for the figure, if there is one.
        related: The sentences about the same thing.
    """
    if near is not None:
        if any(_equal(figure, other) for other in near.figures):
            return None
        if not _elsewhere(claim, figure, near, related) and (
            other := _instead(claim, figure, near)
        ):
            return other
    # A bare number counts anything: only in the same sentence is it the same thing.
    if figure.dimension == COUNT.dimension or known(figure, related):
        return None
    return next((other for one in related if (other := _instead(claim, figure, one))), None)


def other_numbers(claim: Statement) -> list[str]:
    """Return the numbers of a claim that are neither figures nor parts of dates or codes."""
    told = [figure.text for figure in claim.figures] + [date.text for date in claim.dates]
    known = {number for text in [*told, *claim.codes] for number in numbers_in(text)}
    return [number for number in numbers_in(claim.text) if number not in known]


def swapped(numbers: Sequence[str], claim: Statement, near: Statement) -> tuple[str, str]:
    """Return a number of a claim, and what a sentence that else says the same has instead.

    Both are empty where nothing was swapped.
    """
    here, there = Counter(numbers_in(claim.text)), Counter(numbers_in(near.text))
    mine = [number for number in here - there if number in numbers]
    theirs = list(there - here)
    return (mine[0], theirs[0]) if mine and theirs else ("", "")


def code_known(code: str, evidence: Sequence[Statement]) -> bool:
    """Tell whether a code or model stands in the evidence, with or without its hyphen."""
    return any(_bare(code) in _bare(one.text) for one in evidence)


def _elsewhere(
    claim: Statement, figure: Figure, near: Statement, related: Sequence[Statement]
) -> bool:
    """Tell whether another sentence has the figure, and nearly as many of the claim's words."""
    needed = NEARLY * claim.share_in(near)
    return any(known(figure, [one]) for one in related if claim.share_in(one) >= needed)


def _instead(claim: Statement, figure: Figure, one: Statement) -> str | None:
    """Return a figure of the same dimension that the claim does not have."""
    for other in one.figures:
        is_claimed = any(_equal(claimed, other) for claimed in claim.figures)
        if other.dimension == figure.dimension and not is_claimed:
            return other.text
    return None


def _equal(figure: Figure, other: Figure) -> bool:
    """Tell whether one figure is what another says; a bare number has the unit of its table."""
    if figure.dimension == other.dimension:
        return all(value in other.values for value in figure.values)
    is_bare = other.dimension == COUNT.dimension
    return is_bare and set(numbers_in(figure.text)) <= set(numbers_in(other.text))


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text; 1,5 and 1.5 are one number in different countries."""
    return [number.replace(",", ".").rstrip(".") for number in _NUMBER.findall(text)]


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).casefold()


def missing_numbers(claim: str, passages: Sequence[str]) -> list[str]:
    """Return the numbers of a claim that none of the passages has, as they are written."""
    there = {number for text in passages for number in numbers_in(text)}
    return [number for number in _NUMBER.findall(claim) if number.replace(",", ".") not in there]
