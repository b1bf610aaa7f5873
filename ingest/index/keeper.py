"""Keeps in memory what the record says is current, in step with it."""

import threading
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from ingest.db import Database
from ingest.index.holdings import Holdings, arranged
from ingest.index.resident import Resident
from ingest.quarantine import is_free
from ingest.tables import (
    Document,
    Embedding,
    IndexOperation,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)

FETCH_SIZE = 1_000


class HoldingsKeeper:
    """The holdings under one embedding model; safe to share between threads."""

    def __init__(self, database: Database, model: str) -> None:
        self._database = database
        self._model = model
        self._lock = threading.Lock()
        self._sequence = -1
        self._holdings = Holdings({}, {}, ())

    def current(self) -> Holdings:
        """Return what is current: first all is read, then only documents that changed."""
        with self._lock, self._database.read() as session:
            newest = session.scalar(select(func.max(IndexOperation.sequence))) or 0
            if newest != self._sequence:
                self._holdings = self._renewed(session)
                self._sequence = newest
            return self._holdings

    def of(self, document_ids: Sequence[str]) -> dict[str, Resident]:
        """Return those of the documents that have current, embedded passages."""
        documents = self.current().documents
        return {name: documents[name] for name in document_ids if name in documents}

    def _renewed(self, session: Session) -> Holdings:
        old = self._holdings
        changed = None if self._sequence < 0 else self._changed(session)
        documents = dict(old.documents)
        for name in changed or ():
            documents.pop(name, None)
        # Searches that still run look passages up in it: what has gone stays for a while.
        owners = old.owners
        for document in self._read(session, changed):
            documents[document.document_id] = document
            owners.update(dict.fromkeys(document.passage_ids, document.document_id))
        documents, blocks = arranged(documents, old.blocks)
        if len(owners) > 2 * sum(len(each.passage_ids) for each in documents.values()):
            owners = {
                passage_id: name
                for name, document in documents.items()
                for passage_id in document.passage_ids
            }
        return Holdings(documents, owners, blocks)

    def _changed(self, session: Session) -> list[str]:
        query = (
            select(Version.document_id)
            .join(Passage, Passage.version_id == Version.id)
            .join(IndexOperation, IndexOperation.passage_id == Passage.id)
            .where(IndexOperation.sequence > self._sequence)
            .distinct()
        )
        return list(session.scalars(query))

    def _read(self, session: Session, document_ids: list[str] | None) -> Iterator[Resident]:
        if document_ids is None:
            yield from self._residents(session, true())
        for begin in range(0, len(document_ids or []), FETCH_SIZE):
            some = (document_ids or [])[begin : begin + FETCH_SIZE]
            yield from self._residents(session, Version.document_id.in_(some))

    def _residents(self, session: Session, some: ColumnElement[bool]) -> Iterator[Resident]:
        current = Version.status == VersionStatus.CURRENT
        described = session.execute(
            select(Document.id, Document.visibility, Document.labels, Version.language)
            .join(Version, Version.document_id == Document.id)
            .where(current, some)
        )
        documents = {row.id: row for row in described}
        rows = session.execute(
            select(Version.document_id, Passage.id, Embedding.vector)
            .join(Passage, Passage.version_id == Version.id)
            .join(Embedding, Embedding.content_hash == Passage.content_hash)
            .where(current, some, Embedding.model == self._model, is_free())
            .order_by(Version.document_id, Passage.ordinal)
            .execution_options(yield_per=FETCH_SIZE)
        )
        for name, own in groupby(rows, key=lambda row: row[0]):
            if (document := documents.get(name)) is not None:
                passages = [(passage_id, vector) for _, passage_id, vector in own]
                yield _resident(*document, passages)


def _resident(
    document_id: str,
    visibility: Visibility,
    labels: list[str],
    language: str,
    passages: list[tuple[str, bytes]],
) -> Resident:
    joined = b"".join(vector for _, vector in passages)
    vectors = np.frombuffer(joined, "<f4").reshape(len(passages), -1)
    mean = vectors.mean(0)
    return Resident(
        document_id,
        visibility,
        frozenset(labels),
        [passage_id for passage_id, _ in passages],
        vectors.astype(np.float16),
        mean / np.linalg.norm(mean),
        language,
    )
