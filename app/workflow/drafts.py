"""Drafts: read one with its evidence, approve it, reject it."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from app.desk import desk_house
from app.errors import AlreadySettledError, InvalidInputError, NotFoundError, ThreadMovedError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest.access import Scope
from ingest.events import record
from ingest.tables import Document, Passage, Version, Visibility
from rag import cases, records, voice
from rag.cases import Solution
from rag.cite import MARKER_WITH_BLANK, CitedClaim
from rag.mask import left_in
from rag.pipeline import NO_WISH, DraftStream, Wish
from rag.retrieve import Hit
from rag.tables import (
    MACHINE,
    Approval,
    Author,
    CaseOrigin,
    Citation,
    Claim,
    Draft,
    DraftStatus,
    Gap,
    Message,
    ModelCall,
    Ticket,
    TicketStatus,
    Verdict,
)
from rag.tickets import thread
from rag.voice import Deviation

UNSETTLED = (DraftStatus.READY, DraftStatus.ABSTAINED, DraftStatus.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class CitationView:
    """A citation with its source and what the machine says of it."""

    citation: Citation
    passage: Passage
    version: Version
    document: Document
    machine: Verdict | None


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with its citations in the order of their markers."""

    claim: Claim
    citations: list[CitationView]


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft with its evidence; once approved, text and claims are those of the approved reply.

    `considered` are the passages that were found and not used, `calls` the requests to models.
    """

    draft: Draft
    decision: Approval | None
    claims: list[ClaimView]
    sources: list[Hit]
    considered: list[Hit]
    calls: list[ModelCall]

    @property
    def text(self) -> str:
        """Return the text that the claims' offsets count in."""
        approved = self.decision is not None and self.decision.approved
        return self.decision.final_text if approved and self.decision else self.draft.text


def begin(
    services: Services, user_id: str, ticket_id: str, model: str | None, wish: Wish = NO_WISH
) -> DraftStream:
    """Begin to draft a reply to a ticket."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_WRITE)
        if session.get(Ticket, ticket_id) is None:
            raise NotFoundError(what=f"ticket {ticket_id}")
    writer = services.writer(model)
    return services.drafter.draft(ticket_id, actor.email, actor.scope, writer, wish)


def approve(services: Services, user_id: str, draft_id: str, version: int, text: str) -> str:
    """Approve a reply as the agent leaves it, and return the approval's id.

    Raises:
        AlreadySettledError: Somebody decided before, or in another window.
        ThreadMovedError: The customer wrote again after the draft.
        InvalidInputError: There is no text, or an incomplete draft was left as it was.
    """
    with _race_as_moved_thread(), services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DRAFTS_SETTLE)
        draft = _visible(session, actor, draft_id)
        check_settleable(session, draft, text)
        approval = _decision(actor, draft, text, reason=None)
        _settle(session, draft, version, approval)
        claims = _claims(session, draft, text)
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
        draft = _visible(session, actor, draft_id)
        if not reason.strip():
            raise InvalidInputError(
                what="A rejection without a reason", why="nobody learns from it"
            )
        _settle(session, draft, version, _decision(actor, draft, draft.text, reason.strip()))
        record(session, actor.email, "draft:reject", draft.ticket_id, {"draft": draft.id})


def read(session: Session, draft_id: str) -> DraftView:
    """Return a draft as it is, or as it was when it was decided on.

    Raises:
        NotFoundError: There is none.
    """
    draft = session.get(Draft, draft_id)
    if draft is None:
        raise NotFoundError(what="such draft")
    decision = session.scalar(select(Approval).where(Approval.draft_id == draft_id))
    of_text = decision.id if decision and decision.approved else None
    claims = session.scalars(
        select(Claim)
        .where(Claim.draft_id == draft_id, Claim.approval_id == of_text)
        .order_by(Claim.ordinal)
    )
    views = [ClaimView(claim, citations(session, claim.id)) for claim in claims]
    considered = sources(session, draft, included=False)
    calls = select(ModelCall).where(ModelCall.draft_id == draft_id).order_by(ModelCall.at)
    asked = list(session.scalars(calls))
    return DraftView(draft, decision, views, sources(session, draft), considered, asked)


def preview(services: Services, user_id: str, draft_id: str, text: str) -> list[CitedClaim]:
    """Return the claims and citations that a text would have if it were approved now."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        return _claims(session, _visible(session, actor, draft_id), text)


