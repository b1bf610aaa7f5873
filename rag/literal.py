"""Where a claim says something else than its evidence, literally: numbers, dates, negation, names.

These checks are certain where they speak and silent elsewhere. A sentence of the evidence is held
against the claim only if the two are about the same thing, told by the words that they share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rag import dates, naming, polarity, quantified
from rag.judgement import Reason
from rag.quotable import quotes
from rag.statements import Statement, statements

# Shares of the claim's words that a sentence must have: to be about the same thing, and to say the
# same thing but for a word.
SAME_SUBJECT, SAME_SENTENCE = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against a claim; `refutes` where the evidence says another thing."""

    reason: Reason
    refutes: bool


@dataclass(frozen=True)
class Comparison:
    """A claim beside its evidence.

    `supplied` are numbers that the customer gave: they need not stand in the evidence, but the
    evidence may still say another thing. `quotable` are rows of the evidence with the names of
    their columns, and items of lists with their heading.
    """

    claim: Statement
    evidence: Sequence[Statement]
    supplied: frozenset[str] = frozenset()
    quotable: Sequence[Statement] = ()

    @cached_property
    def nearest(self) -> Statement | None:
        """Return the sentence of the evidence that shares most words with the claim."""
        return max(self.evidence, key=self._nearness, default=None)

    @cached_property
    def likeness(self) -> float:
        """Return what share of the claim's words its nearest sentence has."""
        return self.claim.share_in(self.nearest) if self.nearest else 0.0

    def is_verbatim(self) -> bool:
        """Tell whether the claim is a whole sentence of the evidence, whatever case and blanks."""
        known = (*self.evidence, *self.quotable)
        return any(self.claim.folded == one.folded for one in known)

    def objections(self) -> list[Objection]:
        """Return what speaks against the claim, the gravest first."""
        found = [
            *self._figures(),
            *self._codes(),
            *self._names(),
            *self._dates(),
            *self._opposites(),
        ]
        return sorted(found, key=lambda objection: not objection.refutes)

    def _is_supplied(self, text: str) -> bool:
        numbers = set(quantified.numbers_in(text))
        return bool(numbers) and numbers <= self.supplied

    def _nearness(self, known: Statement) -> tuple[float, float]:
        return self.claim.share_in(known), known.share_in(self.claim)

    def _figures(self) -> list[Objection]:
        near = self.nearest if self.likeness >= SAME_SENTENCE else None
        related = [one for one in self.evidence if self.claim.share_in(one) >= SAME_SUBJECT]
        found = []
        for figure in self.claim.figures:
            other = quantified.contradicted(self.claim, figure, near, related)
            if other is not None:
                fields = {"claimed": figure.text, "known": other}
                found.append(Objection(Reason("other_number", fields), refutes=True))
            elif not (self._is_supplied(figure.text) or quantified.known(figure, self.evidence)):
                reason = Reason("number_absent", {"claimed": figure.text})
                found.append(Objection(reason, refutes=False))
        return found or self._bare_numbers()

    def _bare_numbers(self) -> list[Objection]:
        """Hold what is no figure, such as the number of a page or chapter, against the evidence."""
        numbers = quantified.other_numbers(self.claim)
        if self.likeness >= SAME_SENTENCE and self.nearest:
            claimed, known = quantified.swapped(numbers, self.claim, self.nearest)
            if claimed:
                fields = {"claimed": claimed, "known": known}
                return [Objection(Reason("other_number", fields), refutes=True)]
        there = {number for one in self.evidence for number in quantified.numbers_in(one.text)}
        absent = [each for each in numbers if each not in there and each not in self.supplied]
        reasons = [Reason("number_absent", {"claimed": number}) for number in absent]
        return [Objection(reason, refutes=False) for reason in reasons]

    def _codes(self) -> list[Objection]:
        found = []
        for code in self.claim.codes:
            if quantified.code_known(code, self.evidence):
                if other := naming.said_of_another(self.claim, code, self.evidence):
                    fields = {"claimed": code, "known": other}
                    found.append(Objection(Reason("said_of_another", fields), refutes=True))
            elif not self._is_supplied(code):
                found.append(Objection(Reason("name_absent", {"claimed": code}), refutes=False))
        return found

    def _names(self) -> list[Objection]:
        """Object to a name in place of another in a sentence that else says the same."""
        near = self.nearest
        if near is None or self.claim.share_in(near) < SAME_SENTENCE:
            return []
        claimed, known = naming.swapped_name(self.claim, near)
        fields = {"claimed": claimed, "known": known}
        return [Objection(Reason("other_name", fields), refutes=True)] if claimed else []

    def _dates(self) -> list[Objection]:
        known = [date for one in self.evidence for date in one.dates]
        found = []
        for date in self.claim.dates:
            if any(dates.agrees(date, other) for other in known):
                continue
            near = self.nearest.dates if self.nearest and self.likeness >= SAME_SUBJECT else ()
            if near:
                fields = {"claimed": date.text, "known": near[0].text}
                found.append(Objection(Reason("other_date", fields), refutes=True))
            elif not self._is_supplied(date.text):
                found.append(
                    Objection(Reason("date_absent", {"claimed": date.text}), refutes=False)
                )
        return found

    def _opposites(self) -> list[Objection]:
        near = self.nearest
        if near is None or self.likeness < SAME_SENTENCE:
            return []
        if other := polarity.opposed(self.claim, near):
            return [Objection(Reason("opposite", {"known": other}), refutes=True)]
        if word := polarity.stronger(self.claim, near):
            return [Objection(Reason("stronger", {"claimed": word}), refutes=False)]
        if condition := polarity.dropped_condition(self.claim, near):
            return [Objection(Reason("condition_dropped", {"known": condition}), refutes=False)]
        return []


def compare(claim: str, evidence: str, supplied: frozenset[str] = frozenset()) -> Comparison:
    """Read a claim without markers, and the evidence that it cites."""
    lines = [line for quote in quotes(evidence) for line in quote.lines if quote.adds_names]
    quotable = [Statement.of(line) for line in lines]
    return Comparison(Statement.of(claim), statements(evidence), supplied, quotable)
