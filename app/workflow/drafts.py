"""Drafts: have one made, read it with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from app.desk import desk_house
from app.errors import NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest.access import Scope
from ingest.tables import Document, Passage, Version, Visibility
from rag import seal, staleness, voice
from rag.cite import MARKER_WITH_BLANK, CitedClaim, Evidence
from rag.judgement import stored_finding
from rag.pipeline import NO_WISH, DraftStream, Wish
from rag.retrieve import Hit
from rag.seal import Moved
from rag.tables import (
    MACHINE,
    Approval,
    ApprovalState,
    Citation,
    Claim,
    Draft,
    DraftStatus,
    ModelCall,
    Ticket,
    Verdict,
)
from rag.verify import customers_words
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
        return (
            self.decision.final_text if self.decision and _holds(self.decision) else self.draft.text
        )

    @property
    def proposal(self) -> str:
        """Return what an agent begins to edit with: what was approved once, else the draft."""
        approved = self.decision is not None and self.decision.approved
        return self.decision.final_text if approved and self.decision else self.draft.text

    @property
    def cited(self) -> list[CitedClaim]:
        """Return the claims as they are stored: quotes and places of then."""
        hits = {hit.passage.id: hit for hit in self.sources}
        return [_as_stored(view, hits) for view in self.claims]


@dataclass(frozen=True, slots=True)
class Reopened:
    """A sent reply, and what is not as it was sealed; None where there was no seal yet."""

    view: DraftView
    broken: list[Moved] | None


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


def read(session: Session, draft_id: str) -> DraftView:
    """Return a draft as it is, or as it was when it was decided on.

    Raises:
        NotFoundError: There is none.
    """
    draft = session.get(Draft, draft_id)
    if draft is None:
        raise NotFoundError(what="such draft")
    decision = session.scalar(select(Approval).where(Approval.draft_id == draft_id))
    of_text = decision.id if decision and _holds(decision) else None
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


def _as_stored(view: ClaimView, hits: Mapping[str, Hit]) -> CitedClaim:
    evidence = tuple(_evidence(cited, hits[cited.passage.id]) for cited in view.citations)
    findings = [each.finding for each in evidence if each.finding]
    # Which of the passages was enough is told by the surest verdict.
    surest = max(findings, key=lambda finding: finding.probability, default=None)
    row = view.claim
    return CitedClaim(row.text, row.start, row.end, evidence, row.kind, surest)


def reopen(services: Services, user_id: str, draft_id: str) -> Reopened:
    """Return a reply that was sent as it was then, and whether its seal holds."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        view = read(session, visible(session, actor, draft_id).id)
        if view.decision is None or view.decision.state != ApprovalState.SENT:
            raise NotFoundError(what="such sent reply")
        sealed = view.decision.seal is not None
        return Reopened(view, seal.broken(session, view.decision) if sealed else None)


def sent(session: Session, ticket_id: str) -> list[Approval]:
    """Return the replies that were sent to a ticket, oldest first."""
    query = (
        select(Approval)
        .join(Draft, Draft.id == Approval.draft_id)
        .where(Draft.ticket_id == ticket_id, Approval.state == ApprovalState.SENT)
        .order_by(Approval.at)
    )
    return list(session.scalars(query))


def _evidence(cited: CitationView, hit: Hit) -> Evidence:
    row, machine = cited.citation, cited.machine
    finding = stored_finding(machine.label, machine.score, machine.note) if machine else None
    return Evidence(row.marker, hit, row.quote, row.quote_start, row.quote_end, finding)


def _holds(decision: Approval) -> bool:
    """Tell whether the approved text is the one that counts."""
    return decision.state in {ApprovalState.WAITING, ApprovalState.SEALED, ApprovalState.SENT}


def stale(services: Services, user_id: str, draft_id: str, text: str) -> list[Moved]:
    """Return what a text cites that its source no longer says."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        draft = visible(session, actor, draft_id)
        return staleness.stale(session, claims_of(session, draft, text))


def deviations(services: Services, user_id: str, draft_id: str, text: str) -> list[Deviation]:
    """Return where a text does not sound as the desk wants its replies to sound."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        draft = visible(session, actor, draft_id)
        return voice.deviations(text, desk_house(session).voice, _language(session, draft))


def verified_claims(
    services: Services, session: Session, draft: Draft, text: str
) -> list[CitedClaim]:
    """Return the claims of a text in a draft's place, with what the machine says of each."""
    return services.verifier.check(claims_of(session, draft, text), customers_words(draft.thread))


def claims_of(session: Session, draft: Draft, text: str) -> list[CitedClaim]:
    """Return the claims of a text in a draft's place, with what they cite."""
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
    ids = [entry["passage_id"] for entry in used]
    passages = {row.id: row for row in session.scalars(select(Passage).where(Passage.id.in_(ids)))}
    # Apart, so that the text of a version comes once and not with each of its passages.
    versions = (
        select(Version, Document)
        .join(Document, Document.id == Version.document_id)
        .where(Version.id.in_({passage.version_id for passage in passages.values()}))
    )
    of = {row.Version.id: row for row in session.execute(versions)}
    return [
        Hit(entry["rank"], entry["score"], passage, *of[passage.version_id], entry["reason"])
        for entry in used
        for passage in [passages[entry["passage_id"]]]
    ]


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


def visible(session: Session, actor: Actor, draft_id: str) -> Draft:
    """Return a draft.

    Raises:
        NotFoundError: There is none, or this person may not see all that it was made from.
    """
    draft = session.get(Draft, draft_id)
    # The same answer for "not there" and "not yours": existence is a secret too.
    if draft is None or not is_visible(session, draft, actor.scope):
        raise NotFoundError(what="such draft")
    return draft
