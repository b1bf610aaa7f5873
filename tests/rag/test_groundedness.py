"""The trained model: real weights, real pairs."""

import json
from pathlib import Path

import numpy as np
import pytest

from rag import groundedness
from rag.errors import VerifierError
from rag.groundedness import MAX_TOKENS, Groundedness, pair_ids, read_card
from tests.rag.desk import query_encoder, weights

PASSAGE = (
    "You can send the machine back within 30 days of delivery without giving a reason. The refund "
    "goes to the means of payment that was used for the order, within 5 working days of arrival."
)


def test_a_paraphrase_is_more_probable_than_an_invention() -> None:
    claims = [
        "A return is possible for 30 days after delivery.",
        "The refund goes to the means of payment of the order.",
        "Returned machines are sold again at a discount.",
        "The machine is delivered by drone.",
    ]

    found = Groundedness(weights()).probabilities([(claim, PASSAGE) for claim in claims])

    assert min(found[:2]) > 0.5 > max(found[2:])


def test_a_pair_has_one_probability_in_any_company() -> None:
    model = Groundedness(weights())
    pairs = [("The refund takes 5 days.", PASSAGE), ("No.", "Yes."), (PASSAGE, PASSAGE)] * 30

    together = model.probabilities(pairs)

    assert together[0] == pytest.approx(model.probabilities(pairs[:1])[0], abs=0.02)
    assert np.allclose(together[:3], together[3:6], atol=0.02)
    assert model.probabilities([]).shape == (0,)


def test_what_is_longer_than_the_window_is_cut() -> None:
    ids = pair_ids(query_encoder().tokenizer, "word " * 500, "text " * 5_000)

    assert len(ids) == MAX_TOKENS


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / "verifier.safetensors"
    altered.write_bytes(groundedness.WEIGHTS.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(groundedness, "WEIGHTS", altered)

    with pytest.raises(VerifierError, match=r"verifier\.safetensors is absent or is not"):
        Groundedness(weights()).probabilities([("a", "b")])


def test_a_card_without_a_curve_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    card = tmp_path / "verifier.json"
    card.write_text(json.dumps({"sha256": "0"}), encoding="utf-8")
    monkeypatch.setattr(groundedness, "CARD", card)
    read_card.cache_clear()

    with pytest.raises(VerifierError, match=r"verifier\.json"):
        Groundedness(weights()).probabilities([("a", "b")])
    read_card.cache_clear()
