"""The command that drafts the whole queue, overnight for example."""

import sys
import time
from typing import Any

from sqlalchemy import exists, select

from app import console
from app.commands.tickets import ACTOR
from app.services import Services
from ingest.access import Scope
from ingest.errors import CopilotError
from rag.errors import RagError
from rag.sorting import sort
from rag.tables import Draft, Ticket, TicketStatus


def draft_waiting(services: Services, model: str | None) -> None:
    """Draft each open ticket that has no draft yet, oldest first; Ctrl+C ends it between two.

    What was drafted is kept. A ticket whose draft fails is named, and the next one follows.
    """
    with services.database.read() as session:
        drafted = exists().where(Draft.ticket_id == Ticket.id)
        query = select(Ticket.id).where(Ticket.status == TicketStatus.OPEN, ~drafted)
        waiting = list(session.scalars(query.order_by(Ticket.created_at)))
    done: list[dict[str, Any]] = []
    try:
        for number, ticket_id in enumerate(waiting, start=1):
            if _has_draft(services, ticket_id):
                # Somebody had it drafted meanwhile.
                continue
            row = _draft(services, ticket_id, model)
            done.append(row)
            sys.stderr.write(f"{number} of {len(waiting)}  {ticket_id}  {row['status']}\n")
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; what was drafted is kept.\n")
    failed = [row for row in done if row["error"]]
    cost = sum(row["cost_usd"] or 0.0 for row in done)
    document = {"waiting": len(waiting), "tickets": done, "cost_usd": round(cost, 6)}
    lines = [
        f"{len(done) - len(failed)} of {len(waiting)} drafted, {cost:.4f} USD as far as known."
    ]
    console.show(document, lines)
    if done and len(failed) == len(done):
        raise SystemExit(1)


def _draft(services: Services, ticket_id: str, model: str | None) -> dict[str, Any]:
    begun = time.perf_counter()
    row: dict[str, Any] = {"ticket": ticket_id, "status": "failed", "error": None, "cost_usd": None}
    row["sorted"] = _sort(services, ticket_id)
    try:
        writer = services.writer(model)
        # Whoever opens the ticket is to see its draft: restricted documents are left out.
        scope = Scope.of_staff(frozenset())
        stream = services.drafter.draft(ticket_id, ACTOR, scope, writer)
        for _ in stream:
            pass
    except CopilotError as error:
        row["error"] = str(error)
    else:
        with services.database.read() as session:
            draft = session.get_one(Draft, stream.draft_id)
        row |= {"status": draft.status, "model": draft.model, "reason": draft.reason}
        row["cost_usd"] = draft.cost_usd
    return row | {"seconds": round(time.perf_counter() - begun, 3)}


def _has_draft(services: Services, ticket_id: str) -> bool:
    with services.database.read() as session:
        return session.scalar(select(Draft.id).where(Draft.ticket_id == ticket_id)) is not None


def _sort(services: Services, ticket_id: str) -> bool:
    """Have a small model read the ticket, if there is one; a draft does not depend on it."""
    sorter = services.sorter
    if sorter is None:
        return False
    try:
        return sort(services.drafter, ticket_id, ACTOR, sorter) is not None
    except RagError as error:
        sys.stderr.write(f"{ticket_id}  not sorted: {error}\n")
        return False
