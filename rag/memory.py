"""The cases as they are asked: one matrix, whose nearest rows vote for documents."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingest.index.sketch import Sketch
from rag.head import HeadWeights

# A case that is so near is much like the question.
SIMILAR = 0.5
# Of a language of which the desk has solved fewer tickets than this, the encoder is no judge.
FEW_OF_LANGUAGE = 20

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Manner:
    """How cases are compared: so many of the nearest vote.

    A case counts half as much 0.7 `temperature` further away; `spelling` weighs the likeness in
    spelling beside that in meaning.
    """

    nearest: int
    temperature: float
    spelling: float


# Where the encoder compares poorly, more cases vote, more alike, and more by their spelling. Chosen
# on tickets in Italian, Spanish and Czech with only the English ones known.
AT_HOME, ABROAD = Manner(100, 0.1, 0.2), Manner(200, 0.2, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked, as vectors; `spelt` is in the spelling of the head that serves, if any."""

    vector: Floats
    language: str
    product: str | None = None
    spelt: Floats | None = None


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
    `spellings` is parallel to `vectors`, in the spelling of the head; None without one.
    """

    vectors: Floats
    products: list[str | None]
    languages: list[str]
    solved_at: list[datetime]
    rows: NDArray[np.int64]
    documents: NDArray[np.int64]
    weights: NDArray[np.float32]
    document_ids: list[str]
    head: HeadWeights | None = None
    spellings: Floats | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to ask."""
        return not len(self.rows)

    def count(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return how many cases point to each document."""
        return np.array([self._cases_of.get(name, 0) for name in document_ids], np.int64)

    @cached_property
    def _cases_of(self) -> dict[str, int]:
        counts = np.bincount(self.documents, minlength=len(self.document_ids))
        return dict(zip(self.document_ids, counts.tolist(), strict=True))

    def ask(self, question: Question) -> Votes:
        """Let the nearest cases vote; those of another product keep out of it."""
        if self.is_empty:
            return Votes({}, {})
        shares, alike = self._answer(question)
        similar = np.bincount(self.documents[alike[self.rows]], minlength=len(self.document_ids))
        chosen = np.flatnonzero(shares)
        return Votes(
            {self.document_ids[index]: float(shares[index]) for index in chosen},
            {self.document_ids[index]: int(similar[index]) for index in chosen},
        )

    def shares(self, question: Question) -> Floats:
        """Return each document's share of the votes, parallel to `document_ids`."""
        return self._answer(question)[0]

    @cached_property
    def _of_language(self) -> Counter[str]:
        return Counter(self.languages)

    def before(self, case: int) -> "Memory":
        """Return the memory as it was when only the first cases were known."""
        kept = self.rows < case
        return replace(
            self,
            vectors=self.vectors[:case],
            products=self.products[:case],
            solved_at=self.solved_at[:case],
            languages=self.languages[:case],
            spellings=None if self.spellings is None else self.spellings[:case],
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
            spellings=None if self.spellings is None else self.spellings[first:],
            products=self.products[first:],
            languages=self.languages[first:],
            solved_at=self.solved_at[first:],
            rows=self.rows[kept] - first,
            documents=self.documents[kept],
            weights=self.weights[kept],
        )

    def _answer(self, question: Question) -> tuple[Floats, NDArray[np.bool_]]:
        """Return each document's share, and which cases are much like the question.

        The nearest cases have a say, by how near they are.
        """
        manner = ABROAD if self._of_language[question.language] < FEW_OF_LANGUAGE else AT_HOME
        cases = self._leaders(question, manner)
        near = self.vectors[cases] @ question.vector
        closeness = near
        if question.spelt is not None and self.spellings is not None:
            closeness = near + manner.spelling * (self.spellings[cases] @ question.spelt)
        best = np.argsort(-closeness, kind="stable")[: manner.nearest]
        strength = np.zeros(len(self.vectors), np.float32)
        strength[cases[best]] = np.exp((closeness[best] - closeness[best[:1]]) / manner.temperature)
        alike = np.zeros(len(self.vectors), np.bool_)
        alike[cases[best]] = near[best] >= SIMILAR
        votes = np.bincount(
            self.documents, self.weights * strength[self.rows], len(self.document_ids)
        ).clip(min=0.0)
        return np.asarray(votes / (votes.sum() or 1.0), np.float32), alike

    def _leaders(self, question: Question, manner: Manner) -> NDArray[np.intp]:
        """Return cases with those nearest to the question among them."""
        estimate = self._sketch.estimate(question.vector)
        if question.spelt is not None and self._spelt_sketch is not None:
            estimate = estimate.plus(manner.spelling, self._spelt_sketch.estimate(question.spelt))
        if question.product is None:
            return estimate.leaders(manner.nearest)
        own = np.isin(self._products, ["", question.product])
        return estimate.leaders(manner.nearest, own)

    @cached_property
    def _sketch(self) -> Sketch:
        return Sketch(self.vectors)

    @cached_property
    def _spelt_sketch(self) -> Sketch | None:
        return None if self.spellings is None else Sketch(self.spellings)

    @cached_property
    def _products(self) -> NDArray[np.str_]:
        return np.array([product or "" for product in self.products], np.str_)


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
