"""A document as it is searched: its passages' vectors in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.index.protocol import Neighbour, Vector
from ingest.index.sketch import widened
from ingest.tables import Visibility

# A document that answers says so in more than one place: its best other passage counts by this.
# On 1,013 real tickets it gave two points of recall@5 (`make bench`).
SECOND_PASSAGE_WEIGHT = 0.3
# What a passage without such company is taken to have: a little less than its own.
ALONE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Resident:
    """A document's passages: `vectors` float16[count, dimensions], `mean` their unit mean."""

    document_id: str
    visibility: Visibility
    labels: frozenset[str]
    passage_ids: list[str]
    vectors: NDArray[np.float16]
    mean: NDArray[np.float32]
    language: str

    def closeness(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how near the document is to each of some questions, [count, dimensions].

        That is the cosine of its best passage and, by a part, of the next.
        """
        scores = vectors @ self.vectors.astype(np.float32).T
        if scores.shape[-1] == 1:
            return np.asarray((1 + SECOND_PASSAGE_WEIGHT * ALONE) * scores[..., 0], np.float32)
        best = np.partition(scores, -2, axis=-1)
        return np.asarray(best[..., -1] + SECOND_PASSAGE_WEIGHT * best[..., -2], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A document beside a question: the cosines of its passages, and which of them are best."""

    document: Resident
    scores: list[float]
    best_first: list[int]

    @property
    def closeness(self) -> float:
        """Return how near the document is, as `Resident.closeness` has it."""
        best = [self.scores[index] for index in self.best_first[:2]]
        return best[0] + SECOND_PASSAGE_WEIGHT * (best[1] if best[1:] else ALONE * best[0])

    def passage(self, passage_id: str) -> Neighbour:
        """Return one of the document's passages with its cosine."""
        return Neighbour(passage_id, self.scores[self.document.passage_ids.index(passage_id)])

    def nearest(self, count: int) -> list[Neighbour]:
        """Return the best passages with their cosines, best first."""
        names = self.document.passage_ids
        return [Neighbour(names[index], self.scores[index]) for index in self.best_first[:count]]


def compare(documents: Sequence[Resident], vector: Vector) -> Iterator[Compared]:
    """Compare documents, one at least, with a question, all at once."""
    counts = [len(document.passage_ids) for document in documents]
    scores = widened(np.concatenate([document.vectors for document in documents])) @ vector
    owners = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    # By document, then the best first; a passage's place is counted within its document.
    order = np.lexsort((-scores, owners)) - np.repeat(ends - counts, counts)
    begin, all_scores, all_places = 0, scores.tolist(), order.tolist()
    for document, end in zip(documents, ends.tolist(), strict=True):
        yield Compared(document, all_scores[begin:end], all_places[begin:end])
        begin = end
