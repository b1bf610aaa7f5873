"""Passages → vectors, many at a time."""

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest import backbone
from ingest.backbone import Backbone
from ingest.query_encoder import load_tokenizer, token_ids
from ingest.weights import Weights

Vectors = NDArray[np.float32]
"""float32[count, dimensions], rows of unit length."""

# Enough to keep a core busy, few enough for the intermediate results to stay in its caches.
BATCH_TOKENS = 2_048
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def fingerprint(self) -> str:
        """Name the model: vectors of one fingerprint can be compared with each other."""

    def encode(self, texts: Sequence[str], on_progress: Callable[[Sequence[int]], None]) -> Vectors:
        """Embed texts, telling after each batch which of them it has done."""


class PassageEncoder:
    """The real embedder. Loading it takes a second, so it happens on first use."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @property
    def fingerprint(self) -> str:
        """Name the model."""
        return self._weights.fingerprint

    def encode(self, texts: Sequence[str], on_progress: Callable[[Sequence[int]], None]) -> Vectors:
        """Embed texts, longest first: neighbours of one length are computed together.

        Returns:
            float32[len(texts), dimensions], rows of unit length.
        """
        ids = token_ids(self._tokenizer, texts)
        vectors = np.empty((len(texts), self._backbone.dimensions), dtype=np.float32)
        batches = list(_batches(ids))
        with backbone.streams() as threads:
            encoded = threads.map(
                lambda batch: self._backbone.encode([ids[index] for index in batch]), batches
            )
            for batch, part in zip(batches, encoded, strict=True):
                vectors[batch] = part
                on_progress(batch)
        return vectors

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return load_tokenizer(self._weights.folder)

    @cached_property
    def _backbone(self) -> Backbone:
        _keep_memory()
        return backbone.load(self._weights)


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for index in sorted(range(len(ids)), key=lambda index: -len(ids[index])):
        if batch and tokens + len(ids[index]) > BATCH_TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += len(ids[index])
    if batch:
        yield batch


def _keep_memory() -> None:
    """Let the C library keep freed memory for the next batch.

    Otherwise it returns every large block to the system and asks for it anew, which makes the
    products of a batch up to three times as slow: the system clears each page first.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 256 << 20)
