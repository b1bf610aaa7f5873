"""A memory of solved tickets to look at: long and hostile subjects, changed and hidden sources."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from ingest.db import Database, now
from ingest.tables import Document, Passage, Version, VersionStatus, Visibility
from ingest.weights import Weights
from rag.tables import Case, CaseOrigin, Head, HeadState, Ticket, TicketDocument, TicketStatus

LONG_SUBJECT = "Where do I find the drawing of the water circuit? " * 12
HOSTILE = "<img src=x onerror=alert(1)> [free](https://evil.example) **machine**"
GOOD: dict[str, Any] = {
    "from": "2024-02-01",
    "until": "2026-11-01",
    "as_if_new": 0.934,
    "trained_at": "2026-11-19T02:13:00+00:00",
    "cases": 1204,
    "documents": 143,
    "seconds": 9.8,
    "held_back": 301,
    "recall@5": {"before": 0.553, "after": 0.731, "difference": [0.178, 0.152, 0.204]},
    "little_history": {"before": 0.51, "after": 0.502, "difference": [-0.008, -0.031, 0.014]},
    "ndcg@10": {"before": 0.61, "after": 0.629, "difference": [0.019, 0.006, 0.032]},
    "reason": "found more of the later tickets' documents",
}
POOR = {
    **GOOD,
    "recall@5": {"before": 0.553, "after": 0.556, "difference": [0.003, -0.011, 0.017]},
    "little_history": {},
    "ndcg@10": {"before": 0.61, "after": 0.612, "difference": [0.002, -0.009, 0.013]},
    "reason": "no gain that chance would not explain",
}


def fill(database: Database) -> None:
    """Add 45 solved tickets, some with changed sources, and what was learnt in three nights."""
    with database.write() as session:
        secret = Document(
            id="5ec7e7",
            source="secret",
            title="Secret matrix of goodwill",
            owner="Olu",
            visibility=Visibility.RESTRICTED,
            labels=["board"],
        )
        session.merge(secret)
        query = select(Version).where(Version.status == VersionStatus.CURRENT)
        versions = list(session.scalars(query.order_by(Version.id)))
        hashes = {
            version.document_id: session.scalars(
                select(Passage.content_hash).where(Passage.version_id == version.id)
            ).first()
            for version in versions
        }
    names = list(hashes)
    for number in range(45):
        found = names[number * number % len(names)]
        links = {found: hashes[found]}
        if number == 1:
            links = {found: "f" * 64, secret.id: None}
        add_case(database, f"C-{number:02}", 2 + 4 * number, links)
    with database.write() as session:
        for nights, state, card in (
            (3, HeadState.RETIRED, {"cases": 900, "reason": "the first one"}),
            (2, HeadState.SERVING, GOOD),
            (1, HeadState.REFUSED, POOR),
        ):
            moment = now() - timedelta(days=nights)
            head = Head(encoder=Weights().fingerprint, state=state, weights=b"", card=card)
            head.created_at = head.changed_at = moment
            session.add(head)


def add_case(database: Database, name: str, days: int, links: dict[str, str | None]) -> None:
    solved_at = now() - timedelta(days=days)
    with database.write() as session:
        subject = LONG_SUBJECT if name == "C-02" else f"Question {name} about the pump"
        values: dict[str, Any] = {"language": "en", "status": TicketStatus.SOLVED}
        subject = HOSTILE if name == "C-03" else subject
        session.merge(Ticket(id=name, subject=subject, created_at=solved_at, **values))
        session.flush()
        approved = name in {"C-00", "C-04"}
        case = Case(
            ticket_id=name,
            origin=CaseOrigin.APPROVED if approved else CaseOrigin.IMPORTED,
            question=subject,
            content_hash="0" * 64,
            solved_at=solved_at,
            edited=approved,
            own_suggestion=approved,
        )
        session.add(case)
        for document_id, content_hash in links.items():
            link = TicketDocument(ticket_id=name, document_id=document_id)
            link.content_hash = content_hash
            session.merge(link)
