"""Citation recall and precision against scores counted by hand."""

from collections.abc import Sequence

import pytest

from rag import alce
from rag.alce import ClaimScore
from rag.cite import cite
from rag.evidence import evidence_text
from tests.rag.desk import hit

HITS = [hit("The tank holds 2 litres."), hit("The pump is loud.", 2), hit("Tanks are blue.", 3)]


def all_words(claim: str, passages: Sequence[str]) -> bool:
    """Judge by words: passages support a claim if they have every word of it."""
    known = {word.strip(".").lower() for text in passages for word in text.split()}
    return {word.strip(".").lower() for word in claim.split()} <= known


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The tank holds 2 litres [1].", ClaimScore(True, 1, 1)),
        ("The tank holds 2 litres [2].", ClaimScore(False, 1, 0)),
        ("The tank holds 2 litres.", ClaimScore(False, 0, 0)),
        # The second passage adds nothing.
        ("The tank holds 2 litres [1][2].", ClaimScore(True, 2, 1)),
        # Only together they say it: without either it is not supported.
        ("The pump holds 2 litres [1][2].", ClaimScore(True, 2, 2)),
        # The third is not needed for what the others say together.
        ("The pump holds 2 litres [1][2][3].", ClaimScore(True, 3, 2)),
        ("The pump is green [1][2].", ClaimScore(False, 2, 0)),
    ],
)
def test_a_citation_counts_if_it_supports_alone_or_is_needed(
    sentence: str, expected: ClaimScore
) -> None:
    [claim] = cite(sentence, HITS)

    assert alce.score(claim, all_words) == expected


def test_recall_is_over_claims_and_precision_over_citations() -> None:
    scores = [ClaimScore(True, 1, 1), ClaimScore(True, 3, 2), ClaimScore(False, 0, 0)]

    assert alce.recall(scores) == pytest.approx(2 / 3)
    assert alce.precision(scores) == 3 / 4


def test_a_reply_that_cites_nothing_has_no_precise_citation_and_one_without_claims_no_score() -> (
    None
):
    assert alce.precision([ClaimScore(False, 0, 0)]) == 0.0
    assert alce.precision([]) is None
    assert alce.recall([]) is None


def test_a_row_is_judged_with_the_names_of_its_columns() -> None:
    row = hit("E17 | Water flow too low")
    row.passage.table_header = "Code | Meaning"

    assert "Code | Meaning\nE17 | Water flow too low" in evidence_text(row)
    assert evidence_text(HITS[0]).endswith("The tank holds 2 litres.")
