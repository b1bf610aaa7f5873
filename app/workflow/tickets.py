"""Tickets: the queue, one ticket, a new one."""

from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import select

from app.errors import InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow import drafts
from app.workflow.access import require
from ingest.events import record
from ingest.guard import scan
from rag import records, tickets
from rag.tables import Approval, Author, Gap, Ticket, TicketStatus
from rag.tickets import MAX_CHARACTERS, TicketLine

QUEUE_SIZE = 200
LONG_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket with its thread and its newest draft.

    `withheld` tells that there is a draft from documents that this person may not see; `sent` are
    all replies that were sent from here, oldest first.
    """

    ticket: Ticket
    messages: list[tuple[Author, str]]
    draft: drafts.DraftView | None
    withheld: bool
    sent: list[Approval]

    @property
    def suspicious(self) -> list[str]:
        """Return the words of the customer that speak to a language model, or hide something."""
        written = [body for author, body in self.messages if author == Author.CUSTOMER]
        known = [*self.ticket.customer, *map(str, self.ticket.customer.values())]
        texts = [self.ticket.id, self.ticket.subject, self.ticket.product or "", *known, *written]
        found = (
            sign.hidden or text[sign.start : sign.end] for text in texts for sign in scan(text)
        )
        return list(dict.fromkeys(" ".join(quote.split()) for quote in found))

    @property
    def is_long(self) -> bool:
        """Tell whether the newest message is longer than drafters read."""
        return len(self.messages[-1][1]) > LONG_CHARACTERS


def queue(services: Services, user_id: str, status: TicketStatus) -> list[Ticket]:
    """Return the tickets of one status, oldest first."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_TICKETS_READ)
        query = select(Ticket).where(Ticket.status == status).order_by(Ticket.created_at)
        return list(session.scalars(query.limit(QUEUE_SIZE)))


def read(services: Services, user_id: str, ticket_id: str) -> TicketView:
    """Return a ticket with its thread and newest draft."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        ticket = session.get(Ticket, ticket_id)
        if ticket is None:
            raise NotFoundError(what=f"ticket {ticket_id}")
        newest = records.current_draft(session, ticket_id)
        withheld = newest is not None and not drafts.is_visible(session, newest, actor.scope)
        view = drafts.read(session, newest.id) if newest and not withheld else None
        messages, sent = tickets.thread(session, ticket_id), drafts.sent(session, ticket_id)
        return TicketView(ticket, messages, view, withheld, sent)


def create(services: Services, user_id: str, subject: str, body: str) -> str:
    """Add a ticket by hand and return its id."""
    if not subject.strip() and not body.strip():
        raise InvalidInputError(what="An empty ticket", why="there is nothing to answer")
    if len(body) > MAX_CHARACTERS:
        why = f"it has {len(body):,} characters and the limit is {MAX_CHARACTERS:,}"
        raise InvalidInputError(what="The ticket", why=why)
    line = TicketLine(id=f"N-{uuid4().hex[:8]}", subject=subject.strip(), body=body.strip())
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_WRITE)
        ticket = tickets.save(session, line)
        record(session, actor.email, "ticket:create", ticket.id)
        return ticket.id


def gap_of(services: Services, user_id: str, ticket_id: str) -> Gap | None:
    """Return the open question that a ticket left in the knowledge base."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_TICKETS_READ)
        return session.get(Gap, ticket_id)
