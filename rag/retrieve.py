"""A question → the passages most likely to answer it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.access import Scope
from ingest.db import Database
from ingest.index.protocol import Neighbour
from ingest.index.served import ServedIndex
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Passage, Version, VersionStatus

# Passages that the reader may not see, or in another language, are dropped after the search.
OVERSAMPLING = 4
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question; ranks count from 1, `why` says it in words."""

    rank: int
    score: float
    passage: Passage
    version: Version
    document: Document
    why: str


Keep = Callable[[Version], bool]


class Retriever:
    """Searches the knowledge base; signals other than meaning join in `search`."""

    def __init__(self, database: Database, encoder: QueryEncoder, index: ServedIndex) -> None:
        self._database = database
        self._encoder = encoder
        self._index = index

    @property
    def fingerprint(self) -> str:
        """Name the index generation and model that answer now."""
        state = self._index.state()
        return f"{state.model}/{state.generation or 'delta'}"

    def search(self, question: str, k: int, scope: Scope, language: str | None = None) -> list[Hit]:
        """Return the k best passages that the scope permits, best first.

        With a language, only documents in that language are searched.
        """
        vector = self._encoder.encode(question)
        wanted = k
        hits: list[Hit] = []
        for _ in range(ATTEMPTS):
            wanted *= OVERSAMPLING
            neighbours = self._index.search(vector, wanted, scope.visibilities)
            with self._database.read() as session:
                hits = _load(session, neighbours, scope, language)
            if len(hits) >= k or len(neighbours) < wanted:
                break
        return [replace(hit, rank=rank) for rank, hit in enumerate(hits[:k], start=1)]


def _load(
    session: Session, neighbours: Sequence[Neighbour], scope: Scope, language: str | None
) -> list[Hit]:
    """Read neighbours from the record, which decides once more what is current and permitted."""
    query = (
        select(Passage, Version, Document)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_([neighbour.passage_id for neighbour in neighbours]))
        .where(Version.status == VersionStatus.CURRENT)
    )
    if language is not None:
        query = query.where(Version.language == language)
    found = {row.Passage.id: row for row in session.execute(query) if scope.permits(row.Document)}
    return [
        Hit(0, neighbour.score, row.Passage, row.Version, row.Document, "close in meaning")
        for neighbour in neighbours
        if (row := found.get(neighbour.passage_id)) is not None
    ]
