"""A question → the passages most likely to answer it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from ingest import lexical
from ingest.access import Scope
from ingest.db import Database
from ingest.index.protocol import Neighbour, Vector
from ingest.index.resident import ALONE, SECOND_PASSAGE_WEIGHT, ResidentVectors
from ingest.index.served import ServedIndex
from ingest.language import detect
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Passage, Version, VersionStatus
from rag.memory import Question, Votes
from rag.memory_keeper import MemoryKeeper
from rag.remembered import Remembered

# So many neighbours are looked at, and more where the reader may not see them.
POOL = 100
ATTEMPTS = 4
GROWTH = 4
# What the words add to the meaning. Of 201 questions about long PDFs, 172 instead of 163 find the
# cited page (`python -m tests.bench.northwind`); on the long tickets above, whose words are mostly
# noise, it changes next to nothing.
WORDS_WEIGHT = 0.2
WORDS_POOL = 50
# Of a document that only the cases point to, so many passages are looked at.
PASSAGES_OF_VOTED = 3
# A passage about so much of what is asked, by its words, is told so.
MANY_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question; ranks count from 1, `why` says it in words.

    `score` is the cosine of passage and question; ranks weigh the document's other passages and
    the desk's solved tickets too. `votes` is the document's share of what those say, from 0 to 1.
    """

    rank: int
    score: float
    passage: Passage
    version: Version
    document: Document
    why: str
    votes: float = 0.0


class Retriever:
    """Searches the knowledge base; signals other than meaning join in `search`."""

    def __init__(
        self,
        database: Database,
        encoder: QueryEncoder,
        index: ServedIndex,
        learns: Callable[[Session], bool] = lambda _: True,
    ) -> None:
        """Search; `learns` tells whether the desk wants its solved tickets to have a say."""
        self._database = database
        self._encoder = encoder
        self._index = index
        self._resident = ResidentVectors(database, encoder.fingerprint)
        self._memory = MemoryKeeper(database, encoder.fingerprint, learns)

    @property
    def fingerprint(self) -> str:
        """Name the index generation and model that answer now."""
        state = self._index.state()
        return f"{state.model}/{state.generation or 'delta'}"

    def search(
        self,
        question: str,
        k: int,
        scope: Scope,
        language: str | None = None,
        product: str | None = None,
    ) -> list[Hit]:
        """Return the k best passages that the scope permits, best first.

        With a language, only documents in that language are searched; with a product, solved
        tickets of another product have no say.
        """
        vector = self._encoder.encode(question)
        memory = self._memory.current()
        spelt = memory.head.spelling.vectors([question])[0] if memory.head else None
        asked = Question(vector, language or detect(question), product, spelt)
        votes = memory.ask(asked)
        with self._database.read() as session:
            words = lexical.search(session, question, WORDS_POOL, scope.visibilities)
        shares = {hit.passage_id: hit.score for hit in words}
        voted = self._voted(vector, votes)
        wanted = max(k, POOL)
        neighbours: list[Neighbour] = []
        owners: dict[str, str] = {}
        for _ in range(ATTEMPTS):
            # No session is open here: the index takes one of its own, and both waiting for the
            # other's would stop every search.
            near = self._index.search(vector, wanted, scope.visibilities)
            neighbours = _joined(near, voted)
            neighbours += self._index.score(vector, shares.keys() - _ids(neighbours))
            with self._database.read() as session:
                owners = _permitted(session, neighbours, scope, language)
            if len(owners) >= k or len(near) < wanted:
                break
            wanted *= GROWTH
        # What the reader may not see has no part in it, not even by what it takes from others.
        votes = votes.among(set(owners.values()))
        permitted = [hit for hit in neighbours if hit.passage_id in owners]
        ranked = _rank(permitted, shares, owners)
        if not memory.is_empty:
            documents = self._resident.of(list(owners.values()))
            ranked = Remembered(memory, votes, asked).order(ranked, owners, documents)
        with self._database.read() as session:
            return _load(session, ranked[:k], votes, shares)

    def _voted(self, vector: Vector, votes: Votes) -> list[Neighbour]:
        """Return the nearest passages of each document that a case points to."""
        if not votes.shares:
            return []
        documents = self._resident.of(list(votes.shares))
        return [
            hit
            for document in documents.values()
            for hit in document.nearest(vector)[:PASSAGES_OF_VOTED]
        ]


def _joined(first: Sequence[Neighbour], second: Sequence[Neighbour]) -> list[Neighbour]:
    known = _ids(first)
    return [*first, *(hit for hit in second if hit.passage_id not in known)]


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


def _load(
    session: Session, neighbours: Sequence[Neighbour], votes: Votes, shares: Mapping[str, float]
) -> list[Hit]:
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
        Hit(
            rank,
            neighbour.score,
            row.Passage,
            row.Version,
            row.Document,
            _why(votes.similar.get(row.Document.id, 0), shares.get(row.Passage.id, 0.0)),
            votes.shares.get(row.Document.id, 0.0),
        )
        for rank, neighbour in enumerate(neighbours, start=1)
        # A document may have been withdrawn since; its passages stay for the record.
        for row in [found[neighbour.passage_id]]
    ]


def _why(similar: int, share: float) -> str:
    reasons = ["close in meaning"]
    if similar:
        reasons = [f"{similar} similar solved ticket{'s' if similar > 1 else ''} used this"]
    if share >= MANY_WORDS:
        reasons.append("has the question's words")
    return "; ".join(reasons)
