"""Drafts as a record: what they were made from, their claims, citations and machine verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.events import record
from rag.budget import Prompt
from rag.cite import CitedClaim
from rag.corrections import CORRECTION
from rag.models import EXTRACTIVE
from rag.prompt import PLAIN
from rag.provider import Usage
from rag.questions import asked
from rag.replies import COMPLETE
from rag.tables import (
    MACHINE,
    Attribution,
    Author,
    Citation,
    Claim,
    Draft,
    DraftStatus,
    Gap,
    ModelCall,
    RecordQuote,
    Ticket,
    Verdict,
)
from rag.thread_evidence import recorded_quotes
from rag.tickets import thread
from rag.writing import Call, Writing

LEFT_TO_PEOPLE, OVERTAKEN = "left_to_people", "overtaken"


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
    seconds: float
    index_fingerprint: str
    instruction: str
    notes: Mapping[str, str]
    # What a model wrote; None where the embedded drafter did.
    writing: Writing | None


def facts(session: Session, ticket_id: str, actor: str) -> Facts:
    """Read a ticket with its thread."""
    ticket = session.get_one(Ticket, ticket_id)
    messages = thread(session, ticket.id)
    names = [str(ticket.customer["name"])] if ticket.customer.get("name") else []
    return Facts(ticket.id, actor, ticket.subject, ticket.language, ticket.product, names, messages)


def keep(session: Session, about: Facts, finished: Finished) -> str:
    """Store a draft with everything that belongs to it, and return its id.

    One that the customer has overtaken by writing again is dropped: its text is not kept.
    """
    if about.messages != thread(session, about.ticket_id):
        finished = replace(
            finished, text="", claims=[], status=DraftStatus.INCOMPLETE, reason=OVERTAKEN
        )
    writing = finished.writing
    style = writing.style if writing else PLAIN
    draft = Draft(
        ticket_id=about.ticket_id,
        thread=[[author, body] for author, body in about.messages],
        model=writing.route.name if writing else EXTRACTIVE,
        prompt_version=style.version,
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
        notes=dict(finished.notes),
        instruction=finished.instruction,
        attribution=writing.attribution if writing else Attribution.MODEL,
        usage=asdict(writing.usage if writing else Usage()),
        cost_usd=writing.cost_usd if writing else 0.0,
        seconds=finished.seconds,
        masked=writing.masked if writing else {},
    )
    session.add(draft)
    session.flush()
    add_claims(session, draft.id, None, finished.claims)
    session.add_all(_row(call, draft.id) for call in (writing.calls if writing else ()))
    if finished.status == DraftStatus.ABSTAINED and finished.reason != LEFT_TO_PEOPLE:
        question = asked(about.subject, about.messages).text
        reason = finished.reason or ""
        session.merge(Gap(ticket_id=about.ticket_id, question=question, reason=reason))
    record(session, about.actor, "draft:make", draft.id, {"status": finished.status})
    return draft.id


def add_claims(
    session: Session,
    draft_id: str,
    approval_id: str | None,
    claims: Sequence[CitedClaim],
    confirmed_by: str | None = None,
) -> None:
    """Store claims with their citations, and what the machine says of each.

    Whoever approved them stands by those that bind the desk.
    """
    draft = session.get_one(Draft, draft_id)
    ticket = session.get_one(Ticket, draft.ticket_id)
    for ordinal, cited in enumerate(claims, start=1):
        claim = Claim(
            draft_id=draft_id,
            approval_id=approval_id,
            ordinal=ordinal,
            text=cited.text,
            start=cited.start,
            end=cited.end,
            kind=cited.kind,
            confirmed_by=confirmed_by if cited.needs_confirmation else None,
        )
        session.add(claim)
        session.flush()
        _add_citations(session, claim.id, cited)
        session.add_all(_recorded(claim, draft, ticket))


def add_calls(session: Session, calls: Sequence[Call]) -> None:
    """Store requests to a model that no draft came of."""
    session.add_all(_row(call, None) for call in calls)


def said(about: Facts) -> str:
    """Return all that a ticket says."""
    return "\n".join([about.subject, *(body for _, body in about.messages)])


def current_draft(session: Session, ticket_id: str) -> Draft | None:
    """Return the draft that counts: the approved one of the thread as it is, else the newest.

    A correction of what was sent comes before it.
    """
    query = select(Draft).where(Draft.ticket_id == ticket_id).order_by(Draft.created_at.desc())
    newest = session.scalar(query.limit(1))
    messages = [list(entry) for entry in thread(session, ticket_id)]
    if newest and newest.model == CORRECTION and newest.status != DraftStatus.REJECTED:
        return newest
    decided = Draft.status.in_([DraftStatus.APPROVED, DraftStatus.WAITING])
    approved = session.scalar(query.where(decided).limit(1))
    # Sent, it is the last message; until then it answers the last one.
    if approved is not None and approved.thread in (messages, messages[:-1]):
        return approved
    return newest


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
        finding = evidence.finding
        if finding is not None:
            verdict = Verdict(
                citation_id=citation.id,
                judge=MACHINE,
                label=finding.label,
                score=finding.probability,
                note=finding.note,
            )
            session.add(verdict)


def _recorded(claim: Claim, draft: Draft, ticket: Ticket) -> list[RecordQuote]:
    thread_then = [(author, body) for author, body in draft.thread]
    quotes = recorded_quotes(claim.text, thread_then, ticket.customer)
    return [RecordQuote(claim_id=claim.id, **asdict(quote)) for quote in quotes]


def _row(call: Call, draft_id: str | None) -> ModelCall:
    usage = call.completion.usage
    return ModelCall(
        id=call.id,
        model=call.route.name,
        outcome=call.outcome,
        seconds=call.seconds,
        draft_id=draft_id,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=call.cost_usd,
        request_hash=call.request_hash,
        # Only a whole reply may answer the same request again.
        reply=call.reply if _may_answer_again(call) else None,
        revision=call.completion.revision,
        first_seconds=call.completion.first_seconds,
        prompt_version=call.prompt_version,
    )


def _may_answer_again(call: Call) -> bool:
    is_whole = call.outcome == COMPLETE and not call.completion.tool_calls
    return is_whole and call.request_hash is not None
