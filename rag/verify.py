"""Does the evidence support the claim? Literal checks first, then a model that was trained to tell.

A claim that is a sentence of its passage, word for word, is supported. One that has another number,
date or code than its passage, or its opposite, is not, whatever the model says of it.
"""

import hashlib
import threading
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
from rag.thread_evidence import supplied_by_thread

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
        self._lock = threading.Lock()

    def judge(self, pairs: Sequence[Pair], customer: Sequence[str] = ()) -> list[Finding]:
        """Judge pairs of a claim, without markers, and the evidence that it cites.

        Numbers that a claim repeats of what the `customer` wrote need not stand in the evidence.

        Raises:
            VerifierError: The model's weights are absent or altered.
        """
        keys = [_key(pair, customer) for pair in pairs]
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        new = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in known}
        found = dict(zip(new, self._judged(list(new.values()), customer), strict=True))
        self._remember(found)
        return [found.get(key) or known[key] for key in keys]

    def supports(self, claim: str, passages: Sequence[str]) -> bool:
        """Tell whether passages together support a claim."""
        found = self.judge([(claim, "\n\n".join(passages))])[0]
        return found.label == Label.SUPPORTED

    def check(self, claims: Sequence[CitedClaim], customer: Sequence[str] = ()) -> list[CitedClaim]:
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
        findings = iter(self.judge(pairs, customer))
        checked = [_with_findings(claim, findings) for claim in claims]
        return with_supporting_quotes(checked, lambda quotes: self.judge(quotes, customer))

    def _judged(self, pairs: Sequence[Pair], customer: Sequence[str]) -> list[Finding]:
        compared = [compare(*pair, _supplied(pair[0], customer)) for pair in pairs]
        certain = [_certain(comparison) for comparison in compared]
        open_pairs = [pair for pair, found in zip(pairs, certain, strict=True) if found is None]
        probable = iter(self._groundedness.probabilities(open_pairs)) if open_pairs else iter(())
        return [found or _probable(float(next(probable))) for found in certain]

    def _remember(self, found: dict[str, Finding]) -> None:
        with self._lock:
            self._known.update(found)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def customers_words(messages: Iterable[Sequence[str]]) -> list[str]:
    """Return what the customer wrote in a thread of (author, body)."""
    return [body for author, body in messages if author == Author.CUSTOMER]


def _supplied(claim: str, customer: Sequence[str]) -> frozenset[str]:
    repeated = supplied_by_thread(claim, customer) if customer else ()
    return frozenset(number for text in repeated for number in numbers_in(text))


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


def _key(pair: Pair, customer: Sequence[str]) -> str:
    return hashlib.sha256("\x00".join([*pair, *customer]).encode()).hexdigest()
