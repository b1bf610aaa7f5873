"""The audit trail as a whole: is each event, and each sealed reply, as it was written?"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.db import Database
from ingest.events import broken_links
from ingest.tables import Event
from rag import seal
from rag.tables import Approval, ApprovalState, Draft


@dataclass(slots=True)
class Trail:
    """What was checked, and what is not as it was."""

    broken_events: list[int] = field(default_factory=list)
    broken_seals: list[dict[str, Any]] = field(default_factory=list)
    sealed: int = 0
    # Replies approved before there were seals.
    unsealed: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was changed, put in between or taken from between."""
        return not (self.broken_events or self.broken_seals)


def verify(database: Database) -> Trail:
    """Check the chain of events, and each reply that is or was to be sent against its seal."""
    found = Trail()
    with database.read() as session:
        found.broken_events = list(broken_links(session))
        recorded = _recorded(session)
        holding = Approval.state.in_([ApprovalState.SEALED, ApprovalState.SENT])
        query = select(Approval, Draft.ticket_id).join(Draft, Draft.id == Approval.draft_id)
        for approval, ticket_id in session.execute(query.where(holding).order_by(Approval.at)):
            _check(session, found, approval, ticket_id, recorded.get(approval.draft_id))
    return found


def _check(
    session: Session, found: Trail, approval: Approval, ticket_id: str, recorded: str | None
) -> None:
    if approval.seal_sha256 is None and recorded is None:
        found.unsealed += 1
        return
    found.sealed += 1
    moved = {str(each.kind) for each in seal.broken(session, approval)}
    # Whoever changes a reply and its seal alike has not changed what the events say of it.
    if approval.seal_sha256 != recorded:
        moved.add("seal")
    if moved:
        entry = {"approval": approval.id, "ticket": ticket_id, "moved": sorted(moved)}
        found.broken_seals.append(entry)


def _recorded(session: Session) -> dict[str, str]:
    """Return by draft the seal that the newest event of its approval names."""
    query = select(Event).where(Event.action == "draft:approve").order_by(Event.id)
    return {
        event.detail["draft"]: event.detail["seal"]
        for event in session.scalars(query)
        if "seal" in event.detail
    }
