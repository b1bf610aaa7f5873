"""Solved tickets as cases: how they come to be known, and when they may vote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from ingest import vectors
from ingest.db import Database, now
from ingest.embed import Embedder
from ingest.tables import Embedding, Passage, Version, VersionStatus
from rag.questions import asked
from rag.tables import Author, Case, CaseOrigin, CaseState, Ticket, TicketDocument, TicketStatus

# A customer who is not satisfied writes again within days.
JOIN_DAYS = 7
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Solution:
    """How a ticket was solved: see `rag.tables.Case`."""

    origin: CaseOrigin
    at: datetime
    edited: bool = False
    own_suggestion: bool = False


def remember(
    session: Session,
    ticket: Ticket,
    messages: Sequence[tuple[Author, str]],
    solution: Solution,
) -> None:
    """Make a case of a ticket whose documents are known; one that is there is brought up to date.

    What an owner switched off or removed stays so.
    """
    question = first_question(ticket.subject, messages)
    case = session.get(Case, ticket.id)
    if case is None:
        case = Case(
            ticket_id=ticket.id,
            origin=solution.origin,
            question=question,
            content_hash="",
            solved_at=solution.at,
        )
        session.add(case)
    told = (question, solution.origin, solution.at, solution.edited, solution.own_suggestion)
    if told != (case.question, case.origin, case.solved_at, case.edited, case.own_suggestion):
        case.changed_at = now()
    case.question, case.origin, case.solved_at, case.edited, case.own_suggestion = told
    case.content_hash = vectors.content_hash(question)


def link(session: Session, ticket_id: str, document_ids: Sequence[str]) -> None:
    """Say which documents solved a ticket; a case that is there notices."""
    known = set(
        session.scalars(
            select(TicketDocument.document_id).where(TicketDocument.ticket_id == ticket_id)
        )
    )
    for document_id in sorted(set(document_ids) - known):
        session.add(TicketDocument(ticket_id=ticket_id, document_id=document_id))
    touch(session, ticket_id)


def touch(session: Session, ticket_id: str) -> None:
    """Let running searches notice that what a case says may have changed."""
    session.execute(
        update(Case).where(Case.ticket_id == ticket_id).values(changed_at=now()),
        execution_options={"synchronize_session": False},
    )


def joined(moment: datetime) -> Select[str]:
    """Select the tickets whose cases vote: solved a week ago and not opened again since."""
    return (
        select(Case.ticket_id)
        .join(Ticket, Ticket.id == Case.ticket_id)
        .where(
            Case.state == CaseState.ACTIVE,
            Case.solved_at <= moment - timedelta(days=JOIN_DAYS),
            Ticket.status != TicketStatus.OPEN,
        )
    )


def complete(
    database: Database,
    embedder: Embedder,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    at_most: int | None = None,
) -> int:
    """Embed questions that have no vector, find the passages that solved; return how many.

    An encoder that is new here embeds all of them, or `at_most` so many at a time.
    """
    model = embedder.fingerprint
    with database.read() as session:
        questions = dict(session.execute(_unembedded(model).limit(at_most)).all())
    pending = list(questions.items())
    for begin in range(0, len(pending), BATCH):
        some = dict(pending[begin : begin + BATCH])
        fresh = vectors.encode(embedder, some, lambda _: None)
        with database.write() as session:
            vectors.add(session, model, fresh)
        if on_progress is not None:
            on_progress(min(begin + BATCH, len(pending)), len(pending))
    return len(pending) + _locate(database, model)


def first_question(subject: str, messages: Sequence[tuple[Author, str]]) -> str:
    """Return what the customer asked at first, before anybody answered."""
    first = list(takewhile(lambda entry: entry[0] == Author.CUSTOMER, messages))
    return asked(subject, first or messages[:1]).text


def _unembedded(model: str) -> Select[str, str]:
    has_vector = (
        select(Embedding.content_hash)
        .where(Embedding.content_hash == Case.content_hash, Embedding.model == model)
        .exists()
    )
    return (
        select(Case.content_hash, Case.question)
        .where(~has_vector, Case.state != CaseState.REMOVED)
        .distinct()
    )


def _locate(database: Database, model: str) -> int:
    """Note for each link without one the document's passage that is nearest to the question."""
    with database.read() as session:
        links = session.execute(
            select(TicketDocument.ticket_id, TicketDocument.document_id, Embedding.vector)
            .join(Case, Case.ticket_id == TicketDocument.ticket_id)
            .join(Embedding, Embedding.content_hash == Case.content_hash)
            .where(TicketDocument.content_hash.is_(None), Embedding.model == model)
        ).all()
        passages = _passages(session, {row.document_id for row in links}, model)
    nearest = {
        (row.ticket_id, row.document_id): hashes[
            int(np.argmax(matrix @ np.frombuffer(row.vector, "<f4")))
        ]
        for row in links
        if row.document_id in passages
        for hashes, matrix in [passages[row.document_id]]
    }
    rows = [
        {"ticket_id": ticket_id, "document_id": document_id, "content_hash": key}
        for (ticket_id, document_id), key in nearest.items()
    ]
    for begin in range(0, len(rows), BATCH):
        some = rows[begin : begin + BATCH]
        with database.write() as session:
            session.execute(update(TicketDocument), some)
            touched = Case.ticket_id.in_({row["ticket_id"] for row in some})
            session.execute(
                update(Case).where(touched).values(changed_at=now()),
                execution_options={"synchronize_session": False},
            )
    return len(nearest)


def _passages(
    session: Session, document_ids: set[str], model: str
) -> dict[str, tuple[list[str], NDArray[np.float32]]]:
    """Return content hashes and vectors of the current passages of documents."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    ids = sorted(document_ids)
    for begin in range(0, len(ids), BATCH):
        query = (
            select(Version.document_id, Passage.content_hash, Embedding.vector)
            .join(Passage, Passage.version_id == Version.id)
            .join(Embedding, Embedding.content_hash == Passage.content_hash)
            .where(Version.document_id.in_(ids[begin : begin + BATCH]))
            .where(Version.status == VersionStatus.CURRENT, Embedding.model == model)
        )
        for document_id, key, vector in session.execute(query):
            found.setdefault(document_id, []).append((key, vector))
    return {
        document_id: (
            [key for key, _ in rows],
            np.stack([np.frombuffer(vector, "<f4") for _, vector in rows]),
        )
        for document_id, rows in found.items()
    }
