"""The head: what it adds to a frozen encoder."""

import numpy as np
import pytest

from rag.head import Floats, HeadWeights, Learnt
from rag.spelling import Spelling

UNIT = np.eye(3, dtype=np.float32)
SPELT = np.array([0.6, 0.8], np.float32)


def head(**changes: object) -> HeadWeights:
    weights = {
        "dense": 5.0,
        "query_map": np.zeros((3, 3), np.float32),
        "document_ids": ("known",),
        "documents": np.array([[0.0, 1.0, 0.0]], np.float32),
        "biases": np.array([0.5], np.float32),
        "spelling": Spelling(np.ones(4, np.float32), np.ones((4, 2), np.float32)),
        "spelt": np.array([[1.0, 0.0]], np.float32),
        "spelt_biases": np.array([0.25], np.float32),
    }
    return HeadWeights(**{**weights, **changes})  # type: ignore[arg-type]


def ask(asked: HeadWeights, vector: Floats, names: list[str], means: Floats, near: float) -> Learnt:
    dense = np.full(len(names), near, np.float32)
    return asked.ask(vector, SPELT, names, means, dense)


def test_a_document_it_has_never_seen_gets_what_the_map_says() -> None:
    learnt = ask(head(), UNIT[1], ["known", "new"], UNIT[:2], 0.0)

    # 20 x cosine of the mean, plus 20 x the vector and the bias of the known one.
    assert learnt.logits.tolist() == pytest.approx([20.5, 20.0])


def test_spelling_speaks_only_for_the_documents_it_knows() -> None:
    learnt = ask(head(), UNIT[1], ["new", "known"], UNIT[:2], 0.0)

    assert learnt.spelt.tolist() == pytest.approx([-np.inf, 3 * 0.6 + 0.25])


def test_without_its_memory_only_map_and_closeness_count() -> None:
    learnt = ask(head(), UNIT[1], ["known"], UNIT[:1], 0.4)

    assert learnt.logits.tolist() == pytest.approx([0.4 * 5 + 20.5])
    assert learnt.cold.tolist() == pytest.approx([2 * 0.4 * 5])


def test_the_map_moves_a_question_towards_other_documents() -> None:
    query_map = np.zeros((3, 3), np.float32)
    query_map[0, 2] = 1.0

    learnt = ask(head(query_map=query_map), UNIT[0], ["a", "b"], UNIT[1:], 0.0)

    assert learnt.logits.tolist() == pytest.approx([0.0, 20.0])


def test_packed_weights_come_back_in_half_precision() -> None:
    random = np.random.default_rng(0)
    packed = head(query_map=random.normal(size=(3, 3)).astype(np.float32)).to_bytes()

    again = HeadWeights.from_bytes(packed)

    assert again.document_ids == ("known",)
    assert again.to_bytes() == packed
    assert again.dense == 5.0
    assert again.spelling.fingerprint == head().spelling.fingerprint
