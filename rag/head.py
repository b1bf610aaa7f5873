"""The head: what was learnt from solved tickets over an encoder that stays as it is.

A query map moves a ticket towards the documents that solve tickets like it, whether or not any
case points to them; a vector and a bias for each document remember the rest.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SHARPNESS = 20.0
# The part without memory weighs closeness so much more when it decides alone.
COLD_DENSE = 2.0


@dataclass(frozen=True)
class HeadWeights:
    """Weights over documents, by id; dimensions are those of the encoder.

    `query_map` is [dimensions, dimensions], `documents` [count, dimensions], `biases` [count].
    """

    dense: float
    query_map: Floats
    document_ids: tuple[str, ...]
    documents: Floats
    biases: Floats

    def logits(
        self, vector: Floats, document_ids: Sequence[str], means: Floats, dense: Floats
    ) -> tuple[Floats, Floats]:
        """Score documents for a question.

        Args:
            vector: The question's unit vector.
            document_ids: Documents, any that the head has never seen among them.
            means: [count, dimensions], the unit mean of each document's passage vectors.
            dense: [count], the closeness of each document.

        Returns:
            The logits, and those without what is remembered of each document.
        """
        mapped = SHARPNESS * (means @ (vector + vector @ self.query_map))
        known = np.array([self._rows.get(name, -1) for name in document_ids])
        memory = SHARPNESS * (self.documents @ vector) + self.biases
        remembered = np.where(known >= 0, memory[known], 0.0)
        return (
            np.asarray(self.dense * dense + mapped + remembered, np.float32),
            np.asarray(COLD_DENSE * self.dense * dense + mapped, np.float32),
        )

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.document_ids)}

    def to_bytes(self) -> bytes:
        """Pack the weights, in half precision."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            dense=np.float32(self.dense),
            query_map=self.query_map.astype(np.float16),
            document_ids=np.array(self.document_ids, dtype=np.str_),
            documents=self.documents.astype(np.float16),
            biases=self.biases.astype(np.float16),
        )
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack weights; nothing in them is executed."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            return cls(
                float(arrays["dense"]),
                arrays["query_map"].astype(np.float32),
                tuple(arrays["document_ids"].tolist()),
                arrays["documents"].astype(np.float32),
                arrays["biases"].astype(np.float32),
            )
