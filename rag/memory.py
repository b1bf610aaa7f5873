"""The cases as they are asked: one matrix, whose nearest rows vote for documents."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from rag.head import HeadWeights

NEAREST = 100
# How fast a case counts less the less similar it is: half as much 0.07 further away.
TEMPERATURE = 0.1
# A case that is so near is much like the question.
SIMILAR = 0.5


@dataclass(frozen=True, slots=True)
class Votes:
    """What the most similar cases say.

    `shares` by document add up to 1 at most; `similar` counts, by document, cases much like the
    question.
    """

    shares: dict[str, float]
    similar: dict[str, int]

    def among(self, document_ids: Collection[str]) -> "Votes":
        """Return the votes for some documents, as if there were no others."""
        kept = {name: share for name, share in self.shares.items() if name in document_ids}
        total = sum(kept.values()) or 1.0
        return Votes({name: share / total for name, share in kept.items()}, self.similar)


@dataclass(frozen=True, eq=False)
class Memory:
    """Cases, oldest first, and their votes: row i of `vectors` votes where `rows` is i.

    `rows`, `documents` (indices into `document_ids`) and `weights` are parallel, sorted by row.
    """

    vectors: NDArray[np.float32]
    products: list[str | None]
    languages: list[str]
    solved_at: list[datetime]
    rows: NDArray[np.int64]
    documents: NDArray[np.int64]
    weights: NDArray[np.float32]
    document_ids: list[str]
    head: HeadWeights | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to ask."""
        return not len(self.rows)

    def count(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return how many cases point to each document."""
        counts = np.bincount(self.documents, minlength=len(self.document_ids))
        by_id = dict(zip(self.document_ids, counts.tolist(), strict=True))
        return np.array([by_id.get(name, 0) for name in document_ids], np.int64)

    def ask(self, vector: NDArray[np.float32], product: str | None = None) -> Votes:
        """Let the nearest cases vote; those of another product keep out of it."""
        if self.is_empty:
            return Votes({}, {})
        closeness = self.vectors @ vector
        if product is not None:
            foreign = [other is not None and other != product for other in self.products]
            closeness = np.where(foreign, -np.inf, closeness)
        strength = self._strength(closeness)
        shares = self.shares(closeness)
        alike = (strength > 0) & (closeness >= SIMILAR)
        similar = np.bincount(self.documents[alike[self.rows]], minlength=len(self.document_ids))
        chosen = np.flatnonzero(shares)
        return Votes(
            {self.document_ids[index]: float(shares[index]) for index in chosen},
            {self.document_ids[index]: int(similar[index]) for index in chosen},
        )

    def shares(self, closeness: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each document's share of the votes, given how near each case is."""
        votes = self.weights * self._strength(closeness)[self.rows]
        shares = np.bincount(self.documents, votes, len(self.document_ids)).clip(min=0.0)
        return np.asarray(shares / (shares.sum() or 1.0), np.float32)

    def before(self, case: int) -> "Memory":
        """Return the memory as it was when only the first cases were known."""
        kept = self.rows < case
        return replace(
            self,
            vectors=self.vectors[:case],
            rows=self.rows[kept],
            documents=self.documents[kept],
            weights=self.weights[kept],
        )

    def newest(self, count: int) -> "Memory":
        """Return the memory of the newest cases only."""
        first = max(0, len(self.vectors) - count)
        kept = self.rows >= first
        return replace(
            self,
            vectors=self.vectors[first:],
            products=self.products[first:],
            languages=self.languages[first:],
            solved_at=self.solved_at[first:],
            rows=self.rows[kept] - first,
            documents=self.documents[kept],
            weights=self.weights[kept],
        )

    @staticmethod
    def _strength(closeness: NDArray[np.float32]) -> NDArray[np.float32]:
        nearest = np.argpartition(-closeness, min(NEAREST, len(closeness)) - 1)[:NEAREST]
        strength = np.zeros(len(closeness), np.float32)
        if np.isfinite(nearest_of_all := closeness.max()):
            strength[nearest] = np.exp((closeness[nearest] - nearest_of_all) / TEMPERATURE)
        return strength


EMPTY = Memory(
    np.empty((0, 0), np.float32),
    [],
    [],
    [],
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.float32),
    [],
)
