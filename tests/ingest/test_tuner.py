"""Training an encoder: it learns its pairs, is saved as its base is, and can be called off."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.embed import PassageEncoder
from ingest.errors import EncoderError
from ingest.query_encoder import QueryEncoder
from ingest.tuner import Pair, Recipe, train
from ingest.weights import Weights
from tests.tiny_desk import TOPICS, write_encoder

RECIPE = Recipe(epochs=20, learning_rate=2e-3)

PAIRS = [
    Pair(question, passage, f"d{number}", frozenset([f"d{number}"]))
    for number, (question, passage) in enumerate(TOPICS.items())
]


class StopError(Exception):
    """The person has seen enough."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Return a small encoder of random weights."""
    return write_encoder(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def trained(tiny: Weights, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Return what the small encoder becomes by the pairs."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    train(tiny, PAIRS, folder, RECIPE, ignore)
    return Weights(str(folder))


def ignore(_done: int, _total: int) -> None:
    """Let it go on."""


def own_ranks(weights: Weights, pairs: Sequence[Pair]) -> list[int]:
    """Return at which place each question finds its own passage, from 0."""
    encoder = PassageEncoder(weights)
    questions = encoder.encode([pair.question for pair in pairs], lambda _: None)
    passages = encoder.encode([pair.passage for pair in pairs], lambda _: None)
    cosines = questions @ passages.T
    return [int(place) for place in (cosines > np.diag(cosines)[:, None]).sum(axis=1)]


def test_each_question_is_nearest_to_its_own_passage_after_training(
    tiny: Weights, trained: Weights
) -> None:
    before, after = own_ranks(tiny, PAIRS), own_ranks(trained, PAIRS)

    assert sum(before) > len(PAIRS)
    assert after == [0] * len(PAIRS)


def test_what_was_trained_lies_as_its_base_does_under_another_fingerprint(
    tiny: Weights, trained: Weights
) -> None:
    names = [
        {str(path.relative_to(weights.folder)) for path in weights.folder.rglob("*")}
        for weights in (tiny, trained)
    ]

    vector = QueryEncoder(trained).encode("lamp blinks orange")

    assert names[0] == names[1]
    assert vector.shape == (32,)
    assert trained.fingerprint != tiny.fingerprint
    assert (trained.folder / "config.json").read_text() == (tiny.folder / "config.json").read_text()


def test_the_same_training_gives_the_same_weights(
    tiny: Weights, trained: Weights, tmp_path: Path
) -> None:
    train(tiny, PAIRS, tmp_path / "model", RECIPE, ignore)

    assert Weights(str(tmp_path / "model")).fingerprint == trained.fingerprint


def test_progress_counts_every_pair_of_every_epoch(tiny: Weights, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def watch(done: int, total: int) -> None:
        seen.append((done, total))

    train(tiny, PAIRS, tmp_path / "model", Recipe(epochs=2, batch_pairs=3), watch)

    counts = [done for done, _ in seen]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1], len(counts)) == (0, 16, 7)
    assert {total for _, total in seen} == {16}


def test_a_training_that_is_called_off_leaves_nothing(tiny: Weights, tmp_path: Path) -> None:
    def watch(done: int, _total: int) -> None:
        if done:
            raise StopError

    with pytest.raises(StopError):
        train(tiny, PAIRS, tmp_path / "model", RECIPE, watch)

    assert [*tmp_path.iterdir()] == []


def test_passages_of_documents_that_answer_too_are_not_kept_away(
    tiny: Weights, tmp_path: Path
) -> None:
    everything = frozenset(pair.document for pair in PAIRS)
    pairs = [Pair(pair.question, pair.passage, pair.document, everything) for pair in PAIRS]
    texts = [pair.passage for pair in PAIRS]

    train(tiny, pairs, tmp_path / "model", Recipe(epochs=1, batch_pairs=len(pairs)), ignore)

    before = QueryEncoder(tiny).encode_many(texts)
    after = QueryEncoder(Weights(str(tmp_path / "model"))).encode_many(texts)
    assert (before * after).sum(axis=1).min() > 0.9999


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = write_encoder(tmp_path / "other", pooling="pooling_mode_cls_token")

    with pytest.raises(EncoderError, match="only a BERT with mean pooling"):
        train(other, PAIRS, tmp_path / "model", RECIPE, ignore)

    assert not (tmp_path / "model").exists()
