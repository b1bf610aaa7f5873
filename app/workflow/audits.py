"""Audits: the next citation to judge, and the verdict."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from app.errors import AlreadySettledError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow import drafts
from app.workflow.access import Actor, require
from ingest.events import record
from rag import cases
from rag.tables import (
    MACHINE,
    Approval,
    ApprovalState,
    Author,
    Citation,
    Claim,
    Draft,
    Label,
    Ticket,
    Verdict,
)
from rag.tickets import question

UNJUDGED = 0.5


@dataclass(frozen=True, slots=True)
class AuditView:
    """A citation of a sent reply: the customer's question, the claim in its reply, the source."""

    question: str
    reply: str
    claim: Claim
    cited: drafts.CitationView
    waiting: int


def next_citation(services: Services, user_id: str) -> AuditView | None:
    """Return the riskiest citation that this reviewer has not judged; None when all are."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_AUDIT)
        rows = session.execute(_waiting(actor)).all()
        # The whole reply is shown, so all its sources must be ones this reviewer may see.
        visible = {
            draft.id: drafts.is_visible(session, draft, actor.scope)
            for draft in {row.Draft.id: row.Draft for row in rows}.values()
        }
        waiting = [row.id for row in rows if visible[row.Draft.id]]
        return _view(session, waiting[0], len(waiting)) if waiting else None


def judge(services: Services, user_id: str, citation_id: str, label: Label, note: str) -> None:
    """Record a reviewer's verdict.

    Raises:
        AlreadySettledError: This reviewer has judged it before.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_AUDIT)
        draft = session.scalar(_draft_of().where(Citation.id == citation_id))
        if draft is None or not drafts.is_visible(session, draft, actor.scope):
            raise NotFoundError(what="such citation")
        earlier = select(Verdict).where(
            Verdict.citation_id == citation_id, Verdict.judge == actor.email
        )
        if session.scalar(earlier) is not None:
            raise AlreadySettledError(who=actor.email)
        verdict = Verdict(
            citation_id=citation_id, judge=actor.email, label=label, note=note.strip()
        )
        session.add(verdict)
        cases.touch(session, draft.ticket_id)
        record(session, actor.email, "citation:judge", citation_id, {"label": label})


def _draft_of() -> Select[Draft]:
    return (
        select(Draft)
        .join(Claim, Claim.draft_id == Draft.id)
        .join(Citation, Citation.claim_id == Claim.id)
    )


def _waiting(actor: Actor) -> Select[str, Draft]:
    machine, own = aliased(Verdict), aliased(Verdict)
    # What the machine holds least probable comes first; what it did not judge is open.
    risk = func.coalesce(machine.score, UNJUDGED)
    return (
        _draft_of()
        .with_only_columns(Citation.id, Draft)
        .join(Approval, Approval.id == Claim.approval_id)
        .outerjoin(machine, (machine.citation_id == Citation.id) & (machine.judge == MACHINE))
        .outerjoin(own, (own.citation_id == Citation.id) & (own.judge == actor.email))
        .where(own.id.is_(None), Approval.state == ApprovalState.SENT)
        .order_by(risk, Approval.at, Claim.ordinal, Citation.marker)
    )


def _view(session: Session, citation_id: str, waiting: int) -> AuditView:
    citation = session.get_one(Citation, citation_id)
    claim = session.get_one(Claim, citation.claim_id)
    draft = session.get_one(Draft, claim.draft_id)
    approval = session.get_one(Approval, claim.approval_id)
    ticket = session.get_one(Ticket, draft.ticket_id)
    asked = question(ticket.subject, [(Author(author), body) for author, body in draft.thread])
    cited = next(
        view for view in drafts.citations(session, claim.id) if view.citation.id == citation_id
    )
    return AuditView(asked, approval.final_text, claim, cited, waiting)
