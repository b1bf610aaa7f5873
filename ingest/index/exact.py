"""Exact search by numpy: for what changed since a generation, and as the oracle in tests."""

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from ingest.index.protocol import Neighbour, Rows, Vector
from ingest.tables import Visibility


class ExactIndex:
    """Generations kept in memory and scanned whole."""

    engine = "exact"

    def __init__(self) -> None:
        self._generations: dict[str, list[Rows]] = {}

    def build(self, generation: str, rows: Iterable[Rows]) -> None:
        """Keep a new generation."""
        self._generations[generation] = list(rows)

    def holds(self, generation: str) -> bool:
        """Tell whether the generation was built by this object."""
        return generation in self._generations

    def probe(self, generation: str, passages: int) -> bool:
        """Tell whether the generation is here with that many passages."""
        rows = self._generations.get(generation)
        return rows is not None and sum(len(part.passage_ids) for part in rows) == passages

    def search(
        self, generation: str, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> list[Neighbour]:
        """Return the k nearest passages in each visibility class, best first."""
        parts = [
            nearest(part.passage_ids, part.vectors, vector, k)
            for part in self._generations[generation]
            if part.visibility in visibilities
        ]
        return sorted((hit for part in parts for hit in part), key=lambda hit: -hit.score)

    def drop(self, generation: str) -> None:
        """Forget a generation."""
        self._generations.pop(generation, None)

    def strays(self, published: Collection[str]) -> list[str]:
        """Name generations that nobody published."""
        return [name for name in self._generations if name not in published]


def nearest(
    passage_ids: list[str], vectors: NDArray[np.float32], vector: Vector, k: int
) -> list[Neighbour]:
    """Return the k rows with the highest cosine, best first."""
    if not passage_ids:
        return []
    scores = vectors @ vector
    best = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    best = best[np.argsort(-scores[best], kind="stable")]
    return [Neighbour(passage_ids[index], float(scores[index])) for index in best]
