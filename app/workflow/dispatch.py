"""Sending: an approved reply waits, is checked against its seal, and goes or comes back."""

import logging
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import AlreadySentError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow import deliveries, drafts
from app.workflow.access import Actor, require
from ingest.db import Database, now
from ingest.events import record, take_turn
from ingest.tables import Passage, Version
from rag import cases, seal
from rag.cases import Solution
from rag.seal import Moved
from rag.tables import (
    Approval,
    ApprovalState,
    Author,
    CaseOrigin,
    Citation,
    Claim,
    Draft,
    Gap,
    Message,
    Ticket,
    TicketStatus,
)

logger = logging.getLogger(__name__)

DESK = "desk"
"""Who sends what nobody sent by hand."""


def send_due(database: Database, moment: datetime, *, webhook: bool) -> int:
    """Send each approved reply whose time to undo is over; return how many were dealt with."""
    with database.read() as session:
        due = session.scalars(
            select(Approval.id)
            .where(Approval.state == ApprovalState.SEALED, Approval.send_after <= moment)
            .order_by(Approval.send_after)
        ).all()
    return sum(_spared(database, approval_id, webhook=webhook) for approval_id in due)


def send_now(services: Services, user_id: str, approval_id: str) -> ApprovalState:
    """Send an approved reply without waiting longer; return what became of it."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        _visible(session, actor, approval_id)
    webhook = bool(services.settings.webhook_url)
    _send(services.database, approval_id, actor.email, webhook=webhook)
    with services.database.read() as session:
        return ApprovalState(session.get_one(Approval, approval_id).state)


def undo(services: Services, user_id: str, approval_id: str) -> None:
    """Take an approval back before it is sent; the draft is open again.

    Raises:
        AlreadySentError: It was too late.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        approval = _visible(session, actor, approval_id)
        take_turn(session)
        if not _take(session, approval, ApprovalState.UNDONE):
            raise AlreadySentError
        draft = reopen(session, approval)
        record(session, actor.email, "draft:undo", draft.ticket_id, {"draft": draft.id})


def state(services: Services, user_id: str, approval_id: str) -> Approval:
    """Return an approval as it is now."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        return _visible(session, actor, approval_id)


def _visible(session: Session, actor: Actor, approval_id: str) -> Approval:
    approval = session.get(Approval, approval_id)
    if approval is None:
        raise NotFoundError(what="such approval")
    drafts.visible(session, actor, approval.draft_id)
    return approval


def _spared(database: Database, approval_id: str, *, webhook: bool) -> bool:
    """Send a reply; one that cannot be must not keep the others waiting."""
    try:
        return _send(database, approval_id, DESK, webhook=webhook)
    except Exception:
        logger.exception("The reply %s could not be sent; it is tried again.", approval_id)
        return False


def _send(database: Database, approval_id: str, actor: str, *, webhook: bool) -> bool:
    """Send a reply or refuse to; tell whether it still waited to be sent."""
    try:
        with database.write() as session:
            return _send_once(session, approval_id, actor, webhook=webhook)
    except IntegrityError:
        # The customer wrote at this very moment: looked at again, the thread has moved.
        with database.write() as session:
            return _send_once(session, approval_id, actor, webhook=webhook)


def _send_once(session: Session, approval_id: str, actor: str, *, webhook: bool) -> bool:
    # Nothing is published, withdrawn or described anew between the check and the commit.
    take_turn(session)
    approval = session.get_one(Approval, approval_id)
    if not _take(session, approval, ApprovalState.SENT):
        return False
    moved = seal.moved(session, approval)
    if moved:
        _refuse(session, approval, actor, moved)
        return True
    approval.sent_at = now()
    draft = session.get_one(Draft, approval.draft_id)
    _answer(session, draft, approval)
    _learn_from(session, draft, approval)
    if webhook:
        deliveries.add(session, draft, approval)
    detail = {"draft": draft.id, "seal": approval.seal_sha256}
    record(session, actor, "draft:send", draft.ticket_id, detail)
    return True


def _take(session: Session, approval: Approval, state: ApprovalState) -> bool:
    """Decide by one statement what becomes of a reply that waits; tell whether this did."""
    won = session.scalar(
        update(Approval)
        .where(Approval.id == approval.id, Approval.state == ApprovalState.SEALED)
        .values(state=state)
        .returning(Approval.id)
    )
    return won is not None


def _refuse(session: Session, approval: Approval, actor: str, moved: list[Moved]) -> None:
    approval.state = ApprovalState.REFUSED
    approval.moved = [asdict(each) for each in moved]
    draft = reopen(session, approval)
    kinds = sorted({each.kind for each in moved})
    detail = {"draft": draft.id, "moved": kinds}
    record(session, actor, "draft:refuse", draft.ticket_id, detail)


def reopen(session: Session, approval: Approval) -> Draft:
    """Let a draft be edited and approved again."""
    draft = session.get_one(Draft, approval.draft_id)
    if approval.draft_was is not None:
        draft.status = approval.draft_was
    draft.version += 1
    return draft


def _answer(session: Session, draft: Draft, approval: Approval) -> None:
    """Put the reply into the thread, where the customer's next message will follow it."""
    session.get_one(Ticket, draft.ticket_id).status = TicketStatus.ANSWERED
    message = Message(
        ticket_id=draft.ticket_id,
        ordinal=len(draft.thread) + 1,
        author=Author.AGENT,
        body=drafts.without_markers(approval.final_text),
        approval_id=approval.id,
    )
    session.add(message)
    # Answered questions are no gaps.
    session.execute(delete(Gap).where(Gap.ticket_id == draft.ticket_id))


def _learn_from(session: Session, draft: Draft, approval: Approval) -> None:
    """Make a case of a sent reply: the documents it cites solved the ticket."""
    cited = session.scalars(
        select(Version.document_id)
        .join(Passage, Passage.version_id == Version.id)
        .join(Citation, Citation.passage_id == Passage.id)
        .join(Claim, Claim.id == Citation.claim_id)
        .where(Claim.approval_id == approval.id)
    ).all()
    if not cited or approval.sent_at is None:
        return
    ticket = session.get_one(Ticket, draft.ticket_id)
    messages = [(Author(author), body) for author, body in draft.thread]
    edited = approval.final_text.strip() != draft.text.strip()
    solution = Solution(CaseOrigin.APPROVED, approval.sent_at, edited, own_suggestion=not edited)
    cases.link(session, ticket.id, sorted(set(cited)))
    cases.remember(session, ticket, messages, solution)
