"""Tickets as they come in, open ones and solved ones."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ingest.db import now
from ingest.language import detect
from ingest.tables import Document
from rag import cases
from rag.cases import Solution
from rag.tables import Author, CaseOrigin, Message, Ticket, TicketStatus


def _storable(text: object) -> object:
    """Replace what JSON can say and no database keeps: half characters and NUL."""
    if not isinstance(text, str):
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def _without_gap(moment: object) -> object:
    """Close the gap before a time zone that other programs write: "2023-01-03 04:29:06 +0000"."""
    return ZONE_GAP.sub("", moment) if isinstance(moment, str) else moment


ZONE_GAP = re.compile(r"(?<=\d) +(?=[+-]\d\d:?\d\d$|Z$)")
Moment = Annotated[AwareDatetime | datetime | None, BeforeValidator(_without_gap)]
MAX_CHARACTERS = 1_000_000
StorableName = Annotated[str, Field(min_length=1, max_length=64), BeforeValidator(_storable)]
StorableText = Annotated[str, Field(max_length=MAX_CHARACTERS), BeforeValidator(_storable)]


class ThreadLine(BaseModel):
    """A later message of a ticket's thread."""

    author: Literal["customer", "agent"]
    body: StorableText


class TicketLine(BaseModel):
    """A ticket as other programs hand it over; with `documents` it is a solved one."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: StorableName
    subject: StorableText
    body: StorableText
    created: Moment = None
    locale: StorableText | None = None
    product: StorableText | None = None
    customer: dict[StorableText, Any] = Field(default_factory=dict)
    thread: list[ThreadLine] = Field(default_factory=list)
    replies: list[StorableText] = Field(default_factory=list)
    documents: list[StorableText] = Field(default_factory=list)

    @property
    def messages(self) -> list[tuple[Author, str]]:
        """Return the thread, oldest first."""
        return [
            (Author.CUSTOMER, self.body),
            *((Author(line.author), line.body) for line in self.thread),
            *((Author.AGENT, reply) for reply in self.replies),
        ]

    @property
    def language(self) -> str:
        """Return the language of the locale, else that of the text."""
        if self.locale:
            return self.locale.replace("_", "-").partition("-")[0].lower()[:8]
        return detect(f"{self.subject}\n{self.body}")


def save(session: Session, line: TicketLine) -> Ticket:
    """Store a ticket; one that is there already gets what is new of the thread.

    Replies approved here stay in the thread, whether or not the other program knows them.
    """
    ticket = session.get(Ticket, line.id)
    if ticket is None:
        ticket = Ticket(
            id=line.id,
            subject=line.subject,
            language=line.language,
            status=TicketStatus.OPEN,
            created_at=_aware(line.created),
            customer=line.customer,
            product=line.product,
        )
        session.add(ticket)
        session.flush()
    if _merge(session, ticket.id, line.messages):
        ticket.status = TicketStatus.OPEN
        cases.touch(session, ticket.id)
    _settle(session, ticket, line)
    return ticket


def _merge(session: Session, ticket_id: str, told: list[tuple[Author, str]]) -> bool:
    """Bring a thread in line with what another program tells; tell whether that changed it."""
    query = select(Message).where(Message.ticket_id == ticket_id).order_by(Message.ordinal)
    rows = list(session.scalars(query))
    bodies = {body for _, body in told}
    known = [row for row in rows if row.approval_id is None or row.body in bodies]
    before = [(Author(row.author), row.body) for row in known]
    if before[: len(told)] == told:
        return False
    if told[: len(before)] == before:
        _add(session, ticket_id, told[len(before) :], after=len(rows))
        return True
    # The other program has changed its history: that stands, then what was approved here.
    ours = [row for row in rows if row.approval_id is not None and row.body not in bodies]
    replies = [(row.body, row.approval_id) for row in ours]
    for row in rows:
        session.delete(row)
    session.flush()
    _add(session, ticket_id, told, after=0)
    session.add_all(
        Message(
            ticket_id=ticket_id,
            ordinal=ordinal,
            author=Author.AGENT,
            body=body,
            approval_id=approval_id,
        )
        for ordinal, (body, approval_id) in enumerate(replies, start=len(told) + 1)
    )
    session.flush()
    return True


def _add(session: Session, ticket_id: str, entries: list[tuple[Author, str]], after: int) -> None:
    session.add_all(
        Message(ticket_id=ticket_id, ordinal=ordinal, author=author, body=body)
        for ordinal, (author, body) in enumerate(entries, start=after + 1)
    )
    session.flush()


def thread(session: Session, ticket_id: str) -> list[tuple[Author, str]]:
    """Return the messages of a ticket, oldest first."""
    query = select(Message).where(Message.ticket_id == ticket_id).order_by(Message.ordinal)
    return [(Author(row.author), row.body) for row in session.scalars(query)]


def question(subject: str, messages: list[tuple[Author, str]]) -> str:
    """Return what the customer asks now: the subject and their latest message."""
    latest = [body for author, body in messages if author == Author.CUSTOMER][-1:]
    return "\n".join([subject, *latest])


def _settle(session: Session, ticket: Ticket, line: TicketLine) -> None:
    """Link the documents that solved a ticket, each named by its id or its source."""
    names = line.documents
    if not names:
        return
    ticket.status = TicketStatus.SOLVED
    query = select(Document.id).where(or_(Document.id.in_(names), Document.source.in_(names)))
    cases.link(session, ticket.id, session.scalars(query).all())
    solution = Solution(CaseOrigin.IMPORTED, ticket.created_at)
    cases.remember(session, ticket, line.messages, solution)


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        return now()
    return moment if moment.tzinfo else moment.replace(tzinfo=now().tzinfo)
