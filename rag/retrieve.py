"""A question → the passages most likely to answer it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from ingest import lexical
from ingest.access import Scope
from ingest.db import Database
from ingest.index.protocol import Neighbour
from ingest.index.served import ServedIndex
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Passage, Version, VersionStatus

# So many neighbours are looked at, and more where the reader may not see them.
POOL = 100
ATTEMPTS = 4
GROWTH = 4
# A document that answers says so in more than one place: its best other passage counts by this.
# On 1,013 real tickets it gave two points of recall@5 (`make bench`).
SECOND_PASSAGE_WEIGHT = 0.3
# What the words add to the meaning. Of 201 questions about long PDFs, 172 instead of 163 find the
# cited page (`python -m tests.bench.northwind`); on the long tickets above, whose words are mostly
# noise, it changes next to nothing.
WORDS_WEIGHT = 0.2
WORDS_POOL = 50
# What a passage without such company is taken to have: a little less than its own.
ALONE = 0.9


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question; ranks count from 1, `why` says it in words.

    `score` is the cosine of passage and question; ranks weigh the document's other passages too.
    """

    rank: int
    score: float
    passage: Passage
    version: Version
    document: Document
    why: str


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
        with self._database.read() as session:
            words = lexical.search(session, question, WORDS_POOL, scope.visibilities)
        shares = {hit.passage_id: hit.score for hit in words}
        wanted = max(k, POOL)
        neighbours: list[Neighbour] = []
        owners: dict[str, str] = {}
        for _ in range(ATTEMPTS):
            # No session is open here: the index takes one of its own, and both waiting for the
            # other's would stop every search.
            near = self._index.search(vector, wanted, scope.visibilities)
            neighbours = near + self._index.score(vector, shares.keys() - _ids(near))
            with self._database.read() as session:
                owners = _permitted(session, neighbours, scope, language)
            if len(owners) >= k or len(near) < wanted:
                break
            wanted *= GROWTH
        permitted = [hit for hit in neighbours if hit.passage_id in owners]
        ranked = _rank(permitted, shares, owners)
        with self._database.read() as session:
            return _load(session, ranked[:k])


def _ids(neighbours: Sequence[Neighbour]) -> set[str]:
    return {neighbour.passage_id for neighbour in neighbours}


def _permitted(
    session: Session, neighbours: Sequence[Neighbour], scope: Scope, language: str | None
) -> dict[str, str]:
    """Return the document of each neighbour that the record calls current and permitted."""
    query = (
        select(Passage.id, Document.id, Document.visibility, Document.labels)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_([neighbour.passage_id for neighbour in neighbours]))
        .where(Version.status == VersionStatus.CURRENT)
    )
    if language is not None:
        query = query.where(Version.language == language)
    return {
        passage_id: document_id
        for passage_id, document_id, visibility, labels in session.execute(query)
        if scope.allows(visibility, labels)
    }


def _rank(
    neighbours: Sequence[Neighbour], shares: Mapping[str, float], owners: Mapping[str, str]
) -> list[Neighbour]:
    """Order neighbours by meaning, words and the best other passage of their document."""
    scores = {
        hit.passage_id: hit.score + WORDS_WEIGHT * shares.get(hit.passage_id, 0.0)
        for hit in neighbours
    }
    best: dict[str, list[float]] = defaultdict(list)
    for score, passage_id in sorted(((scores[id_], id_) for id_ in scores), reverse=True):
        best[owners[passage_id]].append(score)

    def strength(neighbour: Neighbour) -> float:
        score = scores[neighbour.passage_id]
        first, *rest = best[owners[neighbour.passage_id]]
        second = rest[0] if rest else ALONE * first
        return score + SECOND_PASSAGE_WEIGHT * (second if score == first else first)

    return sorted(neighbours, key=strength, reverse=True)


def _load(session: Session, neighbours: Sequence[Neighbour]) -> list[Hit]:
    query = (
        select(Passage, Version, Document)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_([neighbour.passage_id for neighbour in neighbours]))
        # A version's whole text is megabytes where a passage is wanted.
        .options(defer(Version.text, raiseload=True))
    )
    found = {row.Passage.id: row for row in session.execute(query)}
    return [
        Hit(rank, neighbour.score, row.Passage, row.Version, row.Document, "close in meaning")
        for rank, neighbour in enumerate(neighbours, start=1)
        # A document may have been withdrawn since; its passages stay for the record.
        for row in [found[neighbour.passage_id]]
    ]
