"""Full-text search over the passages of current versions.

It is kept in the record, in the transaction that changes which versions are current: a committed
document is found at once, and no kill can part the two. Each database has tables of its own kind,
so they are not mapped; the names of all of them begin with `PREFIX`.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from ingest.index.protocol import Neighbour
from ingest.lexical import postgresql, sqlite
from ingest.lexical.terms import full_score, rarest, terms
from ingest.tables import IndexOperation, Visibility

PREFIX = "lexical_"
# Of words counted once, so many are kept, for so long.
MAX_COUNTS, KEPT_SECONDS = 100_000, 60


class Engine(Protocol):
    """What the module of a database does."""

    FULL_FREQUENCY: float
    """What the score of a term tends to, the more often it occurs, over the term's weight."""

    def create(self, connection: Connection) -> None:
        """Create the tables, empty."""

    def drop(self, connection: Connection) -> None:
        """Drop the tables."""

    def add(self, session: Session, version_id: str) -> None:
        """Add the passages of a version that has none here."""

    def remove(self, session: Session, version_id: str) -> None:
        """Take out those of a version's passages that are here."""

    def rebuild(self, session: Session) -> None:
        """Start again with the passages of all current versions."""

    def spelt(self, terms: Sequence[str]) -> list[str]:
        """Return the terms as this database spells them, each once."""

    def count(self, session: Session, terms: Sequence[str]) -> dict[str, int]:
        """Say in how many passages each term is, spelt like that.

        Of common terms any number that says so will do.
        """

    def passages(self, session: Session) -> float:
        """Say how many passages there are, roughly."""

    def search(
        self,
        session: Session,
        counts: Mapping[str, int],
        passages: float,
        k: int,
        visibilities: Collection[Visibility],
    ) -> list[Neighbour]:
        """Return the k best passages that hold one of the terms, given how many hold each."""


def create(connection: Connection) -> None:
    """Create the tables, empty."""
    _engine(connection).create(connection)


def drop(connection: Connection) -> None:
    """Drop the tables."""
    _engine(connection).drop(connection)


def add(session: Session, version_id: str) -> None:
    """Make a version's passages searchable; those that are already stay so."""
    session.flush()
    remove(session, version_id)
    _engine(session.connection()).add(session, version_id)


def remove(session: Session, version_id: str) -> None:
    """Take a version's passages out of search; before they are deleted, if ever they are."""
    _engine(session.connection()).remove(session, version_id)


def rebuild(session: Session) -> None:
    """Fill everything anew with the passages of current versions."""
    session.flush()
    _engine(session.connection()).rebuild(session)


class Counts:
    """In how many passages words are, kept for as long as nothing that is searched changes."""

    def __init__(self) -> None:
        self._sequence = -1
        self._begun = 0.0
        self._counts: dict[str, int] = {}
        self._passages = 0.0

    def of(self, session: Session, asked: Sequence[str]) -> tuple[dict[str, int], float]:
        """Return the counts of terms and, roughly, that of all passages."""
        engine = _engine(session.connection())
        sequence = session.scalar(select(func.max(IndexOperation.sequence))) or 0
        is_old = time.monotonic() - self._begun > KEPT_SECONDS
        if sequence != self._sequence or is_old or len(self._counts) > MAX_COUNTS:
            # Not emptied: other threads may be reading them.
            self._counts = {}
            self._passages = engine.passages(session)
            self._sequence, self._begun = sequence, time.monotonic()
        counts = self._counts
        spelt = engine.spelt(asked)
        if new := [term for term in spelt if term not in counts]:
            counts.update(engine.count(session, new))
        found = {term: counts[term] for term in spelt}
        return found, max([self._passages, *found.values()])


def search(
    session: Session,
    question: str,
    k: int,
    visibilities: Collection[Visibility],
    known: Counts | None = None,
) -> list[Neighbour]:
    """Return up to k passages that hold the rarest words of a question, best first.

    Words that are too common to be looked up in time are left out, if need be all of them. A score
    is the share of the question's words, by BM25's weights, that the passage is about: from 0 to
    about 1. The record says at this moment which visibility a document has; access by label is the
    caller's to check.
    """
    engine = _engine(session.connection())
    counts, passages = (known or Counts()).of(session, terms(question))
    chosen = rarest(counts)
    if not chosen:
        return []
    whole = engine.FULL_FREQUENCY * full_score(counts, passages)
    return [
        Neighbour(found.passage_id, found.score / whole)
        for found in engine.search(session, chosen, passages, k, visibilities)
    ]


def _engine(connection: Connection) -> Engine:
    return postgresql if connection.dialect.name == "postgresql" else sqlite
