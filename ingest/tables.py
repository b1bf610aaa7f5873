"""Documents, their versions and passages, and the work to take them in."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ingest.db import Base, UtcDateTime, now


class Visibility(StrEnum):
    """Who may see a document; `RESTRICTED` needs one of its labels."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


class VersionStatus(StrEnum):
    """A document has at most one current version; the others stay for the record."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


class Outcome(StrEnum):
    """How a document's ingestion ended."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FindingKind(StrEnum):
    """What may be wrong between two documents."""

    NEAR_DUPLICATE = "near_duplicate"
    NUMBER_CONFLICT = "number_conflict"


class SuspicionState(StrEnum):
    """What became of a suspicion; only what is released is searched."""

    QUARANTINED = "quarantined"
    KEPT = "kept"
    RELEASED = "released"


class Document(Base):
    """One thing an owner keeps up to date; `source` tells it again when it comes back."""

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    visibility: Mapped[Visibility] = mapped_column(String(16))
    labels: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    url: Mapped[str | None] = mapped_column(Text, default=None)
    review_by: Mapped[date | None] = mapped_column(Date, default=None)
    # The folder that it is kept in step with; what leaves the folder leaves the desk.
    folder: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Version(Base):
    """The text of a document as it was from one upload to the next, and who might see it then."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        Index(
            "uq_versions_current",
            "document_id",
            unique=True,
            sqlite_where=text("status = 'current'"),
            postgresql_where=text("status = 'current'"),
        ),
        Index(
            "ix_versions_pending",
            "id",
            sqlite_where=text("compared_at IS NULL AND status = 'current'"),
            postgresql_where=text("compared_at IS NULL AND status = 'current'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[VersionStatus] = mapped_column(String(16))
    visibility: Mapped[Visibility] = mapped_column(String(16))
    labels: Mapped[list[str]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    parser: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    passages: Mapped[int]
    unread_pages: Mapped[list[int]] = mapped_column(JSON, default_factory=list)
    restored_from: Mapped[int | None] = mapped_column(default=None)
    # When it was last held against the other documents; null: not yet.
    compared_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Page(Base):
    """Where a page's text lies in its version's text; pages count from 1.

    `words` holds the place of each word on the page, see `ingest.places`.
    """

    __tablename__ = "pages"

    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    words: Mapped[bytes] = mapped_column(LargeBinary, default=b"")


class Finding(Base):
    """Two stretches of two versions that repeat or contradict each other, for an owner to judge."""

    __tablename__ = "findings"

    kind: Mapped[FindingKind] = mapped_column(String(16))
    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"), index=True)
    start: Mapped[int]
    end: Mapped[int]
    other_version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"), index=True)
    other_start: Mapped[int]
    other_end: Mapped[int]
    # Of a near duplicate: the share of the version's text that the other has too.
    share: Mapped[float | None] = mapped_column(default=None)
    settled_by: Mapped[str | None] = mapped_column(Text, default=None)
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default_factory=lambda: uuid4().hex
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Passage(Base):
    """A stretch of a version's text that is retrieved and cited as one."""

    __tablename__ = "passages"
    __table_args__ = (UniqueConstraint("version_id", "ordinal"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    ordinal: Mapped[int]
    heading_path: Mapped[list[str]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    start: Mapped[int]
    end: Mapped[int]
    first_page: Mapped[int | None]
    last_page: Mapped[int | None]
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    # The first row of the table that the passage begins in the middle of.
    table_header: Mapped[str | None] = mapped_column(Text, default=None)


class Suspicion(Base):
    """A stretch of text that speaks to a language model or hides something; see `ingest.guard`.

    With a passage, offsets count in its text; without one, it is a name of the version or hidden
    text in it, and holds back all of its passages. `quote` are the suspicious words.
    """

    __tablename__ = "suspicions"

    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"), index=True)
    passage_id: Mapped[str | None] = mapped_column(ForeignKey("passages.id"), index=True)
    # By it a text that comes again has the decision that was made of it before.
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    start: Mapped[int]
    end: Mapped[int]
    quote: Mapped[str] = mapped_column(Text)
    state: Mapped[SuspicionState] = mapped_column(String(16), default=SuspicionState.QUARANTINED)
    decided_by: Mapped[str | None] = mapped_column(Text, default=None)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default_factory=lambda: uuid4().hex
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Embedding(Base):
    """The vector of a text under a model: float32, unit length, little-endian."""

    __tablename__ = "embeddings"

    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class IndexOperation(Base):
    """A change of what is searchable, in the order it was committed."""

    __tablename__ = "index_operations"
    # Without AUTOINCREMENT, SQLite may hand out the number of a deleted last row again.
    __table_args__ = ({"sqlite_autoincrement": True},)

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    passage_id: Mapped[str] = mapped_column(String(64))
    visibility: Mapped[Visibility] = mapped_column(String(16))
    adds: Mapped[bool]


class Generation(Base):
    """A finished vector index; the served one is the newest published."""

    __tablename__ = "generations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(64))
    passages: Mapped[int]
    sequence: Mapped[int]
    published_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Job(Base):
    """One document on its way in, with who works on it and how far it is."""

    __tablename__ = "jobs"

    source: Mapped[str] = mapped_column(Text, index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The labels of whoever uploaded it; null is the desk itself, which may change everything.
    reader_labels: Mapped[list[str] | None] = mapped_column(JSON, default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    # How often the machine failed it, and when it is tried again.
    failures: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default_factory=lambda: uuid4().hex
    )
    state: Mapped[JobState] = mapped_column(String(16), index=True, default=JobState.QUEUED)
    stage: Mapped[str] = mapped_column(String(16), default="waiting")
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(Text, default=None)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    outcome: Mapped[Outcome | None] = mapped_column(String(16), default=None)
    error_code: Mapped[str | None] = mapped_column(Text, default=None)
    error_fields: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    document_id: Mapped[str | None] = mapped_column(String(64), default=None)
    passages: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True, default=None)


class Event(Base):
    """What was done, by whom: append-only, each row sealed to the one before it."""

    __tablename__ = "events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    at: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64))
