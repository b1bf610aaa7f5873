"""A quote is as short as it can be and supports its claim by itself, where its passage does."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ingest.sentences import sentence_spans
from rag.cite import CitedClaim, Evidence, bare_text, trim
from rag.evidence import evidence_text
from rag.judgement import Finding
from rag.tables import Label

Judge = Callable[[Sequence[tuple[str, str]]], Sequence[Finding]]


def with_supporting_quotes(claims: Sequence[CitedClaim], judge: Judge) -> list[CitedClaim]:
    """Widen each quote that does not support its claim alone by the sentences beside it.

    A quote stays as it is where its passage does not support the claim, or no wider one does.
    """
    cited = [(claim, each) for claim in claims for each in claim.evidence if _is_supported(each)]
    pairs = [(bare_text(claim.text), evidence_text(each.hit, each.quote)) for claim, each in cited]
    found = zip(cited, judge(pairs), strict=True)
    short = {id(each): claim for (claim, each), alone in found if alone.label != Label.SUPPORTED}
    return [
        replace(
            claim,
            evidence=tuple(
                _widened(each, bare_text(claim.text), judge) if id(each) in short else each
                for each in claim.evidence
            ),
        )
        for claim in claims
    ]


def _is_supported(evidence: Evidence) -> bool:
    return evidence.finding is not None and evidence.finding.label == Label.SUPPORTED


def _widened(evidence: Evidence, stated: str, judge: Judge) -> Evidence:
    text, offset = evidence.hit.passage.text, evidence.hit.passage.start
    spans = _wider(text, evidence.quote_start - offset, evidence.quote_end - offset)
    pairs = [(stated, evidence_text(evidence.hit, text[start:end])) for start, end in spans]
    for (start, end), finding in zip(spans, judge(pairs), strict=True):
        if finding.label == Label.SUPPORTED:
            return replace(
                evidence,
                quote=text[start:end],
                quote_start=offset + start,
                quote_end=offset + end,
            )
    return evidence


def _wider(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return a stretch with its neighbouring sentences, the shortest first."""
    spans = list(sentence_spans(text))
    inside = [at for at, span in enumerate(spans) if span[0] < end and span[1] > start]
    if not inside:
        return []
    first, last = inside[0], inside[-1]
    before, after = max(0, first - 1), min(len(spans) - 1, last + 1)
    wider = {(before, last), (first, after), (before, after)} - {(first, last)}
    trimmed = [trim(text, spans[one][0], spans[other][1]) for one, other in wider]
    return sorted(trimmed, key=lambda span: (span[1] - span[0], span))
