"""Drafts as a record: what they were made from, their claims, citations and machine verdicts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.events import record
from rag import prompt
from rag.budget import Prompt
from rag.cite import CitedClaim, bare_text
from rag.errors import RagError
from rag.llm import Usage
from rag.models import EXTRACTIVE, Model
from rag.questions import asked
from rag.tables import (
    MACHINE,
    Author,
    Citation,
    Claim,
    Draft,
    DraftStatus,
    Gap,
    ModelCall,
    Ticket,
    Verdict,
)
from rag.tickets import thread
from rag.verify import verify


@dataclass(frozen=True, slots=True)
class Facts:
    """What a draft is about, as it was when the draft began."""

    ticket_id: str
    actor: str
    subject: str
    language: str
    product: str | None
    names: list[str]
    messages: list[tuple[Author, str]]


@dataclass(frozen=True, slots=True)
class Finished:
    """A draft at its end."""

    text: str
    status: DraftStatus
    reason: str | None
    claims: list[CitedClaim]
    prompt: Prompt
    usage: Usage
    seconds: float
    index_fingerprint: str
    masked: dict[str, int]


def facts(session: Session, ticket_id: str, actor: str) -> Facts:
    """Read a ticket with its thread."""
    ticket = session.get_one(Ticket, ticket_id)
    messages = thread(session, ticket.id)
    names = [str(ticket.customer["name"])] if ticket.customer.get("name") else []
    return Facts(ticket.id, actor, ticket.subject, ticket.language, ticket.product, names, messages)


def keep(session: Session, about: Facts, route: Model | None, finished: Finished) -> str:
    """Store a draft with everything that belongs to it, and return its id."""
    cost = _cost(route, finished.usage)
    draft = Draft(
        ticket_id=about.ticket_id,
        thread=[[author, body] for author, body in about.messages],
        model=route.name if route else EXTRACTIVE,
        prompt_version=prompt.VERSION,
        prompt=[
            {"role": message["role"], "content": message["content"]}
            for message in finished.prompt.messages
        ],
        index_fingerprint=finished.index_fingerprint,
        ledger=finished.prompt.ledger,
        prompt_tokens=finished.prompt.tokens,
        budget_tokens=finished.prompt.budget_tokens,
        created_by=about.actor,
        status=finished.status,
        text=finished.text,
        reason=finished.reason,
        usage=asdict(finished.usage),
        cost_usd=cost,
        seconds=finished.seconds,
        masked=finished.masked,
    )
    session.add(draft)
    session.flush()
    add_claims(session, draft.id, None, finished.claims)
    if route is not None:
        _add_call(session, draft, finished)
    if finished.status == DraftStatus.ABSTAINED:
        question = asked(about.subject, about.messages).text
        reason = finished.reason or ""
        session.merge(Gap(ticket_id=about.ticket_id, question=question, reason=reason))
    record(session, about.actor, "draft:make", draft.id, {"status": finished.status})
    return draft.id


def add_claims(
    session: Session, draft_id: str, approval_id: str | None, claims: Sequence[CitedClaim]
) -> None:
    """Store claims with their citations, and what the machine says of each."""
    for ordinal, cited in enumerate(claims, start=1):
        claim = Claim(
            draft_id=draft_id,
            approval_id=approval_id,
            ordinal=ordinal,
            text=cited.text,
            start=cited.start,
            end=cited.end,
        )
        session.add(claim)
        session.flush()
        _add_citations(session, claim.id, cited)


def add_failed_call(session: Session, route: Model, error: RagError, seconds: float) -> None:
    """Store a request to a model that no draft came of."""
    session.add(ModelCall(model=route.name, outcome=error.code, seconds=seconds))


def current_draft(session: Session, ticket_id: str) -> Draft | None:
    """Return the draft that counts: the approved one of the thread as it is, else the newest."""
    query = select(Draft).where(Draft.ticket_id == ticket_id).order_by(Draft.created_at.desc())
    approved = session.scalar(query.where(Draft.status == DraftStatus.APPROVED).limit(1))
    if approved is not None:
        answered = [list(entry) for entry in thread(session, ticket_id)[:-1]]
        if approved.thread == answered:
            return approved
    return session.scalar(query.limit(1))


def _add_citations(session: Session, claim_id: str, cited: CitedClaim) -> None:
    for evidence in cited.evidence:
        citation = Citation(
            claim_id=claim_id,
            passage_id=evidence.hit.passage.id,
            marker=evidence.marker,
            quote=evidence.quote,
            quote_start=evidence.quote_start,
            quote_end=evidence.quote_end,
        )
        session.add(citation)
        session.flush()
        finding = verify(bare_text(cited.text), evidence.hit.passage.text)
        if finding is not None:
            verdict = Verdict(
                citation_id=citation.id,
                judge=MACHINE,
                label=finding.label,
                score=finding.probability,
                note="; ".join(finding.reasons),
            )
            session.add(verdict)


def _add_call(session: Session, draft: Draft, finished: Finished) -> None:
    call = ModelCall(
        model=draft.model,
        outcome=finished.reason or "complete",
        seconds=finished.seconds,
        draft_id=draft.id,
        prompt_tokens=finished.usage.prompt_tokens,
        completion_tokens=finished.usage.completion_tokens,
        cost_usd=draft.cost_usd,
    )
    session.add(call)


def _cost(route: Model | None, usage: Usage) -> float | None:
    if route is None:
        return 0.0
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return route.cost_usd(usage.prompt_tokens, usage.completion_tokens)
