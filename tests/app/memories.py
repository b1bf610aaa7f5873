"""The memory of a desk, for the tests of what people do with it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.roles import Role
from app.workflow import cases, memory
from app.workflow.cases import Kind, Standing
from ingest.db import now
from ingest.events import broken_links
from ingest.tables import Event, Passage
from rag.tables import (
    Case,
    CaseOrigin,
    CaseState,
    Head,
    HeadState,
    Ticket,
    TicketDocument,
    TicketStatus,
)
from tests.app.people import Desk

LONG_AGO = timedelta(days=30)


@dataclass
class Memory:
    """A desk's memory, as one content owner sees it."""

    desk: Desk

    @property
    def owner(self) -> str:
        return self.desk.people[Role.OWNER]

    def add_case(self, name: str, *solved_by: str, subject: str = "", **values: Any) -> None:
        """Add a case; a document is given as "id" or as "id content_hash"."""
        solved_at = now() - values.pop("age", LONG_AGO)
        status = values.pop("status", TicketStatus.SOLVED)
        given = {"origin": CaseOrigin.IMPORTED, "question": "How?", "content_hash": "0" * 64}
        with self.desk.services.database.write() as session:
            session.add(
                Ticket(
                    id=name,
                    subject=subject or f"About {name}",
                    language="en",
                    status=status,
                    created_at=solved_at,
                )
            )
            session.flush()
            session.add(Case(ticket_id=name, solved_at=solved_at, **(given | values)))
            for document in solved_by:
                document_id, _, content_hash = document.partition(" ")
                link = TicketDocument(ticket_id=name, document_id=document_id)
                link.content_hash = content_hash or None
                session.add(link)

    def add_head(self, name: str, state: HeadState, **values: Any) -> None:
        encoder = self.desk.services.weights.fingerprint
        given = {"encoder": encoder, "weights": b"weights", "card": {"cases": 12}, "id": name}
        with self.desk.services.database.write() as session:
            session.add(Head(state=state, **(given | values)))

    def find(self, query: str = "", page: int = 1, kind: Kind = Kind.KEPT) -> list[str]:
        found = cases.find(self.desk.services, self.owner, query, page, kind=kind)
        return [row.case.ticket_id for row in found.rows]

    def row(self, name: str, who: str | None = None) -> cases.CaseView:
        found = cases.find(self.desk.services, who or self.owner, "", 1)
        return next(row for row in found.rows if row.case.ticket_id == name)

    def standing(self, name: str) -> list[Standing]:
        return [solution.standing for solution in self.row(name).solutions]

    def case(self, name: str) -> Case:
        with self.desk.services.database.read() as session:
            return session.get_one(Case, name)

    def switch(self, name: str, state: CaseState, seen: CaseState | None = None) -> None:
        before = seen or CaseState(self.case(name).state)
        cases.switch(self.desk.services, self.owner, name, state, seen=before)

    def states(self) -> dict[str, HeadState]:
        rows = memory.heads(self.desk.services, self.owner)
        return {row.id: row.state for row in rows}

    def roll_back(self, name: str, serving_id: str | None) -> None:
        memory.roll_back(self.desk.services, self.owner, name, serving_id=serving_id)

    def overview(self, who: str | None = None) -> memory.Overview:
        return memory.overview(self.desk.services, who or self.owner)

    def passage_of(self, document_id: str) -> str:
        """Return the document with the content hash of its first passage."""
        with self.desk.services.database.read() as session:
            query = select(Passage.content_hash).where(Passage.version_id == f"{document_id}.1")
            return f"{document_id} {session.scalars(query).first()}"

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what was recorded of the memory."""
        scopes = {"case", "desk", "head"}
        with self.desk.services.database.read() as session:
            assert list(broken_links(session)) == []
            rows = session.scalars(select(Event).order_by(Event.id))
            return [
                (row.action, row.subject, row.detail)
                for row in rows
                if row.action.partition(":")[0] in scopes
            ]


@pytest.fixture
def known(desk: Desk) -> Memory:
    return Memory(desk)
