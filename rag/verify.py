"""Does the evidence support the claim? Literal checks first, then a model that was trained to tell.

A claim that is a sentence of its passage, word for word, is supported. One that has another number,
date or code than its passage, or its opposite, is not, whatever the model says of it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.cite import CitedClaim, bare_text
from rag.evidence import evidence_text
from rag.groundedness import Groundedness
from rag.judgement import Finding, Reason
from rag.literal import Comparison, compare
from rag.quantified import numbers_in
from rag.quoting import with_supporting_quotes
from rag.tables import Author, Label

# Below it a passage is not said to support a claim.
SUPPORTED_FROM = 0.5
# What a claim with a literal objection is worth at most.
REFUTED_AT_MOST, OBJECTED_AT_MOST = 0.05, 0.15
# Findings that are remembered: while an agent edits, only what changed is judged again.
REMEMBERED = 4_096
Pair = tuple[str, str]


class Verifier:
    """Judges claims; safe to share between threads."""

    def __init__(self, groundedness: Groundedness) -> None:
        self._groundedness = groundedness
        self._known: OrderedDict[str, Finding] = OrderedDict()

    def judge(self, pairs: Sequence[Pair], supplied: frozenset[str] = frozenset()) -> list[Finding]:
        """Judge pairs of a claim, without markers, and the evidence that it cites.

        `supplied` are numbers that the customer gave: no passage need have them.

        Raises:
            VerifierError: The model's weights are absent or altered.
        """
        keys = [_key(pair, supplied) for pair in pairs]
        new = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._known}
        found = dict(zip(new, self._judged(list(new.values()), supplied), strict=True))
        findings = [found.get(key) or self._known[key] for key in keys]
        self._remember(found)
        return findings

    def supports(self, claim: str, passages: Sequence[str]) -> bool:
        """Tell whether passages together support a claim."""
        found = self.judge([(claim, "\n\n".join(passages))])[0]
        return found.label == Label.SUPPORTED

    def check(
        self, claims: Sequence[CitedClaim], supplied: frozenset[str] = frozenset()
    ) -> list[CitedClaim]:
        """Return the claims with a finding on each citation, and on all of a claim's together.

        Quotes that do not support their claim alone, though their passage does, become wider.
        """
        pairs: list[Pair] = []
        for claim in claims:
            stated = bare_text(claim.text)
            texts = [evidence_text(evidence.hit) for evidence in claim.evidence]
            pairs += [(stated, text) for text in texts]
            if len(texts) > 1:
                pairs.append((stated, "\n\n".join(texts)))
        findings = iter(self.judge(pairs, supplied))
        checked = [_with_findings(claim, findings) for claim in claims]
        return with_supporting_quotes(checked, lambda quotes: self.judge(quotes, supplied))

    def _judged(self, pairs: Sequence[Pair], supplied: frozenset[str]) -> list[Finding]:
        compared = [compare(*pair, supplied) for pair in pairs]
        certain = [_certain(comparison) for comparison in compared]
        open_pairs = [pair for pair, found in zip(pairs, certain, strict=True) if found is None]
        probable = iter(self._groundedness.probabilities(open_pairs)) if open_pairs else iter(())
        return [found or _probable(float(next(probable))) for found in certain]

    def _remember(self, found: dict[str, Finding]) -> None:
        self._known.update(found)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def numbers_of(messages: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return the numbers that the customer gave in a thread of (author, body)."""
    texts = (body for author, body in messages if author == Author.CUSTOMER)
    return frozenset(number for text in texts for number in numbers_in(text))


def _with_findings(claim: CitedClaim, findings: Iterator[Finding]) -> CitedClaim:
    evidence = tuple(replace(each, finding=next(findings)) for each in claim.evidence)
    if not evidence:
        return claim
    together = next(findings) if len(evidence) > 1 else evidence[0].finding
    return replace(claim, evidence=evidence, finding=together)


def _certain(comparison: Comparison) -> Finding | None:
    """Return what the words alone tell; None where they do not."""
    if comparison.is_verbatim():
        return Finding(Label.SUPPORTED, 1.0, (Reason("verbatim"),))
    objections = comparison.objections()
    if not objections:
        return None
    reasons = tuple(objection.reason for objection in objections)
    if objections[0].refutes:
        return Finding(Label.REFUTED, REFUTED_AT_MOST, reasons)
    return Finding(Label.NOT_ENOUGH_INFO, OBJECTED_AT_MOST, reasons)


def _probable(probability: float) -> Finding:
    is_supported = probability >= SUPPORTED_FROM
    percent = {"percent": f"{100 * probability:.0f}"}
    if is_supported:
        return Finding(Label.SUPPORTED, probability, (Reason("probable", percent),))
    return Finding(Label.NOT_ENOUGH_INFO, probability, (Reason("doubtful", percent),))


def _key(pair: Pair, supplied: frozenset[str]) -> str:
    parts = [*pair, *sorted(supplied)]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
