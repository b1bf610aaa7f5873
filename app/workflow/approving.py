"""Approving and rejecting: once, by one person, of exactly the text that is sent."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.desk import desk_house
from app.errors import (
    AlreadySettledError,
    InvalidInputError,
    StaleDraftError,
    ThreadMovedError,
)
from app.roles import Permission
from app.services import Services
from app.workflow import confirming, drafts, recalls, refuting
from app.workflow.access import Actor, require
from app.workflow.drafts import UNSETTLED
from ingest.db import now
from ingest.events import record
from rag import guard, records, seal, staleness
from rag.blanks import blanks
from rag.cite import CitedClaim
from rag.mask import left_in
from rag.tables import (
    Approval,
    ApprovalState,
    Citation,
    Claim,
    Draft,
    DraftStatus,
    RecordQuote,
    Verdict,
)
from rag.tickets import thread

_STATUS = {
    ApprovalState.SEALED: DraftStatus.APPROVED,
    ApprovalState.WAITING: DraftStatus.WAITING,
    ApprovalState.REJECTED: DraftStatus.REJECTED,
}


def approve(
    services: Services,
    user_id: str,
    draft_id: str,
    version: int,
    text: str,
    confirmed: Collection[str] = (),
) -> str:
    """Seal a reply as the agent leaves it, to be sent in a moment; return the approval's id.

    `confirmed` are the sentences that bind the desk and that the agent stands by. Where the desk
    wants a second person for one of them, it waits for them first: see `seconding`.

    Raises:
        AlreadySettledError: Somebody decided before, or in another window.
        ThreadMovedError: The customer wrote again after the draft.
        InvalidInputError: There is no text, or an incomplete draft was left as it was.
        UnconfirmedError: A sentence binds the desk and is not among the confirmed ones.
        RefutedError: A source contradicts a sentence, and the desk blocks such replies.
        StaleDraftError: A source no longer says what the reply cites.
        ForbiddenContentError: It holds a link or an address that none of its sources holds.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        draft = drafts.visible(session, actor, draft_id)
        check_settleable(session, draft, text)
        claims = drafts.verified_claims(services, session, draft, text)
        confirming.require_confirmed(claims, confirmed)
        _check_fresh(session, claims)
        policy = desk_house(session).policy
        refuting.require_unrefuted(claims, policy)
        waits = confirming.needs_second(claims, policy)
        state = ApprovalState.WAITING if waits else ApprovalState.SEALED
        approval = _decide(session, actor, draft, version, text, state)
        if not waits:
            approval.send_after = approval.at + timedelta(seconds=policy.undo_seconds)
        records.add_claims(session, draft.id, approval.id, claims, actor.email)
        seal.put_on(session, approval)
        detail = {"draft": draft.id, "sha256": approval.sha256, "seal": approval.seal_sha256}
        detail |= confirming.detail(claims)
        action = "draft:propose" if waits else "draft:approve"
        record(session, actor.email, action, draft.ticket_id, detail)
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
        rejection = _decide(session, actor, draft, version, draft.text, ApprovalState.REJECTED)
        rejection.reason = reason.strip()
        recalls.close_rejected(session, draft)
        record(session, actor.email, "draft:reject", draft.ticket_id, {"draft": draft.id})


def renew(services: Services, user_id: str, draft_id: str, version: int) -> None:
    """Let a stale draft cite the current versions of its sources, to be looked at anew.

    Raises:
        AlreadySettledError: Somebody decided before, or in another window.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_WRITE)
        draft = drafts.visible(session, actor, draft_id)
        if draft.status not in UNSETTLED or draft.version != version:
            raise AlreadySettledError(who="another window")
        renewed = staleness.renew(session, draft)
        draft.version += 1
        _forget_claims(session, (Claim.draft_id == draft.id) & Claim.approval_id.is_(None))
        claims = drafts.verified_claims(services, session, draft, draft.text)
        records.add_claims(session, draft.id, None, claims)
        detail = {"draft": draft.id, "passages": renewed}
        record(session, actor.email, "draft:renew", draft.ticket_id, detail)


def check_settleable(session: Session, draft: Draft, text: str) -> None:
    """See that a text may be sent in place of a draft.

    Raises:
        InvalidInputError: It is empty, a draft that broke off, or has a placeholder or blank in it.
        ForbiddenContentError: It holds a link or an address that none of its sources holds.
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
    guard.check(text, drafts.sources(session, draft), [written], desk_house(session).voice)
    if empty := blanks(text):
        raise InvalidInputError(
            what="The reply as it is", why=f"{empty[0]} is still to be filled in"
        )
    present = [list(entry) for entry in thread(session, draft.ticket_id)]
    if draft.status in UNSETTLED and draft.thread != present:
        raise ThreadMovedError
    _check_alone(session, draft)


def _check_fresh(session: Session, claims: Sequence[CitedClaim]) -> None:
    """See that the sources still say what the reply cites."""
    if moved := staleness.stale(session, claims):
        raise StaleDraftError(titles=", ".join(dict.fromkeys(each.what for each in moved)))


def _check_alone(session: Session, draft: Draft) -> None:
    """See that no other reply to the ticket is on its way."""
    on_its_way = Approval.state.in_([ApprovalState.SEALED, ApprovalState.WAITING])
    other = session.scalar(
        select(Approval)
        .join(Draft, Draft.id == Approval.draft_id)
        .where(Draft.ticket_id == draft.ticket_id, on_its_way)
    )
    if other is not None:
        raise AlreadySettledError(who=other.decided_by)


def _decide(
    session: Session, actor: Actor, draft: Draft, version: int, text: str, state: ApprovalState
) -> Approval:
    """Store a decision about a draft; an earlier one that was undone or refused goes."""
    before = draft.status
    # One statement decides between two people who act at once.
    won = session.scalar(
        update(Draft)
        .where(Draft.id == draft.id, Draft.version == version, Draft.status.in_(UNSETTLED))
        .values(status=_STATUS[state], version=version + 1)
        .returning(Draft.id)
    )
    earlier = session.scalar(select(Approval).where(Approval.draft_id == draft.id))
    if won is None:
        raise AlreadySettledError(who=earlier.decided_by if earlier else "another window")
    if earlier is not None:
        _forget(session, earlier)
    decision = Approval(
        draft_id=draft.id,
        approved=state != ApprovalState.REJECTED,
        final_text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        decided_by=actor.email,
        state=state,
        draft_was=before,
        at=now(),
    )
    session.add(decision)
    session.flush()
    return decision


def _forget(session: Session, approval: Approval) -> None:
    """Take an approval away that nothing was sent of; the events tell of it for ever."""
    _forget_claims(session, Claim.approval_id == approval.id)
    session.delete(approval)
    session.flush()


def _forget_claims(session: Session, which: ColumnElement[bool]) -> None:
    claims = select(Claim.id).where(which)
    citations = select(Citation.id).where(Citation.claim_id.in_(claims))
    session.execute(delete(Verdict).where(Verdict.citation_id.in_(citations)))
    session.execute(delete(Citation).where(Citation.claim_id.in_(claims)))
    session.execute(delete(RecordQuote).where(RecordQuote.claim_id.in_(claims)))
    session.execute(delete(Claim).where(which))
