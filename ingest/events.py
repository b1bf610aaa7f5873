"""The audit trail: every act is a row sealed to the row before it.

Personal detail is kept out or stored as `digest`, so that erasing a customer keeps the chain whole.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ingest.db import now
from ingest.tables import Event

GENESIS = "0" * 64
# Any constant will do: it names the lock that orders writers on PostgreSQL.
CHAIN_LOCK = 7_302_011


def record(
    session: Session, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None
) -> None:
    """Append an event in the caller's transaction."""
    take_turn(session)
    session.flush()
    previous = session.scalar(select(Event.hash).order_by(Event.id.desc()).limit(1)) or GENESIS
    event = Event(
        at=now().isoformat(),
        actor=actor,
        action=action,
        subject=subject,
        detail=detail or {},
        previous_hash=previous,
        hash="",
    )
    event.hash = seal(event)
    session.add(event)
    session.flush()


def take_turn(session: Session) -> None:
    """Wait until this transaction is the only one that appends to the record.

    SQLite has one writer anyway. On PostgreSQL rows could be numbered in one order and committed in
    another, and a reader that has seen the higher number would never look for the lower one.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})


def seal(event: Event) -> str:
    """Return SHA-256 over the previous hash and the row's own content."""
    content = json.dumps(
        [event.previous_hash, event.at, event.actor, event.action, event.subject, event.detail],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()


def broken_links(session: Session) -> Iterator[int]:
    """Yield the number of each event that does not fit its own seal or its predecessor."""
    previous = GENESIS
    for event in session.scalars(select(Event).order_by(Event.id)).yield_per(1_000):
        if event.previous_hash != previous or event.hash != seal(event):
            yield event.id
        previous = event.hash


def digest(salt: str, value: str) -> str:
    """Return a keyed digest that stands for personal detail in an event."""
    return hmac.new(salt.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]
