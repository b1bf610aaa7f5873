"""Queries → vectors, one at a time, at once."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest import backbone
from ingest.backbone import Backbone
from ingest.weights import Weights

MAX_TOKENS = 256


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load a model's tokenizer without the padding and truncation stored with it."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_offsets(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the start offset of every token of a text."""
    return [start for start, _ in tokenizer.encode(text, add_special_tokens=False).offsets]


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens that the model sees of texts, each cut to its window."""
    whole = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    return [ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]] for ids in whole]


class QueryEncoder:
    """Embeds single texts; safe to share between threads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Name the model: the same as that of the passages' encoder."""
        return self._weights.fingerprint

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the encoder's tokenizer, untruncated."""
        return load_tokenizer(self._weights.folder)

    def encode(self, text: str) -> NDArray[np.float32]:
        """Embed one text, cut to the model's window: a ticket's matter is near its start.

        Returns:
            float32[dimensions] of unit length.
        """
        unit: NDArray[np.float32] = self.encode_many([text])[0]
        return unit

    def encode_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, each cut to the model's window.

        Returns:
            float32[len(texts), dimensions], rows of unit length.
        """
        # One at a time: two would only take the processor's cores from each other.
        with self._lock:
            # One by one, so that a text has the same vector in any company.
            parts = [self._backbone.encode([ids]) for ids in token_ids(self.tokenizer, texts)]
        return np.concatenate(parts)

    @cached_property
    def _backbone(self) -> Backbone:
        return backbone.load(self._weights)
