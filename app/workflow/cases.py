"""Cases, the solved tickets of the memory: found, switched off and on, removed, looked at again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.orm import Session, defer

from app.errors import ChangedMeanwhileError, InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest.db import now, storable
from ingest.events import record, take_turn
from ingest.store import current_version
from ingest.tables import Document, Passage, Version, VersionStatus, Visibility
from rag.cases import JOIN_DAYS
from rag.tables import Case, CaseState, Ticket, TicketDocument, TicketStatus

PAGE_CASES = 20
SUBJECT_CHARACTERS = 300
MAX_QUERY_CHARACTERS = 200


class Kind(StrEnum):
    """Which cases are looked for: all but the removed ones, or some."""

    KEPT = "kept"
    CHANGED = "changed"
    OFF = "off"
    REMOVED = "removed"


class Standing(StrEnum):
    """Whether the passage that solved a ticket is still there; `UNSEEN` until the memory looks."""

    SAME = "same"
    UNSEEN = "unseen"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Solution:
    """A document that solved a ticket."""

    document_id: str
    title: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with the documents that this person may see, and the number of those they may not."""

    case: Case
    subject: str
    is_open: bool
    solutions: Sequence[Solution]
    hidden: int

    @property
    def votes_from(self) -> datetime:
        """Return when the case begins to vote, if its ticket is not opened again."""
        return self.case.solved_at + timedelta(days=JOIN_DAYS)


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some of the cases that were found, and how many there are in all."""

    rows: Sequence[CaseView]
    total: int
    pages: int


def find(
    services: Services, user_id: str, query: str, page: int, *, kind: Kind = Kind.KEPT
) -> CasePage:
    """Return a page of the cases whose subject has all words of the query, newest first."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_READ)
        words = storable(query)[:MAX_QUERY_CHARACTERS].split()
        found = [Ticket.subject.icontains(word, autoescape=True) for word in words]
        subject = func.substr(Ticket.subject, 1, SUBJECT_CHARACTERS).label("subject")
        is_open = (Ticket.status == TicketStatus.OPEN).label("is_open")
        wanted = (
            select(Case, subject, is_open)
            .join(Ticket)
            .where(_of_kind(session, actor, kind), *found)
        )
        total = session.scalar(wanted.with_only_columns(func.count())) or 0
        pages = max(1, ceil(total / PAGE_CASES))
        rows = session.execute(
            wanted.order_by(Case.solved_at.desc(), Case.ticket_id)
            .offset((min(max(page, 1), pages) - 1) * PAGE_CASES)
            .limit(PAGE_CASES)
            .options(defer(Case.question))
        ).all()
        solutions = _solutions(session, actor, [row.Case.ticket_id for row in rows])
        views = [
            CaseView(row.Case, row.subject, row.is_open, *solutions[row.Case.ticket_id])
            for row in rows
        ]
        return CasePage(views, total, pages)


def switch(
    services: Services, user_id: str, ticket_id: str, state: CaseState, *, seen: CaseState
) -> None:
    """Let a case vote, or not; `seen` is the state that this person saw.

    Raises:
        ChangedMeanwhileError: Somebody else has changed the case since.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_WRITE)
        take_turn(session)
        found = _case(session, ticket_id)
        if found.state == state:
            return
        if found.state != seen:
            raise ChangedMeanwhileError(what="This solved ticket")
        detail = {"from": found.state, "to": state}
        found.state, found.changed_at = state, now()
        record(session, actor.email, "case:switch", ticket_id, detail)


def remove(services: Services, user_id: str, ticket_id: str, *, seen: CaseState) -> None:
    """Take a case away; its row stays, so that an import does not bring it back.

    Raises:
        ChangedMeanwhileError: Somebody else has changed the case since.
    """
    switch(services, user_id, ticket_id, CaseState.REMOVED, seen=seen)


def recheck(services: Services, user_id: str, ticket_id: str, document_id: str) -> None:
    """Say that a document still solves a ticket, though its passage has changed.

    The memory then looks for the passage again, and the case votes whole.

    Raises:
        NotFoundError: The document did not solve the ticket, or is not this person's to see.
        InvalidInputError: The document is withdrawn.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_WRITE)
        take_turn(session)
        found = _case(session, ticket_id)
        solved = session.get(TicketDocument, (ticket_id, document_id))
        document = session.get(Document, document_id) if solved else None
        if solved is None or document is None or not actor.scope.permits(document):
            raise NotFoundError(what="such document of this ticket")
        if current_version(session, document_id) is None:
            why = "nobody finds it; restore it first"
            raise InvalidInputError(what="A withdrawn document", why=why)
        if solved.content_hash is None:
            return
        solved.content_hash, found.changed_at = None, now()
        record(session, actor.email, "case:recheck", ticket_id, {"document": document_id})


def _case(session: Session, ticket_id: str) -> Case:
    found = session.get(Case, ticket_id)
    if found is None:
        raise NotFoundError(what="such solved ticket")
    return found


def _standing() -> ColumnElement[str]:
    in_use = (Version.document_id == TicketDocument.document_id) & (
        Version.status == VersionStatus.CURRENT
    )
    is_same = exists().where(
        in_use,
        Passage.version_id == Version.id,
        Passage.content_hash == TicketDocument.content_hash,
    )
    return case(
        (~exists().where(in_use), Standing.WITHDRAWN),
        (TicketDocument.content_hash.is_(None), Standing.UNSEEN),
        (is_same, Standing.SAME),
        else_=Standing.CHANGED,
    )


def _of_kind(session: Session, actor: Actor, kind: Kind) -> ColumnElement[bool]:
    if kind in {Kind.OFF, Kind.REMOVED}:
        return Case.state == CaseState(kind)
    kept = Case.state != CaseState.REMOVED
    if kind == Kind.KEPT:
        return kept
    # That a document has changed is no news for those who may not see it.
    restricted = select(Document).where(Document.visibility == Visibility.RESTRICTED)
    hidden = [row.id for row in session.scalars(restricted) if not actor.scope.permits(row)]
    changed = exists().where(
        TicketDocument.ticket_id == Case.ticket_id,
        TicketDocument.document_id.not_in(hidden),
        _standing().in_([Standing.CHANGED, Standing.WITHDRAWN]),
    )
    return and_(kept, changed)


def _solutions(
    session: Session, actor: Actor, ticket_ids: Sequence[str]
) -> dict[str, tuple[list[Solution], int]]:
    """Return of each ticket the documents that may be seen, and the number of the others."""
    query = (
        select(TicketDocument.ticket_id, Document, _standing().label("standing"))
        .join(Document, Document.id == TicketDocument.document_id)
        .where(TicketDocument.ticket_id.in_(ticket_ids))
        .order_by(Document.title, Document.id)
    )
    shown: dict[str, list[Solution]] = {ticket_id: [] for ticket_id in ticket_ids}
    hidden = dict.fromkeys(ticket_ids, 0)
    for ticket_id, document, standing in session.execute(query):
        if actor.scope.permits(document):
            solution = Solution(document.id, document.title, Standing(standing))
            shown[ticket_id].append(solution)
        else:
            hidden[ticket_id] += 1
    return {ticket_id: (shown[ticket_id], hidden[ticket_id]) for ticket_id in ticket_ids}
