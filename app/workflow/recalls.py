"""The recall list: sent replies whose sources have changed; each is corrected or dismissed."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.desk import desk_house
from app.errors import InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.tables import RecallDecision
from app.workflow import changed_sources, drafts
from app.workflow.access import Actor, require
from app.workflow.changed_sources import SEVERITY, Change, Recall
from ingest.events import record, take_turn
from ingest.quarantine import is_free
from ingest.tables import Document, Passage, Version
from rag import corrections, ledger, records, voice
from rag.corrections import CORRECTION, Told
from rag.retrieve import Hit
from rag.tables import Draft, DraftStatus, Ticket, TicketStatus
from rag.tickets import thread


def listed(services: Services, user_id: str) -> list[Recall]:
    """Return the sent replies to look at, the worst first, then the newest."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_RECALLS_READ)
        found = list(changed_sources.recalls(session, actor))
    return sorted(found, key=lambda recall: SEVERITY[recall.worst])


def prepare(services: Services, user_id: str, approval_id: str) -> str:
    """Open a ticket again with the draft of a correction; return the ticket's id."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RECALLS_WRITE)
        take_turn(session)
        recall = _recall(session, actor, approval_id)
        draft = _draft(session, actor, recall)
        claims = drafts.verified_claims(services, session, draft, draft.text)
        records.add_claims(session, draft.id, None, claims)
        _decide(session, actor, recall, draft_id=draft.id)
        detail = {"approval": approval_id, "draft": draft.id, "drift": recall.worst}
        record(session, actor.email, "recall:prepare", recall.ticket.id, detail)
        return recall.ticket.id


def dismiss(services: Services, user_id: str, approval_id: str, reason: str) -> None:
    """Say that a reply needs no correction, and why.

    Raises:
        InvalidInputError: There is no reason.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RECALLS_WRITE)
        take_turn(session)
        if not reason.strip():
            why = "nobody could check it later"
            raise InvalidInputError(what="A dismissal without a reason", why=why)
        recall = _recall(session, actor, approval_id)
        _decide(session, actor, recall, reason=reason.strip())
        detail = {"approval": approval_id, "drift": recall.worst}
        record(session, actor.email, "recall:dismiss", recall.ticket.id, detail)


def close_rejected(session: Session, draft: Draft) -> None:
    """Close a ticket again that was opened only for a correction, which was rejected."""
    if draft.model == CORRECTION:
        session.get_one(Ticket, draft.ticket_id).status = TicketStatus.ANSWERED


def _recall(session: Session, actor: Actor, approval_id: str) -> Recall:
    found = next(changed_sources.recalls(session, actor, approval_id), None)
    if found is None:
        raise NotFoundError(what="such reply to correct")
    return found


def _decide(
    session: Session, actor: Actor, recall: Recall, *, draft_id: str | None = None, reason: str = ""
) -> None:
    # Of one citation several sentences may have changed.
    places = dict.fromkeys((change.citation_id, change.current_id) for change in recall.changes)
    session.add_all(
        RecallDecision(
            citation_id=citation_id,
            version_id=version_id,
            approval_id=recall.approval.id,
            decided_by=actor.email,
            draft_id=draft_id,
            reason=reason,
        )
        for citation_id, version_id in places
    )


def _draft(session: Session, actor: Actor, recall: Recall) -> Draft:
    """Store the draft of a correction, which cites the current versions."""
    ticket = recall.ticket
    hits = list(_hits(session, recall.changes))
    house = desk_house(session)
    text = corrections.compose(list(_told(recall.changes, hits)), ticket.language)
    name = str(ticket.customer.get("name") or "") or None
    draft = Draft(
        ticket_id=ticket.id,
        thread=[[author, body] for author, body in thread(session, ticket.id)],
        model=CORRECTION,
        prompt_version="",
        prompt=[],
        index_fingerprint="",
        ledger=[ledger.entry(hit, "", included=True) for hit in hits],
        prompt_tokens=0,
        budget_tokens=0,
        created_by=actor.email,
        status=DraftStatus.READY,
        text=voice.dress(text, house.voice, ticket.language, name),
        notes={"corrects": recall.approval.id},
        cost_usd=0.0,
    )
    session.add(draft)
    session.flush()
    session.execute(update(Ticket).where(Ticket.id == ticket.id).values(status=TicketStatus.OPEN))
    return draft


def _hits(session: Session, changes: Sequence[Change]) -> Iterator[Hit]:
    """Yield each passage that a changed sentence stands in now, once."""
    found: dict[str, None] = {}
    for change in changes:
        if change.start is None:
            continue
        row = session.execute(
            select(Passage, Version, Document)
            .join(Version, Version.id == Passage.version_id)
            .join(Document, Document.id == Version.document_id)
            .where(
                Passage.version_id == change.current_id,
                Passage.start <= change.start,
                Passage.end > change.start,
                is_free(),
            )
            .order_by(Passage.ordinal)
            .limit(1)
        ).first()
        if row is not None and row.Passage.id not in found:
            found[row.Passage.id] = None
            yield Hit(len(found), 1.0, row.Passage, row.Version, row.Document, "")


def _told(changes: Sequence[Change], hits: Sequence[Hit]) -> Iterator[Told]:
    for change in dict.fromkeys(changes):
        marker = next((hit.rank for hit in hits if _is_in(change, hit)), None)
        yield Told(change.told, change.now if marker else None, marker)


def _is_in(change: Change, hit: Hit) -> bool:
    passage = hit.passage
    return (
        change.start is not None
        and passage.version_id == change.current_id
        and passage.start <= change.start < passage.end
    )
