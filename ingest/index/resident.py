"""The vectors of all current passages in memory, by document: for what the index does not find."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ingest.db import Database
from ingest.index.protocol import Neighbour, Vector
from ingest.quarantine import is_free
from ingest.tables import Embedding, IndexOperation, Passage, Version, VersionStatus

FETCH_SIZE = 1_000
# A document that answers says so in more than one place: its best other passage counts by this.
# On 1,013 real tickets it gave two points of recall@5 (`make bench`).
SECOND_PASSAGE_WEIGHT = 0.3
# What a passage without such company is taken to have: a little less than its own.
ALONE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Resident:
    """A document's passages: `vectors` float16[count, dimensions], `mean` their unit mean."""

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
    """A document beside a question: `scores` are the cosines of its passages."""

    document: Resident
    scores: NDArray[np.float32]

    @property
    def closeness(self) -> float:
        """Return how near the document is, as `Resident.closeness` has it."""
        if len(self.scores) == 1:
            return (1 + SECOND_PASSAGE_WEIGHT * ALONE) * float(self.scores[0])
        second, first = np.partition(self.scores, -2)[-2:]
        return float(first + SECOND_PASSAGE_WEIGHT * second)

    def passage(self, passage_id: str) -> Neighbour:
        """Return one of the document's passages with its cosine."""
        score = self.scores[self.document.passage_ids.index(passage_id)]
        return Neighbour(passage_id, float(score))

    def nearest(self, count: int) -> list[Neighbour]:
        """Return the best passages with their cosines, best first."""
        best = np.argsort(-self.scores, kind="stable")[:count]
        names = self.document.passage_ids
        return [Neighbour(names[index], float(self.scores[index])) for index in best]


class ResidentVectors:
    """Documents of one embedding model, as the record has them; safe to share between threads."""

    def __init__(self, database: Database, model: str) -> None:
        self._database = database
        self._model = model
        self._lock = threading.Lock()
        self._sequence = -1
        self._documents: dict[str, Resident] = {}
        self._owners: dict[str, str] = {}

    def compare(
        self, passage_ids: Iterable[str], document_ids: Iterable[str], vector: Vector
    ) -> tuple[dict[str, str], dict[str, Compared]]:
        """Compare documents with a question: some, and those of some passages.

        Returns:
            The document of each passage, and the documents; what is not current is left out.
        """
        with self._lock:
            self._catch_up()
            owners = {name: self._owners[name] for name in passage_ids if name in self._owners}
            names = dict.fromkeys([*owners.values(), *document_ids])
            documents = {name: self._documents[name] for name in names if name in self._documents}
        if not documents:
            return {}, {}
        together = np.concatenate([each.vectors for each in documents.values()])
        all_scores = together.astype(np.float32) @ vector
        ends = np.cumsum([len(each.passage_ids) for each in documents.values()])[:-1]
        parts = zip(documents.items(), np.split(all_scores, ends), strict=True)
        return owners, {name: Compared(document, scores) for (name, document), scores in parts}

    def of(self, document_ids: Sequence[str]) -> dict[str, Resident]:
        """Return those of the documents that have current, embedded passages."""
        with self._lock:
            self._catch_up()
            return {name: self._documents[name] for name in document_ids if name in self._documents}

    def _catch_up(self) -> None:
        """Read again the documents that changed since the last time; at first, all."""
        with self._database.read() as session:
            newest = session.scalar(select(func.max(IndexOperation.sequence))) or 0
            if newest == self._sequence:
                return
            changed = None if self._sequence < 0 else self._changed(session)
            for name in changed or ():
                if (gone := self._documents.pop(name, None)) is not None:
                    for passage_id in gone.passage_ids:
                        self._owners.pop(passage_id, None)
            self._read(session, changed)
            self._sequence = newest

    def _changed(self, session: Session) -> list[str]:
        query = (
            select(Version.document_id)
            .join(Passage, Passage.version_id == Version.id)
            .join(IndexOperation, IndexOperation.passage_id == Passage.id)
            .where(IndexOperation.sequence > self._sequence)
            .distinct()
        )
        return list(session.scalars(query))

    def _read(self, session: Session, document_ids: list[str] | None) -> None:
        if document_ids is None:
            self._keep(session, _rows(self._model))
        for begin in range(0, len(document_ids or []), FETCH_SIZE):
            some = Version.document_id.in_((document_ids or [])[begin : begin + FETCH_SIZE])
            self._keep(session, _rows(self._model).where(some))

    def _keep(self, session: Session, query: Select[str, str, str, bytes]) -> None:
        found: dict[str, list[tuple[str, bytes]]] = {}
        languages: dict[str, str] = {}
        for document_id, language, passage_id, vector in session.execute(query):
            found.setdefault(document_id, []).append((passage_id, vector))
            languages[document_id] = language
        for document_id, rows in found.items():
            vectors = np.stack([np.frombuffer(vector, "<f4") for _, vector in rows])
            mean = vectors.mean(0)
            self._owners.update((passage_id, document_id) for passage_id, _ in rows)
            self._documents[document_id] = Resident(
                [passage_id for passage_id, _ in rows],
                vectors.astype(np.float16),
                mean / np.linalg.norm(mean),
                languages[document_id],
            )


def _rows(model: str) -> Select[str, str, str, bytes]:
    return (
        select(Version.document_id, Version.language, Passage.id, Embedding.vector)
        .join(Passage, Passage.version_id == Version.id)
        .join(Embedding, Embedding.content_hash == Passage.content_hash)
        .where(Version.status == VersionStatus.CURRENT, Embedding.model == model, is_free())
        .order_by(Version.document_id, Passage.ordinal)
    )
