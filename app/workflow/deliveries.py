"""Sent replies on their way to another program: each is a row until that program has taken it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.tables import Delivery
from app.webhook import Webhook
from app.workflow import drafts
from ingest.db import Database
from ingest.tables import Document, Passage, Version, Visibility
from rag.tables import Approval, Citation, Claim, Draft

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)
BATCH = 20


@dataclass(frozen=True, slots=True)
class Due:
    """A reply to be handed over now; the try is counted already."""

    id: str
    body: str


def add(session: Session, draft: Draft, approval: Approval) -> None:
    """Note, in the transaction that sends a reply, that another program is to be told."""
    content = {
        "type": "reply.sent",
        "approval": approval.id,
        "ticket": draft.ticket_id,
        "text": drafts.without_markers(approval.final_text),
        "approved_by": approval.decided_by,
        "sent_at": approval.sent_at.isoformat() if approval.sent_at else None,
        "seal_sha256": approval.seal_sha256,
        "sources": _sources(session, approval),
    }
    body = json.dumps(content, ensure_ascii=False)
    session.add(Delivery(approval_id=approval.id, body=body, not_before=approval.at))


def deliver(database: Database, webhook: Webhook, moment: datetime) -> int:
    """Hand over what is due; return how many replies were taken.

    A reply may arrive twice, after a kill between the two steps: its key is the same then.
    """
    delivered = 0
    for due in _claim(database, moment):
        error = webhook.post(due.id, due.body, moment)
        with database.write() as session:
            delivery = session.get_one(Delivery, due.id)
            delivery.error = error
            if error is None:
                delivery.delivered_at = moment
                delivered += 1
    return delivered


def _claim(database: Database, moment: datetime) -> list[Due]:
    """Take what is due, so that no other worker does; a try that ends in a kill is made again."""
    with database.write() as session:
        rows = session.scalars(
            select(Delivery)
            .where(Delivery.delivered_at.is_(None), Delivery.not_before <= moment)
            .order_by(Delivery.not_before)
            .limit(BATCH)
        ).all()
        return [Due(row.approval_id, row.body) for row in rows if _postpone(session, row, moment)]


def _postpone(session: Session, row: Delivery, moment: datetime) -> bool:
    pause = min(FIRST_PAUSE * 2 ** min(row.attempts, 10), LONGEST_PAUSE)
    won = session.scalar(
        update(Delivery)
        .where(Delivery.approval_id == row.approval_id, Delivery.attempts == row.attempts)
        .values(attempts=row.attempts + 1, not_before=moment + pause)
        .returning(Delivery.approval_id)
    )
    return won is not None


def _sources(session: Session, approval: Approval) -> list[dict[str, str | None]]:
    """Return the public documents that a reply cites; others are nobody's business outside."""
    rows = session.execute(
        select(Document.id, Version.title, Document.url)
        .join(Version, Version.document_id == Document.id)
        .join(Passage, Passage.version_id == Version.id)
        .join(Citation, Citation.passage_id == Passage.id)
        .join(Claim, Claim.id == Citation.claim_id)
        .where(Claim.approval_id == approval.id, Document.visibility == Visibility.PUBLIC)
        .distinct()
        .order_by(Document.id)
    )
    return [{"document": row.id, "title": row.title, "url": row.url} for row in rows]
