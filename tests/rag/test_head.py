"""The head: what it adds to a frozen encoder."""

import numpy as np
import pytest

from rag.head import HeadWeights

UNIT = np.eye(3, dtype=np.float32)


def head(**changes: object) -> HeadWeights:
    weights = {
        "dense": 5.0,
        "query_map": np.zeros((3, 3), np.float32),
        "document_ids": ("known",),
        "documents": np.array([[0.0, 1.0, 0.0]], np.float32),
        "biases": np.array([0.5], np.float32),
    }
    return HeadWeights(**{**weights, **changes})  # type: ignore[arg-type]


def test_a_document_it_has_never_seen_gets_what_the_map_says() -> None:
    dense = np.array([0.0, 0.0], np.float32)

    logits, _ = head().logits(UNIT[1], ["known", "new"], UNIT[:2], dense)

    # 20 x cosine of the mean, plus 20 x the vector and the bias of the known one.
    assert logits.tolist() == pytest.approx([20.5, 20.0])


def test_without_its_memory_only_map_and_closeness_count() -> None:
    dense = np.array([0.4], np.float32)

    logits, cold = head().logits(UNIT[1], ["known"], UNIT[:1], dense)

    assert logits.tolist() == pytest.approx([0.4 * 5 + 20.5])
    assert cold.tolist() == pytest.approx([2 * 0.4 * 5])


def test_the_map_moves_a_question_towards_other_documents() -> None:
    query_map = np.zeros((3, 3), np.float32)
    query_map[0, 2] = 1.0
    dense = np.zeros(2, np.float32)

    logits, _ = head(query_map=query_map).logits(UNIT[0], ["a", "b"], UNIT[1:], dense)

    assert logits.tolist() == pytest.approx([0.0, 20.0])


def test_packed_weights_come_back_in_half_precision() -> None:
    random = np.random.default_rng(0)
    packed = head(query_map=random.normal(size=(3, 3)).astype(np.float32)).to_bytes()

    again = HeadWeights.from_bytes(packed)

    assert again.document_ids == ("known",)
    assert again.to_bytes() == packed
    assert again.dense == 5.0
