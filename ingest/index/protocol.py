"""What a vector engine must be able to do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.tables import Visibility

Vector = NDArray[np.float32]
"""float32[dimensions], unit length."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Passages of one visibility class with their vectors: float32[len(passage_ids), dim]."""

    visibility: Visibility
    passage_ids: list[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage near a query; `score` is their cosine."""

    passage_id: str
    score: float


class IndexBuildError(Exception):
    """A new generation could not be read back."""


class GenerationError(Exception):
    """A generation cannot be read; what it held is in the record."""


class VectorIndex(Protocol):
    """An engine that keeps whole generations, each built once and never changed."""

    engine: str

    def build(self, generation: str, rows: Iterable[Rows]) -> None:
        """Write a new generation."""

    def holds(self, generation: str) -> bool:
        """Tell, at little cost, whether a generation is there at all."""

    def probe(self, generation: str, passages: int) -> bool:
        """Tell whether a generation is readable and complete."""

    def search(
        self, generation: str, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> list[Neighbour]:
        """Return up to k nearest passages in each visibility class, best first.

        Raises:
            GenerationError: The generation is damaged.
        """

    def drop(self, generation: str) -> None:
        """Remove a generation; one that is not there is no error."""

    def strays(self, published: Collection[str]) -> list[str]:
        """Name what builds that were killed left behind, given what was published."""
