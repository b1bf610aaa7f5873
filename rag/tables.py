"""Tickets, drafts with their claims and citations, and what people decided about them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest.db import Base, UtcDateTime, now


def _new_id() -> str:
    return uuid4().hex


class TicketStatus(StrEnum):
    """Where a ticket is in its life; `SOLVED` ones are history."""

    OPEN = "open"
    ANSWERED = "answered"
    SOLVED = "solved"


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    AGENT = "agent"


class DraftStatus(StrEnum):
    """Where a draft is in its life; a `WAITING` one was approved by the first of two people."""

    READY = "ready"
    ABSTAINED = "abstained"
    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class ApprovalState(StrEnum):
    """What became of a decision: a `SEALED` reply waits to be sent, and is checked when it is.

    One that is `WAITING` has yet to be approved by a second person, or is `RETURNED` by them.
    """

    WAITING = "waiting"
    RETURNED = "returned"
    SEALED = "sealed"
    SENT = "sent"
    UNDONE = "undone"
    REFUSED = "refused"
    REJECTED = "rejected"


class CaseOrigin(StrEnum):
    """How a solved ticket came to be known."""

    IMPORTED = "imported"
    APPROVED = "approved"


class CaseState(StrEnum):
    """Whether a case votes; what an owner removed stays away when it is imported again."""

    ACTIVE = "active"
    OFF = "off"
    REMOVED = "removed"


class HeadState(StrEnum):
    """Where a head is in its life; at most one is `SERVING`."""

    SERVING = "serving"
    RETIRED = "retired"
    REFUSED = "refused"


class Attribution(StrEnum):
    """Who said which passage a sentence rests on: the model, asked once or twice, or we."""

    MODEL = "model"
    REPAIRED = "repaired"
    AFTERWARDS = "afterwards"


class ClaimKind(StrEnum):
    """What a sentence of a reply is; all but a `FACT` binds the desk to its customer."""

    FACT = "fact"
    ACTION = "action"
    PROMISE = "promise"
    DEADLINE = "deadline"
    CONCESSION = "concession"
    FAULT = "fault"


class Label(StrEnum):
    """Whether a passage supports a claim."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    NOT_ENOUGH_INFO = "NOT_ENOUGH_INFO"


MACHINE = "machine"
"""The judge of verdicts that no person gave."""


