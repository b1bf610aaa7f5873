"""A question → the passages most likely to answer it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from ingest import backbone, lexical
from ingest.access import Scope
from ingest.db import Database
from ingest.index.holdings import Shelf
from ingest.index.keeper import HoldingsKeeper
from ingest.index.protocol import Neighbour, Vector
from ingest.index.resident import ALONE, SECOND_PASSAGE_WEIGHT, Compared
from ingest.index.served import ServedIndex
from ingest.language import detect
from ingest.quarantine import is_free
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Passage, Version, VersionStatus
from rag.fusion import WORDS_WEIGHT
from rag.memory import Floats, Memory, Question, Votes
from rag.memory_keeper import MemoryKeeper
from rag.remembered import Remembered

# So many neighbours are looked at, and more where the reader may not see them.
POOL = 100
# Threads for what a search does beside the encoder and beside the index.
THREADS = 4
ATTEMPTS = 4
GROWTH = 4
WORDS_POOL = 50
# Of a document that cases point to, so many passages are looked at.
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
        self._holdings = HoldingsKeeper(database, encoder.fingerprint)
        self._memory = MemoryKeeper(database, encoder.fingerprint, learns)
        self._counts = lexical.Counts()
        self._beside = ThreadPoolExecutor(THREADS, "search", backbone.on_one_core)

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
        with backbone.one_core_left():
            # What needs no vector is found while the encoder computes.
            beside = self._beside.submit(self._prepare, question, scope, language)
            vector = self._encoder.encode(question)
            shelf, words, memory, spoken, spelt = beside.result()
            asked = Question(vector, spoken, product, spelt)
            voting = self._beside.submit(memory.ask, asked)
            near = self._nearest(shelf, vector, k, scope)
            found = _gather(shelf, near, words, voting.result(), vector)
        # What the reader may not see has no part in it, not even by what it takes from others.
        votes = voting.result().among(found.documents)
        ranked = _rank(found, words)
        if not memory.is_empty:
            ranked = Remembered(memory, votes, asked, words).order(
                ranked, found.owners, found.documents
            )
        with self._database.read() as session:
            return _load(session, ranked[:k], scope, votes, words)

    def _prepare(
        self, question: str, scope: Scope, language: str | None
    ) -> tuple[Shelf, dict[str, float], Memory, str, Floats | None]:
        """Return what may be seen, passages by words, the memory, language and spelling."""
        shelf = self._holdings.current().shelf(scope, language)
        with self._database.read() as session:
            words = lexical.search(session, question, WORDS_POOL, scope.visibilities, self._counts)
        memory = self._memory.current()
        spelt = memory.head.spelling.vectors([question])[0] if memory.head else None
        shares = {hit.passage_id: hit.score for hit in words}
        return shelf, shares, memory, language or detect(question), spelt

    def _nearest(self, shelf: Shelf, vector: Vector, k: int, scope: Scope) -> list[Neighbour]:
        """Return the passages on the shelf that are nearest by meaning, k at least if there are."""
        wanted = max(k, POOL)
        if shelf.holdings.are_scanned:
            return shelf.nearest(vector, wanted)
        permitted: list[Neighbour] = []
        for _ in range(ATTEMPTS):
            # No session is open here: the index takes one of its own, and both waiting for the
            # other's would stop every search.
            near = self._index.search(vector, wanted, scope.visibilities)
            seen = shelf.owners(hit.passage_id for hit in near)
            permitted = [hit for hit in near if hit.passage_id in seen]
            if len(permitted) >= k or len(near) < wanted:
                break
            wanted *= GROWTH
        return permitted


@dataclass(frozen=True, slots=True)
class _Found:
    """Passages that may answer, the document of each, and all of these documents."""

    neighbours: list[Neighbour]
    owners: dict[str, str]
    documents: dict[str, Compared]


def _gather(
    shelf: Shelf, near: Sequence[Neighbour], words: Iterable[str], votes: Votes, vector: Vector
) -> _Found:
    """Bring together what meaning, words and solved tickets point to on the shelf."""
    owners = shelf.owners([*(hit.passage_id for hit in near), *words])
    documents = shelf.compare(dict.fromkeys([*owners.values(), *votes.shares]), vector)
    neighbours = {hit.passage_id: hit for hit in near}
    for name in filter(documents.__contains__, votes.shares):
        for hit in documents[name].nearest(PASSAGES_OF_VOTED):
            neighbours.setdefault(hit.passage_id, hit)
            owners[hit.passage_id] = name
    for passage_id in words:
        if passage_id in owners and passage_id not in neighbours:
            neighbours[passage_id] = documents[owners[passage_id]].passage(passage_id)
    return _Found(list(neighbours.values()), owners, documents)


def _rank(found: _Found, shares: Mapping[str, float]) -> list[Neighbour]:
    """Order neighbours by meaning, words and the best other passage of their document."""
    scores = {
        hit.passage_id: hit.score + WORDS_WEIGHT * shares.get(hit.passage_id, 0.0)
        for hit in found.neighbours
    }
    best: dict[str, list[float]] = defaultdict(list)
    for score, passage_id in sorted(((scores[id_], id_) for id_ in scores), reverse=True):
        best[found.owners[passage_id]].append(score)

    def strength(neighbour: Neighbour) -> float:
        score = scores[neighbour.passage_id]
        first, *rest = best[found.owners[neighbour.passage_id]]
        second = rest[0] if rest else ALONE * first
        return score + SECOND_PASSAGE_WEIGHT * (second if score == first else first)

    return sorted(found.neighbours, key=strength, reverse=True)


def _load(
    session: Session,
    neighbours: Sequence[Neighbour],
    scope: Scope,
    votes: Votes,
    shares: Mapping[str, float],
) -> list[Hit]:
    """Read the passages; the record has the last word on what is current and permitted."""
    query = (
        select(Passage, Version, Document)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_([neighbour.passage_id for neighbour in neighbours]))
        .where(Version.status == VersionStatus.CURRENT, is_free())
        # A version's whole text is megabytes where a passage is wanted.
        .options(defer(Version.text, raiseload=True))
    )
    rows = {row.Passage.id: row for row in session.execute(query) if scope.permits(row.Document)}
    present = [neighbour for neighbour in neighbours if neighbour.passage_id in rows]
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
        for rank, neighbour in enumerate(present, start=1)
        for row in [rows[neighbour.passage_id]]
    ]


def _why(similar: int, share: float) -> str:
    reasons = ["close in meaning"]
    if similar:
        reasons = [f"{similar} similar solved ticket{'s' if similar > 1 else ''} used this"]
    if share >= MANY_WORDS:
        reasons.append("has the question's words")
    return "; ".join(reasons)
