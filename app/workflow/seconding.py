"""The second of two people: approves exactly the text that the first did, or sends it back."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.desk import desk_house
from app.errors import (
    AlreadySettledError,
    ChangedMeanwhileError,
    InvalidInputError,
    NotFoundError,
    SamePersonError,
    ThreadMovedError,
)
from app.roles import Permission
from app.services import Services
from app.workflow import dispatch, drafts
from app.workflow.access import Actor, require
from ingest.db import now
from ingest.events import record, take_turn
from rag import seal
from rag.seal import MovedKind
from rag.tables import Approval, ApprovalState, Draft, DraftStatus


def second(services: Services, user_id: str, approval_id: str) -> None:
    """Approve what another person approved first; it is sent in a moment.

    Raises:
        SamePersonError: It was this person.
        ThreadMovedError: The customer wrote again.
        ChangedMeanwhileError: The reply, or what it rests on, is not as it was approved.
        AlreadySettledError: It waits for nobody any more.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        approval = _visible(session, actor, approval_id)
        if approval.decided_by == actor.email:
            raise SamePersonError
        # Nothing is published or withdrawn between the check and the commit.
        take_turn(session)
        _take(session, approval, actor, ApprovalState.SEALED)
        _require_unmoved(session, approval)
        wait = timedelta(seconds=desk_house(session).policy.undo_seconds)
        approval.send_after = now() + wait
        draft = session.get_one(Draft, approval.draft_id)
        draft.status = DraftStatus.APPROVED
        draft.version += 1
        detail = {"draft": draft.id, "sha256": approval.sha256, "seal": approval.seal_sha256}
        record(session, actor.email, "draft:approve", draft.ticket_id, detail | {"second": True})


def send_back(services: Services, user_id: str, approval_id: str, reason: str) -> None:
    """Give a reply that waits for a second person back to be changed; the first may do so too.

    Raises:
        InvalidInputError: There is no reason.
        AlreadySettledError: It waits for nobody any more.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        approval = _visible(session, actor, approval_id)
        if not reason.strip():
            why = "nobody knows what to change"
            raise InvalidInputError(what="Sending back without a reason", why=why)
        _take(session, approval, actor, ApprovalState.RETURNED)
        approval.reason = reason.strip()
        draft = dispatch.reopen(session, approval)
        record(session, actor.email, "draft:return", draft.ticket_id, {"draft": draft.id})


def _visible(session: Session, actor: Actor, approval_id: str) -> Approval:
    approval = session.get(Approval, approval_id)
    if approval is None:
        raise NotFoundError(what="such approval")
    drafts.visible(session, actor, approval.draft_id)
    return approval


def _take(session: Session, approval: Approval, actor: Actor, state: ApprovalState) -> None:
    """Decide by one statement between two people who act at once."""
    won = session.scalar(
        update(Approval)
        .where(Approval.id == approval.id, Approval.state == ApprovalState.WAITING)
        .values(state=state, seconded_by=actor.email)
        .returning(Approval.id)
    )
    if won is None:
        raise AlreadySettledError(who=approval.seconded_by or approval.decided_by)


def _require_unmoved(session: Session, approval: Approval) -> None:
    moved = {each.kind for each in seal.moved(session, approval)}
    if MovedKind.THREAD in moved:
        raise ThreadMovedError
    if moved:
        raise ChangedMeanwhileError(what="What this reply rests on")