def deviations(services: Services, user_id: str, draft_id: str, text: str) -> list[Deviation]:
    """Return where a text does not sound as the desk wants its replies to sound."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        draft = _visible(session, actor, draft_id)
        return voice.deviations(text, desk_house(session).voice, _language(session, draft))


def _claims(session: Session, draft: Draft, text: str) -> list[CitedClaim]:
    return desk_house(session).claims(text, sources(session, draft), _language(session, draft))


def _language(session: Session, draft: Draft) -> str:
    """Return the language of a reply: the customer's, unless the agent wished for another."""
    customers = session.get_one(Ticket, draft.ticket_id).language
    return draft.notes.get("reply_language", customers)


def is_visible(session: Session, draft: Draft, scope: Scope) -> bool:
    """Tell whether a person may see all that a draft was made from; else they see none of it."""
    passages = [entry["passage_id"] for entry in draft.ledger]
    query = (
        select(Document, Version)
        .join(Version, Version.document_id == Document.id)
        .join(Passage, Passage.version_id == Version.id)
        .where(Passage.id.in_(passages))
        .options(defer(Version.text))
    )
    return all(scope.permits_version(*row) for row in session.execute(query))


def citations(session: Session, claim_id: str) -> list[CitationView]:
    """Return the citations of a claim with their sources."""
    query = (
        select(Citation, Passage, Version, Document, Verdict)
        .join(Passage, Passage.id == Citation.passage_id)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .outerjoin(Verdict, (Verdict.citation_id == Citation.id) & (Verdict.judge == MACHINE))
        .where(Citation.claim_id == claim_id)
        .order_by(Citation.marker)
    )
    return [CitationView(*row) for row in session.execute(query)]


def sources(session: Session, draft: Draft, *, included: bool = True) -> list[Hit]:
    """Return the passages that the draft's markers count, as they were; or those left out."""
    used = [entry for entry in draft.ledger if entry["included"] == included]
    query = (
        select(Passage, Version, Document)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_([entry["passage_id"] for entry in used]))
    )
    found = {row.Passage.id: row for row in session.execute(query)}
    return [
        Hit(entry["rank"], entry["score"], *found[entry["passage_id"]], entry["reason"])
        for entry in used
    ]


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


def without_markers(text: str) -> str:
    """Return a reply as a customer should see it."""
    return MARKER_WITH_BLANK.sub("", text)


def with_sources(view: DraftView) -> str:
    """Return a reply with its markers and a list of the public sources they stand for."""
    notes = {
        cited.citation.marker: _footnote(cited)
        for claim in view.claims
        for cited in claim.citations
        if cited.document.visibility == Visibility.PUBLIC
    }
    return "\n".join([view.text, "", *(notes[marker] for marker in sorted(notes))])


def _footnote(cited: CitationView) -> str:
    page = f", p. {cited.passage.first_page}" if cited.passage.first_page else ""
    return f"[{cited.citation.marker}] {cited.version.title}{page}"


@contextmanager
def _race_as_moved_thread() -> Iterator[None]:
    """Of two drafts of a ticket approved at one moment, the second finds its place taken."""
    try:
        yield
    except IntegrityError as error:
        raise ThreadMovedError from error


def _visible(session: Session, actor: Actor, draft_id: str) -> Draft:
    draft = session.get(Draft, draft_id)
    # The same answer for "not there" and "not yours": existence is a secret too.
    if draft is None or not is_visible(session, draft, actor.scope):
        raise NotFoundError(what="such draft")
    return draft


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
        body=without_markers(text),
        approval_id=approval.id,
    )
    session.add(message)
    # Answered questions are no gaps.
    session.execute(delete(Gap).where(Gap.ticket_id == draft.ticket_id))
