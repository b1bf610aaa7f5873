"""Approving and rejecting: once, by one person, of exactly the text that is sent."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import AlreadySettledError, InvalidInputError, ThreadMovedError
from app.roles import Permission
from app.services import Services
from app.workflow import drafts
from app.workflow.access import Actor, require
from app.workflow.drafts import UNSETTLED
from ingest.events import record
from rag import cases, records
from rag.cases import Solution
from rag.cite import CitedClaim
from rag.mask import left_in
from rag.tables import (
    Approval,
    Author,
    CaseOrigin,
    Draft,
    DraftStatus,
    Gap,
    Message,
    Ticket,
    TicketStatus,
)
from rag.tickets import thread


def approve(services: Services, user_id: str, draft_id: str, version: int, text: str) -> str:
    """Approve a reply as the agent leaves it, and return the approval's id.

    Raises:
        AlreadySettledError: Somebody decided before, or in another window.
        ThreadMovedError: The customer wrote again after the draft.
        InvalidInputError: There is no text, or an incomplete draft was left as it was.
    """
    with _race_as_moved_thread(), services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        draft = drafts.visible(session, actor, draft_id)
        check_settleable(session, draft, text)
        approval = _decision(actor, draft, text, reason=None)
        _settle(session, draft, version, approval)
        claims = drafts.claims_of(session, draft, text)
        records.add_claims(session, draft.id, approval.id, claims)
        _answer(session, draft, text, approval)
        _learn_from(session, draft, approval, claims)
        detail = {"draft": draft.id, "sha256": approval.sha256}
        record(session, actor.email, "draft:approve", draft.ticket_id, detail)
        return approval.id


def reject(services: Services, user_id: str, draft_id: str, version: int, reason: str) -> None:
    """Reject a draft with a reason; the ticket stays open.

    Raises:
        AlreadySettledError: Somebody decided before, or in another window.
        InvalidInputError: There is no reason.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        draft = drafts.visible(session, actor, draft_id)
        if not reason.strip():
            raise InvalidInputError(
                what="A rejection without a reason", why="nobody learns from it"
            )
        _settle(session, draft, version, _decision(actor, draft, draft.text, reason.strip()))
        record(session, actor.email, "draft:reject", draft.ticket_id, {"draft": draft.id})


def check_settleable(session: Session, draft: Draft, text: str) -> None:
    """See that a text may be sent in place of a draft.

    Raises:
        InvalidInputError: It is empty, a draft that broke off, or has a placeholder in it.
        ThreadMovedError: The customer wrote again after the draft.
    """
    if not text.strip():
        raise InvalidInputError(what="An empty reply", why="there is nothing to send")
    if draft.status == DraftStatus.INCOMPLETE and text.strip() == draft.text:
        why = "it broke off before its end"
        raise InvalidInputError(what="The draft as it is", why=why)
    written = "".join(body for _, body in draft.thread)
    if left := [each for each in left_in(text) if each not in written]:
        why = f"{left[0]} stands in it in place of a name or number"
        raise InvalidInputError(what="The reply as it is", why=why)
    now = [list(entry) for entry in thread(session, draft.ticket_id)]
    if draft.status in UNSETTLED and draft.thread != now:
        raise ThreadMovedError


def _settle(session: Session, draft: Draft, version: int, decision: Approval) -> None:
    status = DraftStatus.APPROVED if decision.approved else DraftStatus.REJECTED
    # One statement decides between two people who act at once.
    won = session.scalar(
        update(Draft)
        .where(Draft.id == draft.id, Draft.version == version, Draft.status.in_(UNSETTLED))
        .values(status=status, version=version + 1)
        .returning(Draft.id)
    )
    if won is None:
        earlier = session.scalar(select(Approval).where(Approval.draft_id == draft.id))
        raise AlreadySettledError(who=earlier.decided_by if earlier else "another window")
    session.add(decision)
    session.flush()


def _decision(actor: Actor, draft: Draft, text: str, reason: str | None) -> Approval:
    """Return an approval, or with a reason a rejection."""
    return Approval(
        draft_id=draft.id,
        approved=reason is None,
        final_text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        decided_by=actor.email,
        reason=reason or "",
    )


def _answer(session: Session, draft: Draft, text: str, approval: Approval) -> None:
    """Put the reply into the thread, where the customer's next message will follow it."""
    session.get_one(Ticket, draft.ticket_id).status = TicketStatus.ANSWERED
    message = Message(
        ticket_id=draft.ticket_id,
        ordinal=len(draft.thread) + 1,
        author=Author.AGENT,
        body=drafts.without_markers(text),
        approval_id=approval.id,
    )
    session.add(message)
    # Answered questions are no gaps.
    session.execute(delete(Gap).where(Gap.ticket_id == draft.ticket_id))


def _learn_from(
    session: Session, draft: Draft, approval: Approval, claims: Sequence[CitedClaim]
) -> None:
    """Make a case of an approved reply: the documents it cites solved the ticket."""
    cited = {evidence.hit.document.id for claim in claims for evidence in claim.evidence}
    if not cited:
        return
    ticket = session.get_one(Ticket, draft.ticket_id)
    messages = [(Author(author), body) for author, body in draft.thread]
    edited = approval.final_text.strip() != draft.text.strip()
    solution = Solution(CaseOrigin.APPROVED, approval.at, edited, own_suggestion=not edited)
    cases.link(session, ticket.id, sorted(cited))
    cases.remember(session, ticket, messages, solution)


@contextmanager
def _race_as_moved_thread() -> Iterator[None]:
    """Of two drafts of a ticket approved at one moment, the second finds its place taken."""
    try:
        yield
    except IntegrityError as error:
        raise ThreadMovedError from error
