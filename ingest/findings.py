"""What owners should know of their documents: two that are nearly one, two that disagree.

`ingest.comparison` finds it. A finding is open while both versions are current and nobody has
settled it; afterwards it stays for the record.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import SQLColumnExpression, func, select, update
from sqlalchemy.orm import Session, aliased

from ingest.access import Scope
from ingest.events import record
from ingest.tables import Document, Finding, FindingKind, Version, VersionStatus

# What a finding is about: the two documents, each with its sentence, or with "" for all its text.
Key = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """One side of a finding; offsets count code points in the version's text."""

    document_id: str
    title: str
    owner: str
    version: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that waits for an owner; `share` is the part of the first that the other has."""

    id: str
    kind: FindingKind
    created_at: datetime
    share: float | None
    first: Place
    other: Place

    @property
    def places(self) -> tuple[Place, Place]:
        """Return both sides."""
        return self.first, self.other


def open_findings(session: Session, scope: Scope) -> list[OpenFinding]:
    """Return the findings that are open and between documents that may both be shown."""
    version, other_version = aliased(Version), aliased(Version)
    document, other_document = aliased(Document), aliased(Document)
    query = (
        select(
            Finding,
            document,
            version.number,
            _text(version, Finding.start, Finding.end),
            other_document,
            other_version.number,
            _text(other_version, Finding.other_start, Finding.other_end),
        )
        .join(version, version.id == Finding.version_id)
        .join(document, document.id == version.document_id)
        .join(other_version, other_version.id == Finding.other_version_id)
        .join(other_document, other_document.id == other_version.document_id)
        .where(
            Finding.settled_by.is_(None),
            version.status == VersionStatus.CURRENT,
            other_version.status == VersionStatus.CURRENT,
        )
        .order_by(Finding.created_at.desc(), Finding.version_id, Finding.start, Finding.id)
    )
    return [
        OpenFinding(
            finding.id,
            FindingKind(finding.kind),
            finding.created_at,
            finding.share,
            _place(ours, number, finding.start, finding.end, text),
            _place(theirs, other_number, finding.other_start, finding.other_end, other_text),
        )
        for finding, ours, number, text, theirs, other_number, other_text in session.execute(query)
        if scope.permits(ours) and scope.permits(theirs)
    ]


def settle(session: Session, finding_id: str, actor: str) -> None:
    """Close a finding for good; one that is closed already stays as it was closed.

    It does not come back when later versions repeat both sentences, or stay nearly one text.
    """
    finding = session.get_one(Finding, finding_id)
    is_open = Finding.id == finding_id, Finding.settled_by.is_(None)
    settled = session.execute(
        update(Finding).where(*is_open).values(settled_by=actor).returning(Finding.id)
    )
    if settled.scalar() is not None:
        detail = {"versions": [finding.version_id, finding.other_version_id]}
        record(session, actor, "finding:settle", finding_id, detail)


def settled_keys(session: Session, document_ids: set[str]) -> set[Key]:
    """Return what was settled between documents, by what would be found again."""
    version, other = aliased(Version), aliased(Version)
    query = (
        select(
            Finding.kind,
            version.document_id,
            _text(version, Finding.start, Finding.end),
            other.document_id,
            _text(other, Finding.other_start, Finding.other_end),
        )
        .join(version, version.id == Finding.version_id)
        .join(other, other.id == Finding.other_version_id)
        .where(Finding.settled_by.is_not(None), version.document_id.in_(document_ids))
    )
    return {
        frozenset([(document, ""), (other_document, "")])
        if kind == FindingKind.NEAR_DUPLICATE
        else frozenset([(document, text), (other_document, other_text)])
        for kind, document, text, other_document, other_text in session.execute(query)
    }


def _text(
    version: type[Version], start: SQLColumnExpression[int], end: SQLColumnExpression[int]
) -> SQLColumnExpression[str]:
    # In SQL, so that a document of megabytes is not read for one sentence.
    return func.substr(version.text, start + 1, end - start)


def _place(document: Document, version: int, start: int, end: int, text: str) -> Place:
    return Place(document.id, document.title, document.owner, version, start, end, text)
