"""People, their sign-ins, and the desk they work at."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.roles import Role
from ingest.db import Base, UtcDateTime, now


class User(Base):
    """A person who may sign in; `labels` open restricted documents."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(Text)
    labels: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    demo: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default_factory=lambda: uuid4().hex
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Token(Base):
    """A sign-in; only the hash of its secret is kept."""

    __tablename__ = "tokens"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignInFailure(Base):
    """A refused password, counted against guessing."""

    __tablename__ = "sign_in_failures"

    email: Mapped[str] = mapped_column(Text, index=True)
    address: Mapped[str] = mapped_column(Text)
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default_factory=lambda: uuid4().hex
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Delivery(Base):
    """A sent reply that another program is told of, until it has taken it."""

    __tablename__ = "deliveries"

    approval_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True, default=None)


class RecallDecision(Base):
    """What was done about a citation of a sent reply whose source has changed since.

    `version_id` is the version that was current then, empty where there was none: when another
    one comes, the citation is looked at again.
    """

    __tablename__ = "recalls"

    citation_id: Mapped[str] = mapped_column(ForeignKey("citations.id"), primary_key=True)
    version_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    approval_id: Mapped[str] = mapped_column(ForeignKey("approvals.id"), index=True)
    decided_by: Mapped[str] = mapped_column(Text)
    # The draft of a correction; else nothing is corrected, for a reason.
    draft_id: Mapped[str | None] = mapped_column(ForeignKey("drafts.id"), default=None)
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Desk(Base):
    """The desk itself: one row."""

    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(64))
    # Whether solved tickets have a say in the ranking.
    learns: Mapped[bool] = mapped_column(default=True)
    # How replies are to sound (rag/voice.py), and what is left to people (rag/topics.py).
    voice: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    topics: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default_factory=list)
    # The regions that tickets may be sent to; null where the desk names none.
    regions: Mapped[list[str] | None] = mapped_column(JSON, default=None)
    # What is asked for before a reply goes out (rag/policy.py).
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
