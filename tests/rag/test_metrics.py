"""The measures, by hand on TREC-style lines and against an independent implementation."""

import random

import ir_measures
import pytest
from ir_measures import RR, R, nDCG

from rag.metrics import ndcg, percentile, recall, reciprocal_rank

QRELS = """\
q1 0 a 1
q1 0 b 0
q1 0 c 2
q2 0 a 1"""
RUN = """\
q1 Q0 b 1 3.0 x
q1 Q0 c 2 2.0 x
q1 Q0 a 3 1.0 x
q2 Q0 b 1 3.0 x
q2 Q0 c 2 2.0 x"""


def _judgements(query: str) -> dict[str, int]:
    rows = (line.split() for line in QRELS.splitlines())
    return {row[2]: int(row[3]) for row in rows if row[0] == query}


def _ranking(query: str) -> list[str]:
    rows = (line.split() for line in RUN.splitlines())
    return [row[2] for row in rows if row[0] == query]


def test_recall_counts_the_relevant_documents_among_the_first_k() -> None:
    assert [recall(_ranking("q1"), _judgements("q1"), k) for k in (1, 2, 3)] == [0.0, 0.5, 1.0]
    assert recall(_ranking("q2"), _judgements("q2"), 10) == 0.0


def test_reciprocal_rank_is_that_of_the_first_relevant_document_within_k() -> None:
    assert reciprocal_rank(_ranking("q1"), _judgements("q1"), 10) == 0.5
    assert reciprocal_rank(_ranking("q1"), _judgements("q1"), 1) == 0.0
    assert reciprocal_rank(_ranking("q2"), _judgements("q2"), 10) == 0.0


def test_ndcg_has_linear_gain_and_a_logarithmic_discount() -> None:
    # Found: 0, then 2 / log2(3), then 1 / log2(4). Ideal: 2 / log2(2), then 1 / log2(3).
    found, ideal = 2 / 1.5849625007 + 1 / 2, 2 + 1 / 1.5849625007

    assert ndcg(_ranking("q1"), _judgements("q1"), 10) == pytest.approx(found / ideal)


@pytest.mark.parametrize("judged", [{}, {"a": 0}, {"a": -1}])
def test_a_query_without_relevant_documents_scores_nought(judged: dict[str, int]) -> None:
    assert recall(["a"], judged, 5) == 0.0
    assert ndcg(["a"], judged, 10) == 0.0
    assert reciprocal_rank(["a"], judged, 10) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_the_measures_equal_those_of_ir_measures(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"d{number}" for number in range(30)]
    qrels = {
        f"q{query}": {name: chance.choice([-1, 0, 0, 1, 2, 3]) for name in chance.sample(names, 12)}
        for query in range(8)
    }
    for judged in qrels.values():
        judged[names[0]] = 1
    rankings = {query: chance.sample(names, chance.randint(1, 30)) for query in qrels}
    run = {
        query: {name: float(-rank) for rank, name in enumerate(ranking)}
        for query, ranking in rankings.items()
    }

    theirs = {
        (str(row.measure), row.query_id): row.value
        for row in ir_measures.iter_calc([R @ 5, R @ 10, nDCG @ 10, RR @ 10], qrels, run)
    }

    for query, judged in qrels.items():
        ranking = rankings[query]
        ours = {
            "R@5": recall(ranking, judged, 5),
            "R@10": recall(ranking, judged, 10),
            "nDCG@10": ndcg(ranking, judged, 10),
            "RR@10": reciprocal_rank(ranking, judged, 10),
        }
        for measure, value in ours.items():
            assert value == pytest.approx(theirs[measure, query], rel=0, abs=1e-9)


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.50) == 2.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.95) == 4.0
    assert percentile([7.0], 0.0) == 7.0
