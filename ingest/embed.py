"""Passages → vectors, through sentence-transformers; only the worker imports this at work."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.query_encoder import QueryEncoder, export, fast_dtype, hush
from ingest.weights import Weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
"""float32[count, dimensions], rows of unit length."""

BATCH_SIZE = 8


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def fingerprint(self) -> str:
        """Name the model: vectors of one fingerprint can be compared with each other."""

    def encode(self, texts: Sequence[str], on_progress: Callable[[int], None]) -> Vectors:
        """Embed texts, telling after each batch how many are done."""


class PassageEncoder:
    """The real embedder. Loading it takes seconds, so it happens on first use."""

    def __init__(self, weights: Weights, exports: Path) -> None:
        self._weights = weights
        self._exports = exports

    @property
    def fingerprint(self) -> str:
        """Name the model."""
        return self._weights.fingerprint

    def encode(self, texts: Sequence[str], on_progress: Callable[[int], None]) -> Vectors:
        """Embed texts, longest first so that batches need little padding.

        Returns:
            float32[len(texts), dimensions], rows of unit length.
        """
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        parts = []
        for begin in range(0, len(order), BATCH_SIZE):
            batch = [texts[index] for index in order[begin : begin + BATCH_SIZE]]
            parts.append(self._encode_batch(batch))
            on_progress(begin + len(batch))
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        if parts:
            vectors[order] = np.concatenate(parts)
        return vectors

    @property
    def _dimensions(self) -> int:
        return int(self._model.get_embedding_dimension() or 0)

    def _encode_batch(self, texts: list[str]) -> Vectors:
        tensor = self._model.encode(
            texts,
            batch_size=len(texts),
            convert_to_tensor=True,
            normalize_embeddings=False,
            show_progress_bar=False,
        )
        vectors = tensor.float().cpu().numpy()
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    @cached_property
    def _model(self) -> "SentenceTransformer":
        hush()
        from sentence_transformers import SentenceTransformer

        # While the libraries are loaded anyhow: what is taken in now is searched next.
        if not QueryEncoder.exported(self._exports, self.fingerprint):
            export(self._weights, self._exports)
        return SentenceTransformer(
            str(self._weights.folder),
            device="cpu",
            model_kwargs={"dtype": fast_dtype()},
            local_files_only=True,
        )