class Ticket(Base):
    """A customer's question with its thread."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    status: Mapped[TicketStatus] = mapped_column(String(16), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    customer: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    product: Mapped[str | None] = mapped_column(Text, default=None)
    # What a model made of it before anybody read it: see rag/triage.py.
    triage: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)


class Message(Base):
    """One message of a thread, ordinals from 1; `approval_id` tells replies approved here."""

    __tablename__ = "messages"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[Author] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)
    approval_id: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"), default=None)


class TicketDocument(Base):
    """A document that solved a ticket."""

    __tablename__ = "ticket_documents"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    # The passage that solved it, by what is embedded of it; null until the memory has looked.
    content_hash: Mapped[str | None] = mapped_column(String(64), default=None)


class Case(Base):
    """A solved ticket as memory: it points to documents, and is never shown as a source."""

    __tablename__ = "cases"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    origin: Mapped[CaseOrigin] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(Text)
    # The key of the question's vector among all embeddings.
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    solved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Of an approved reply: whether the agent changed it, and whether our first hit solved it.
    edited: Mapped[bool] = mapped_column(default=False)
    own_suggestion: Mapped[bool] = mapped_column(default=False)
    state: Mapped[CaseState] = mapped_column(String(16), default=CaseState.ACTIVE)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now, index=True)


class Head(Base):
    """What was learnt from the cases, over a frozen encoder and the spelling of tickets.

    `card` says from which data, with which figures, and why it serves or was refused.
    """

    __tablename__ = "heads"
    # Asked by every search, and a row's weights are megabytes before its last column.
    __table_args__ = (Index("ix_heads_encoder_changed_at", "encoder", "changed_at"),)

    encoder: Mapped[str] = mapped_column(String(64))
    state: Mapped[HeadState] = mapped_column(String(16), index=True)
    weights: Mapped[bytes] = mapped_column(LargeBinary)
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Draft(Base):
    """A proposed reply, with everything that went into it."""

    __tablename__ = "drafts"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), index=True)
    # [author, body] of each message, as the thread was when the draft began.
    thread: Mapped[list[list[str]]] = mapped_column(JSON)
    model: Mapped[str] = mapped_column(Text)
    prompt_version: Mapped[str] = mapped_column(String(16))
    prompt: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    index_fingerprint: Mapped[str] = mapped_column(Text)
    ledger: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    prompt_tokens: Mapped[int]
    budget_tokens: Mapped[int]
    created_by: Mapped[str] = mapped_column(Text)
    status: Mapped[DraftStatus] = mapped_column(String(16))
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)
    text: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    # What the sentence of the reason says beside it: the topic, or which model failed and why.
    notes: Mapped[dict[str, str]] = mapped_column(JSON, default_factory=dict)
    # What the agent asked for beside a reply, such as "shorter".
    instruction: Mapped[str] = mapped_column(Text, default="")
    attribution: Mapped[Attribution] = mapped_column(String(16), default=Attribution.MODEL)
    usage: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    # How many values of each kind of personal data the model did not see.
    masked: Mapped[dict[str, int]] = mapped_column(JSON, default_factory=dict)
    cost_usd: Mapped[float | None] = mapped_column(default=None)
    seconds: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)
    version: Mapped[int] = mapped_column(default=1)


class Claim(Base):
    """A sentence that states something; offsets are code points in the text it is part of.

    That text is the approved one where `approval_id` is set, else the draft's.
    """

    __tablename__ = "claims"
    __table_args__ = (UniqueConstraint("draft_id", "approval_id", "ordinal"),)

    draft_id: Mapped[str] = mapped_column(ForeignKey("drafts.id"), index=True)
    approval_id: Mapped[str | None] = mapped_column(ForeignKey("approvals.id"), index=True)
    ordinal: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    start: Mapped[int]
    end: Mapped[int]
    kind: Mapped[ClaimKind] = mapped_column(String(16), default=ClaimKind.FACT)
    # Who stands by a sentence that binds the desk; null where nobody had to.
    confirmed_by: Mapped[str | None] = mapped_column(Text, default=None)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)


class RecordQuote(Base):
    """What a claim repeats of what the customer said, or of the record of them.

    `place` is "message:3" or "customer:plan"; offsets are code points in that text.
    """

    __tablename__ = "record_quotes"

    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.id"), index=True)
    place: Mapped[str] = mapped_column(Text)
    quote: Mapped[str] = mapped_column(Text)
    start: Mapped[int]
    end: Mapped[int]
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)


class Citation(Base):
    """A claim's pointer to its evidence: quote offsets are code points in the version's text."""

    __tablename__ = "citations"

    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.id"), index=True)
    passage_id: Mapped[str] = mapped_column(ForeignKey("passages.id"), index=True)
    marker: Mapped[int]
    quote: Mapped[str] = mapped_column(Text)
    quote_start: Mapped[int]
    quote_end: Mapped[int]
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)


class Verdict(Base):
    """What a judge, the machine or a person, says of a citation."""

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("citation_id", "judge"),)

    citation_id: Mapped[str] = mapped_column(ForeignKey("citations.id"))
    judge: Mapped[str] = mapped_column(Text)
    label: Mapped[Label] = mapped_column(String(16))
    score: Mapped[float | None] = mapped_column(default=None)
    note: Mapped[str] = mapped_column(Text, default="")
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Approval(Base):
    """The decision about a draft, with the text as it is sent; `seal` binds it, see rag/seal.py.

    A draft has one: after an undone or refused approval the next decision takes its place.
    """

    __tablename__ = "approvals"

    draft_id: Mapped[str] = mapped_column(ForeignKey("drafts.id"), unique=True)
    approved: Mapped[bool]
    final_text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    decided_by: Mapped[str] = mapped_column(Text)
    state: Mapped[ApprovalState] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    # The second of two people, who approved the text or sent it back.
    seconded_by: Mapped[str | None] = mapped_column(Text, default=None)
    # Null of rejections, and of replies approved before there were seals.
    seal: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    seal_sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    send_after: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    # Of a refused reply: what had moved since it was approved, each with what it was and is.
    moved: Mapped[list[dict[str, str]]] = mapped_column(JSON, default_factory=list)
    # What the draft was before, and is again when the approval is undone or refused.
    draft_was: Mapped[DraftStatus | None] = mapped_column(String(16), default=None)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class Gap(Base):
    """A question that the documents did not answer."""

    __tablename__ = "gaps"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)


class ModelCall(Base):
    """One request to a model, whatever came of it; unknown costs are null, not nought.

    `id` is the trace's: logs and spans carry it. `reply` is what the model wrote, before masked
    values were put back, and answers the same request again: see rag/replies.py.
    """

    __tablename__ = "model_calls"

    model: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]
    draft_id: Mapped[str | None] = mapped_column(ForeignKey("drafts.id"), default=None)
    prompt_tokens: Mapped[int | None] = mapped_column(default=None)
    completion_tokens: Mapped[int | None] = mapped_column(default=None)
    cost_usd: Mapped[float | None] = mapped_column(default=None)
    request_hash: Mapped[str | None] = mapped_column(String(64), index=True, default=None)
    reply: Mapped[str | None] = mapped_column(Text, default=None)
    # What the provider says it ran, and the seconds until its first words.
    revision: Mapped[str | None] = mapped_column(Text, default=None)
    first_seconds: Mapped[float | None] = mapped_column(default=None)
    prompt_version: Mapped[str | None] = mapped_column(String(16), default=None)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default_factory=_new_id)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default_factory=now)
