"""The record → the memory of solved tickets, each vote weighed by what is known of it."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ingest.db import now
from ingest.tables import Embedding, Passage, Version, VersionStatus
from rag import heads
from rag.cases import joined
from rag.memory import EMPTY, Memory
from rag.spelling import DIMENSIONS
from rag.tables import (
    MACHINE,
    Approval,
    Case,
    CaseOrigin,
    Citation,
    Claim,
    Draft,
    Label,
    Ticket,
    TicketDocument,
    Verdict,
)

HALF_LIFE_DAYS = 365.0
# What a reply that merely repeats our own draft may add: a vote for itself would grow.
OWN_SUGGESTION = 1 / 3
EDITED = 0.8
# The passage that solved it reads otherwise now.
CHANGED = 0.5
# An auditor found that the document does not support the reply.
AUDITED_WRONG = -1.0


def read(session: Session, model: str) -> Memory:
    """Read the cases that vote now, with what the serving head learnt."""
    memory, _ = _read(session, model)
    return memory


def read_with_questions(session: Session, model: str) -> tuple[Memory, list[str]]:
    """Read the same, and what each of these cases was about: thousands of texts."""
    return _read(session, model, Case.question)


def _read(
    session: Session, model: str, *extra: InstrumentedAttribute[str]
) -> tuple[Memory, list[str]]:
    head = heads.weights(session, model)
    spelt = aliased(Embedding)
    space = head.spelling.fingerprint if head else ""
    rows = session.execute(
        _voting(model)
        .outerjoin(spelt, (spelt.content_hash == Case.content_hash) & (spelt.model == space))
        .with_only_columns(
            Case.ticket_id,
            Case.origin,
            Case.edited,
            Case.own_suggestion,
            Case.solved_at,
            Ticket.product,
            Ticket.language,
            Embedding.vector,
            spelt.vector.label("spelt"),
            *extra,
        )
    ).all()
    if not rows:
        return EMPTY, []
    newest = max(row.solved_at for row in rows)
    half_life = timedelta(days=HALF_LIFE_DAYS)
    cases = {
        row.ticket_id: (
            index,
            _outcome(row.origin, edited=row.edited, own=row.own_suggestion)
            * 0.5 ** ((newest - row.solved_at) / half_life),
        )
        for index, row in enumerate(rows)
    }
    votes = _votes(session, cases)
    document_ids = sorted({document_id for _, document_id, _ in votes})
    place = {name: index for index, name in enumerate(document_ids)}
    memory = Memory(
        np.stack([np.frombuffer(row.vector, "<f4") for row in rows]),
        [row.product for row in rows],
        [row.language for row in rows],
        [row.solved_at for row in rows],
        np.array([index for index, _, _ in votes], np.int64),
        np.array([place[name] for _, name, _ in votes], np.int64),
        np.array([weight for _, _, weight in votes], np.float32),
        document_ids,
        head,
        _spellings([row.spelt for row in rows]) if head else None,
    )
    return memory, [row.question for row in rows] if extra else []


def _voting(model: str) -> Select[Case]:
    return (
        select(Case)
        .join(Ticket, Ticket.id == Case.ticket_id)
        .join(Embedding, Embedding.content_hash == Case.content_hash)
        .where(Embedding.model == model, Case.ticket_id.in_(joined(now())))
        .order_by(Case.solved_at, Case.ticket_id)
    )


def _spellings(rows: Sequence[bytes | None]) -> NDArray[np.float32]:
    """Stack vectors; zeros where a case has not been spelt yet."""
    found = np.zeros((len(rows), DIMENSIONS), np.float32)
    for index, row in enumerate(rows):
        if row is not None:
            found[index] = np.frombuffer(row, "<f4")
    return found


def _votes(session: Session, cases: dict[str, tuple[int, float]]) -> list[tuple[int, str, float]]:
    """Return (row, document, weight) of each vote for a document that is in use."""
    current = set(
        session.scalars(select(Version.document_id).where(Version.status == VersionStatus.CURRENT))
    )
    present = set(
        session.scalars(
            select(TicketDocument.content_hash)
            .join(Passage, Passage.content_hash == TicketDocument.content_hash)
            .join(Version, Version.id == Passage.version_id)
            .where(
                Version.document_id == TicketDocument.document_id,
                Version.status == VersionStatus.CURRENT,
            )
            .distinct()
        )
    )
    wrong = _audited_wrong(session)
    links = session.execute(
        select(
            TicketDocument.ticket_id, TicketDocument.document_id, TicketDocument.content_hash
        ).order_by(TicketDocument.ticket_id, TicketDocument.document_id)
    ).all()
    linked = [link for link in links if link.ticket_id in cases and link.document_id in current]
    sizes: dict[str, int] = {}
    for link in linked:
        sizes[link.ticket_id] = sizes.get(link.ticket_id, 0) + 1
    found = []
    for ticket_id, document_id, key in linked:
        row, weight = cases[ticket_id]
        # A ticket has one vote to give: a long list of links says less of each.
        weight /= sizes[ticket_id]
        if key is not None and key not in present:
            weight *= CHANGED
        if (ticket_id, document_id) in wrong:
            weight *= AUDITED_WRONG
        found.append((row, document_id, weight))
    return sorted(found)


def _outcome(origin: CaseOrigin, *, edited: bool, own: bool) -> float:
    if origin == CaseOrigin.IMPORTED:
        return 1.0
    if edited:
        return EDITED
    return OWN_SUGGESTION if own else 1.0


def _audited_wrong(session: Session) -> set[tuple[str, str]]:
    """Return (ticket, document) where a person found a citation of the sent reply unsupported."""
    query = (
        select(Draft.ticket_id, Version.document_id)
        .join(Approval, Approval.draft_id == Draft.id)
        .join(Claim, Claim.approval_id == Approval.id)
        .join(Citation, Citation.claim_id == Claim.id)
        .join(Verdict, Verdict.citation_id == Citation.id)
        .join(Passage, Passage.id == Citation.passage_id)
        .join(Version, Version.id == Passage.version_id)
        .where(Verdict.judge != MACHINE, Verdict.label != Label.SUPPORTED)
    )
    return {(ticket_id, document_id) for ticket_id, document_id in session.execute(query)}
