"""Which sent replies rely on sources that say something else by now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from sqlalchemy import ColumnElement, Row, Select, exists, func, select
from sqlalchemy.orm import Session, aliased, defer

from app.tables import RecallDecision
from app.workflow import drafts
from app.workflow.access import Actor
from ingest.tables import Document, Passage, Version, VersionStatus
from rag.cite import bare_text
from rag.drift import Drift, drift
from rag.succession import changed, nearest, sentences_at
from rag.tables import Approval, ApprovalState, Citation, Claim, Draft, Ticket

# What is looked through for one list; beyond it the newest replies count.
MAX_CITATIONS = 2_000
SEVERITY = {kind: place for place, kind in enumerate(Drift)}
CURRENT = aliased(Version)

Cited = Row[Citation, Claim, Approval, Draft, Ticket, Version, Document, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence of a sent reply, what its source said, and what it says now.

    `current_id` is the version that is current, empty where there is none; `start` is where it
    says so, None where nothing there is like it.
    """

    citation_id: str
    title: str
    told: str
    was: str
    now: str
    drift: Drift
    current_id: str
    start: int | None


@dataclass(frozen=True, slots=True)
class Recall:
    """A sent reply with all that has changed of it."""

    approval: Approval
    ticket: Ticket
    changes: Sequence[Change]

    @property
    def worst(self) -> Drift:
        """Return the worst of its changes."""
        return min((change.drift for change in self.changes), key=SEVERITY.__getitem__)


def recalls(session: Session, actor: Actor, approval_id: str | None = None) -> Iterator[Recall]:
    """Yield the replies that nobody has decided on and that this person may see, newest first."""
    query = _changed()
    if approval_id is not None:
        query = query.where(Approval.id == approval_id)
    texts: dict[str, str] = {}
    for _, some in groupby(session.execute(query).all(), lambda row: row.Approval.id):
        rows = list(some)
        if not drafts.is_visible(session, rows[0].Draft, actor.scope):
            continue
        changes = [each for row in rows for each in _changes(row, partial(_text, session, texts))]
        if changes:
            yield Recall(rows[0].Approval, rows[0].Ticket, changes)


def _changed() -> Select[Citation, Claim, Approval, Draft, Ticket, Version, Document, str]:
    """Select the citations of sent replies whose passage is not in the current version."""
    same = aliased(Passage)
    stands = exists().where(
        same.version_id == CURRENT.id, same.content_hash == Passage.content_hash
    )
    return (
        select(Citation, Claim, Approval, Draft, Ticket, Version, Document, CURRENT.id)
        .join(Claim, Claim.id == Citation.claim_id)
        .join(Approval, Approval.id == Claim.approval_id)
        .join(Draft, Draft.id == Approval.draft_id)
        .join(Ticket, Ticket.id == Draft.ticket_id)
        .join(Passage, Passage.id == Citation.passage_id)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .outerjoin(
            CURRENT,
            (CURRENT.document_id == Document.id) & (CURRENT.status == VersionStatus.CURRENT),
        )
        .where(
            Approval.state == ApprovalState.SENT,
            Version.status != VersionStatus.CURRENT,
            ~stands,
            *_undecided(),
        )
        .order_by(Approval.at.desc(), Approval.id, Claim.ordinal, Citation.marker)
        .limit(MAX_CITATIONS)
        .options(defer(Version.text))
    )


def _undecided() -> Iterator[ColumnElement[bool]]:
    yield ~exists().where(
        RecallDecision.citation_id == Citation.id,
        RecallDecision.version_id == func.coalesce(CURRENT.id, ""),
    )
    correction = aliased(Approval)
    # What was corrected is looked at in the correction.
    yield ~exists().where(
        RecallDecision.approval_id == Approval.id,
        correction.draft_id == RecallDecision.draft_id,
        correction.state == ApprovalState.SENT,
    )


def _changes(row: Cited, text_of: Callable[[str], str]) -> Iterator[Change]:
    """Yield the sentences of a citation that do not stand in the current version any more."""
    citation, current_id = row.Citation, row[-1] or ""
    sentences = sentences_at(text_of(row.Version.id), citation.quote_start, citation.quote_end)
    told = bare_text(row.Claim.text)
    if not current_id:
        was = "\n".join(sentences)
        yield Change(citation.id, row.Version.title, told, was, "", Drift.WITHDRAWN, "", None)
        return
    text = text_of(current_id)
    for was in changed(sentences, text):
        found = nearest(was, text)
        now, start = (found[0], found[1]) if found else ("", None)
        kind = drift(was, now) if found else Drift.GONE
        yield Change(citation.id, row.Version.title, told, was, now, kind, current_id, start)


def _text(session: Session, known: dict[str, str], version_id: str) -> str:
    if version_id not in known:
        query = select(Version.text).where(Version.id == version_id)
        known[version_id] = session.scalars(query).one()
    return known[version_id]
