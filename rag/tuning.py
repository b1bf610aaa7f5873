"""Whether a trained encoder finds more: what it learns from, and what it is held against.

The solved tickets are cut in time. From the earlier ones come the pairs to train on; on the later
ones, which the training never sees, the new encoder must find the documents better than the old.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Self

import numpy as np
from sqlalchemy import select
from tokenizers import Tokenizer

from ingest import vectors
from ingest.db import Database, now
from ingest.embed import Embedder, Vectors
from ingest.tables import Embedding, Passage, Version, VersionStatus
from ingest.tuner import Pair
from rag import cases, metrics
from rag.errors import TooFewCasesError
from rag.intervals import FEWEST, Difference, paired_difference
from rag.tables import Case, TicketDocument

Watch = Callable[[int, int], None]
"""Told (done, total) now and then; what it raises ends the work."""

HELD_BACK = 0.2
MAX_HELD_BACK = 1_000
MAX_PAIRS = 4_000
DEPTH = 10
RECALL_DEPTH = 5
# A document with so few earlier cases is hardly known to the training, which may bury it.
FEW_CASES = 3
# So many questions are held against all passages at once.
ROWS = 256


@dataclass(frozen=True, slots=True)
class Solved:
    """A question with the documents that solved it; `key` is that of its vector."""

    question: str
    key: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Library:
    """The passages to be found: their embedded texts by key, and the keys of each document."""

    texts: dict[str, str]
    keys: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well each question's documents are ranked, questions in one order."""

    ndcg: list[float]
    recall: list[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The old and the new encoder on the same later questions; `recall` and `ndcg` are changes.

    `rare` is that of nDCG for questions whose documents have few earlier cases, if there are any.
    """

    recall_before: float
    recall_after: float
    ndcg_before: float
    ndcg_after: float
    recall: Difference
    ndcg: Difference
    rare: Difference | None

    @property
    def is_better(self) -> bool:
        """Tell whether the new one ranks better beyond chance, and nothing else suffers so."""
        others = [change for change in (self.recall, self.rare) if change is not None]
        suffers = any(change.is_significant_drop for change in others)
        return self.ndcg.is_significant_gain and not suffers


@dataclass(frozen=True, slots=True)
class History:
    """Solved tickets, oldest first, cut in time; no question of one part is in the other."""

    earlier: list[Solved]
    later: list[Solved]

    @classmethod
    def of(cls, solved: Sequence[Solved]) -> Self:
        """Hold the later part back.

        Raises:
            TooFewCasesError: No gain on so few later questions could be significant.
        """
        count = min(round(HELD_BACK * len(solved)), MAX_HELD_BACK)
        begin = len(solved) - count
        known = {ticket.key for ticket in solved[:begin]}
        later = [ticket for ticket in solved[begin:] if ticket.key not in known]
        if len(later) < FEWEST:
            raise TooFewCasesError(count=len(solved), needed=round(FEWEST / HELD_BACK))
        return cls(list(solved[:begin]), later)


def read_library(database: Database, tokenizer: Tokenizer) -> Library:
    """Read all current passages."""
    # No model has this name, so that all are without its vector.
    texts = vectors.unembedded(database, tokenizer, "")
    query = (
        select(Version.document_id, Passage.content_hash)
        .join(Passage, Passage.version_id == Version.id)
        .where(Version.status == VersionStatus.CURRENT)
        .order_by(Version.document_id, Passage.ordinal)
    )
    keys: dict[str, list[str]] = defaultdict(list)
    with database.read() as session:
        for document, key in session.execute(query):
            if key in texts:
                keys[document].append(key)
    return Library(texts, dict(keys))


def read_history(database: Database, library: Library) -> History:
    """Read the cases that were solved by a document of the library.

    Raises:
        TooFewCasesError: There is too little history to hold some of it back.
    """
    query = (
        select(Case.ticket_id, Case.question, Case.content_hash, TicketDocument.document_id)
        .join(TicketDocument, TicketDocument.ticket_id == Case.ticket_id)
        .where(Case.ticket_id.in_(cases.joined(now())))
        .order_by(Case.solved_at, Case.ticket_id)
    )
    with database.read() as session:
        rows = session.execute(query).all()
    solved: list[Solved] = []
    for _, some in groupby(rows, key=lambda row: row.ticket_id):
        links = list(some)
        documents = frozenset(row.document_id for row in links) & library.keys.keys()
        if documents:
            solved.append(Solved(links[0].question, links[0].content_hash, documents))
    return History.of(solved)


def embed(
    database: Database, embedder: Embedder, texts: Mapping[str, str], watch: Watch
) -> dict[str, bytes]:
    """Return the vectors of texts by key, those from the record that it has; none is stored."""
    known = dict(_stored(database, embedder.fingerprint, list(texts)))
    done = len(known)

    def count(batch: Sequence[int]) -> None:
        nonlocal done
        done += len(batch)
        watch(done, len(texts))

    watch(done, len(texts))
    rest = {key: text for key, text in texts.items() if key not in known}
    return known | vectors.encode(embedder, rest, count)


def pairs(
    earlier: Sequence[Solved],
    library: Library,
    known: Mapping[str, bytes],
    limit: int = MAX_PAIRS,
) -> list[Pair]:
    """Pair each question with the passage nearest to it in each document that solved it.

    `known` holds the vectors of questions and passages; of more pairs the latest are taken.
    """
    found = [
        Pair(ticket.question, library.texts[key], document, ticket.documents)
        for ticket in earlier[-limit:]
        for document in sorted(ticket.documents)
        for key in [_nearest(ticket.key, library.keys[document], known)]
    ]
    return found[-limit:]


def quality(later: Sequence[Solved], library: Library, known: Mapping[str, bytes]) -> Quality:
    """Rank all documents for each question by the cosine of their best passage, and judge that."""
    documents = sorted(library.keys)
    sizes = [len(library.keys[document]) for document in documents]
    starts = np.cumsum([0, *sizes[:-1]])
    passages = _matrix([key for document in documents for key in library.keys[document]], known)
    judged = Quality([], [])
    for begin in range(0, len(later), ROWS):
        some = later[begin : begin + ROWS]
        cosines = _matrix([ticket.key for ticket in some], known) @ passages.T
        best = np.maximum.reduceat(cosines, starts, axis=1)
        for ticket, order in zip(some, np.argsort(-best, axis=1, kind="stable"), strict=True):
            ranking = [documents[index] for index in order[:DEPTH]]
            judgements = dict.fromkeys(ticket.documents, 1)
            judged.ndcg.append(metrics.ndcg(ranking, judgements, DEPTH))
            judged.recall.append(metrics.recall(ranking, judgements, RECALL_DEPTH))
    return judged


def compare(history: History, before: Quality, after: Quality) -> Comparison:
    """Hold two encoders against each other on the later questions."""
    known = Counter(document for ticket in history.earlier for document in ticket.documents)
    rare = [
        index
        for index, ticket in enumerate(history.later)
        if max(known[document] for document in ticket.documents) <= FEW_CASES
    ]
    few = [[side.ndcg[index] for index in rare] for side in (before, after)]
    return Comparison(
        recall_before=fmean(before.recall),
        recall_after=fmean(after.recall),
        ndcg_before=fmean(before.ndcg),
        ndcg_after=fmean(after.ndcg),
        recall=paired_difference(before.recall, after.recall),
        ndcg=paired_difference(before.ndcg, after.ndcg),
        rare=paired_difference(*few) if rare else None,
    )


def questions(solved: Sequence[Solved]) -> dict[str, str]:
    """Return questions by key."""
    return {ticket.key: ticket.question for ticket in solved}


def _stored(database: Database, model: str, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with database.read() as session:
        for begin in range(0, len(keys), vectors.QUERY_SIZE):
            some = Embedding.content_hash.in_(keys[begin : begin + vectors.QUERY_SIZE])
            query = select(Embedding.content_hash, Embedding.vector)
            for row in session.execute(query.where(some, Embedding.model == model)):
                yield row.content_hash, row.vector


def _nearest(question: str, keys: Sequence[str], known: Mapping[str, bytes]) -> str:
    return keys[int(np.argmax(_matrix(keys, known) @ _matrix([question], known)[0]))]


def _matrix(keys: Sequence[str], known: Mapping[str, bytes]) -> Vectors:
    return np.stack([np.frombuffer(known[key], dtype="<f4") for key in keys])
