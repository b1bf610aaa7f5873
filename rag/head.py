"""The head: what was learnt from solved tickets over an encoder that stays as it is.

A query map moves a ticket towards the documents that solve tickets like it, whether or not any
case points to them; a vector and a bias for each document remember the rest. Beside it, a linear
classifier knows the documents by how tickets are spelt.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.spelling import Spelling

Floats = NDArray[np.float32]

SHARPNESS = 20.0
SPELLING_SHARPNESS = 3.0
# The part without memory weighs closeness so much more when it decides alone.
COLD_DENSE = 2.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a head says of some documents: logits by meaning and by spelling.

    `cold` is the first without what is remembered of each document; documents that the head does
    not know have no logit (minus infinity) by spelling.
    """

    logits: Floats
    cold: Floats
    spelt: Floats


@dataclass(frozen=True)
class HeadWeights:
    """Weights over documents, by id; dimensions are those of the encoder.

    `query_map` is [dimensions, dimensions], `documents` [count, dimensions], `biases` [count];
    `spelt` [count, spelling dimensions] and `spelt_biases` [count] belong to `spelling`.
    """

    dense: float
    query_map: Floats
    document_ids: tuple[str, ...]
    documents: Floats
    biases: Floats
    spelling: Spelling
    spelt: Floats
    spelt_biases: Floats

    def ask(
        self,
        vector: Floats,
        spelt: Floats,
        document_ids: Sequence[str],
        means: Floats,
        dense: Floats,
    ) -> Learnt:
        """Score documents for a question.

        Args:
            vector: The question's unit vector.
            spelt: Its vector in the head's spelling.
            document_ids: Documents, any that the head has never seen among them.
            means: [count, dimensions], the unit mean of each document's passage vectors.
            dense: [count], the closeness of each document.
        """
        mapped = SHARPNESS * (means @ (vector + vector @ self.query_map))
        row = np.array([self._rows.get(name, -1) for name in document_ids])
        memory = SHARPNESS * (self.documents @ vector) + self.biases
        by_spelling = SPELLING_SHARPNESS * (self.spelt @ spelt) + self.spelt_biases
        remembered = np.where(row >= 0, memory[row], 0.0)
        return Learnt(
            np.asarray(self.dense * dense + mapped + remembered, np.float32),
            np.asarray(COLD_DENSE * self.dense * dense + mapped, np.float32),
            np.where(row >= 0, by_spelling[row], -np.inf).astype(np.float32),
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
            rarity=self.spelling.rarity.astype(np.float16),
            components=self.spelling.components.astype(np.float16),
            spelt=self.spelt.astype(np.float16),
            spelt_biases=self.spelt_biases.astype(np.float16),
        )
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack weights; nothing in them is executed."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            floats = {
                name: arrays[name].astype(np.float32)
                for name in arrays.files
                if name not in {"dense", "document_ids"}
            }
            return cls(
                float(arrays["dense"]),
                floats["query_map"],
                tuple(arrays["document_ids"].tolist()),
                floats["documents"],
                floats["biases"],
                Spelling(floats["rarity"], floats["components"]),
                floats["spelt"],
                floats["spelt_biases"],
            )
