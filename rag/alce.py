"""Citation recall and precision of a reply, after ALCE: they need a judge, and no reference reply.

Source: Gao, Yen, Yu & Chen, Enabling Large Language Models to Generate Text with Citations, EMNLP
2023, section 3. As there, the scores of a reply are means over its claims and citations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from rag.cite import CitedClaim, bare_text
from rag.evidence import evidence_text

Supports = Callable[[str, Sequence[str]], bool]
"""Tells whether passages together support a claim, which is without markers."""


@dataclass(frozen=True, slots=True)
class ClaimScore:
    """A claim's citations: how many, how many of them are relevant, and whether they suffice."""

    supported: bool
    citations: int
    relevant: int


def score(claim: CitedClaim, supports: Supports) -> ClaimScore:
    """Judge the citations of one claim.

    A citation is relevant if its passage alone supports the claim, or if the others do not without
    it. A claim that cites nothing is not supported.
    """
    stated = bare_text(claim.text)
    passages = [evidence_text(evidence.hit) for evidence in claim.evidence]
    supported = bool(passages) and supports(stated, passages)
    if len(passages) == 1:
        return ClaimScore(supported, 1, int(supported))
    relevant = sum(
        supports(stated, [passage])
        or (supported and not supports(stated, [*passages[:at], *passages[at + 1 :]]))
        for at, passage in enumerate(passages)
    )
    return ClaimScore(supported, len(passages), relevant)


def recall(scores: Sequence[ClaimScore]) -> float | None:
    """Return the share of claims that their citations support; None where nothing is claimed."""
    return fmean(score.supported for score in scores) if scores else None


def precision(scores: Sequence[ClaimScore]) -> float | None:
    """Return the share of relevant citations: 0 where claims cite nothing, None without claims."""
    if not scores:
        return None
    citations = sum(score.citations for score in scores)
    return sum(score.relevant for score in scores) / citations if citations else 0.0
