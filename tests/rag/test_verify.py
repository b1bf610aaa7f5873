"""Verdicts on claims: what the words tell for certain comes before what the model thinks."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.cite import cite
from rag.evidence import evidence_text
from rag.groundedness import Groundedness
from rag.tables import Label
from rag.verify import Verifier, customers_words
from tests.rag.desk import hit, weights

EVIDENCE = "The tank holds 1.8 litres. Never use vinegar. Descale every 2 months."


class Thinks(Groundedness):
    """A model that thinks the same of every pair, and counts what it was asked."""

    def __init__(self, probability: float) -> None:
        super().__init__(weights())
        self.asked: list[tuple[str, str]] = []
        self._probability = probability

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        self.asked += pairs
        return np.full(len(pairs), self._probability)


@pytest.mark.parametrize(
    ("claim", "thought", "label", "code"),
    [
        ("The tank holds 1.8 litres.", 0.1, Label.SUPPORTED, "verbatim"),
        ("The tank holds 2.8 litres.", 0.9, Label.REFUTED, "other_number"),
        ("Use vinegar.", 0.9, Label.REFUTED, "opposite"),
        ("The pump makes 15 bar.", 0.9, Label.NOT_ENOUGH_INFO, "number_absent"),
        ("1.8 litres fit into the tank.", 0.9, Label.SUPPORTED, "probable"),
        ("The tank is made of glass.", 0.2, Label.NOT_ENOUGH_INFO, "doubtful"),
    ],
)
def test_a_verdict_has_a_label_a_probability_and_a_reason(
    claim: str, thought: float, label: Label, code: str
) -> None:
    [found] = Verifier(Thinks(thought)).judge([(claim, EVIDENCE)])

    assert (found.label, found.reasons[0].code) == (label, code)
    assert (found.probability >= 0.5) == (label == Label.SUPPORTED)
    assert found.note


def test_what_was_judged_is_not_asked_again() -> None:
    model = Thinks(0.9)
    verifier = Verifier(model)
    pairs = [("The tank is large.", EVIDENCE), ("The tank is blue.", EVIDENCE)]

    verifier.judge(pairs)
    verifier.judge([pairs[0], ("The tank is red.", EVIDENCE)])

    assert [claim for claim, _ in model.asked] == [
        "The tank is large.",
        "The tank is blue.",
        "The tank is red.",
    ]


def test_one_pair_given_twice_is_asked_once() -> None:
    model = Thinks(0.9)

    found = Verifier(model).judge([("The tank is large.", EVIDENCE)] * 2)

    assert len(model.asked) == 1
    assert found[0] == found[1]


def test_a_claim_is_judged_by_each_of_its_passages_and_by_all_together() -> None:
    hits = [hit("The tank holds 1.8 litres."), hit("Descale every 2 months.", 2)]
    claims = cite("Descale every 2 months [1][2]. Is it loud? It is 5 years old.", hits)

    cited, bare = Verifier(Thinks(0.1)).check(claims)

    assert [each.finding.label for each in cited.evidence if each.finding] == [
        Label.NOT_ENOUGH_INFO,
        Label.SUPPORTED,
    ]
    assert cited.finding is not None
    assert cited.finding.label == Label.SUPPORTED
    assert bare.finding is None


def test_passages_support_together_what_neither_supports_alone() -> None:
    verifier = Verifier(Thinks(0.1))

    assert verifier.supports("Descale every 2 months.", ["The tank holds 2 litres.", EVIDENCE])
    assert not verifier.supports("Descale every 2 months.", ["The tank holds 1.8 litres."])


def test_a_passage_is_read_with_its_title_and_headings() -> None:
    row = hit("Press OK.")
    row.passage.heading_path = ["Aria 700", "Reset"]

    assert evidence_text(row).endswith("Aria 700\n\nReset\n\nPress OK.")


def test_numbers_that_a_claim_repeats_of_the_customers_words_need_no_passage() -> None:
    verifier = Verifier(Thinks(0.9))
    thread = [("customer", "Order 4711 of 3 May"), ("agent", "Your refund is 99 euros")]
    pairs = [("Order 4711 is on its way.", EVIDENCE), ("You get 99 euros.", EVIDENCE)]

    found = verifier.judge(pairs, customers_words(thread))

    assert [finding.label for finding in found] == [Label.SUPPORTED, Label.NOT_ENOUGH_INFO]
    assert verifier.judge(pairs[:1])[0].label == Label.NOT_ENOUGH_INFO
