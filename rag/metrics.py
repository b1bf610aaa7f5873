"""Ranking quality, with the definitions of TREC's evaluation program."""

import math
from collections.abc import Mapping, Sequence

Judgements = Mapping[str, int]
"""Relevance grade of each judged document for one query; above 0 is relevant."""


def recall(ranking: Sequence[str], judgements: Judgements, k: int) -> float:
    """Return the share of the relevant documents among the first k."""
    relevant = {document for document, grade in judgements.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], judgements: Judgements, k: int) -> float:
    """Return 1 / rank of the first relevant document among the first k, else 0."""
    for rank, document in enumerate(ranking[:k], start=1):
        if judgements.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def ndcg(ranking: Sequence[str], judgements: Judgements, k: int) -> float:
    """Return normalised discounted cumulative gain at k, with linear gain.

    Source: Järvelin & Kekäläinen, ACM TOIS 20(4), 2002; gain and discount as in trec_eval.
    """
    ideal = _gain(sorted(judgements.values(), reverse=True)[:k])
    gained = _gain([judgements.get(document, 0) for document in ranking[:k]])
    return gained / ideal if ideal else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _gain(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
