"""What happens to documents after they are in: withdrawn, restored, described anew, moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ingest import quarantine, searchable
from ingest.errors import UnknownDocumentError
from ingest.events import record, take_turn
from ingest.store import current_version, next_number, passage_id, retire
from ingest.tables import Document, Page, Passage, Version, VersionStatus, Visibility


@dataclass(frozen=True, slots=True)
class Description:
    """What an owner says of a document, apart from its text."""

    owner: str
    visibility: Visibility
    labels: Sequence[str]
    review_by: date | None


def withdraw_document(session: Session, document_id: str, actor: str) -> None:
    """Take a document out of search; its versions stay for the record.

    Raises:
        UnknownDocumentError: There is no such document, or it is withdrawn already.
    """
    current = current_version(session, document_id)
    if current is None:
        raise UnknownDocumentError(document_id=document_id)
    retire(session, session.get_one(Document, document_id), current, VersionStatus.WITHDRAWN)
    record(session, actor, "document:withdraw", document_id, {"version": current.number})


def restore_version(session: Session, document_id: str, number: int, actor: str) -> Version:
    """Make the text of an earlier version current again, as a new version; nothing is embedded.

    Raises:
        UnknownDocumentError: There is no such version.
    """
    take_turn(session)
    earlier = session.scalar(
        select(Version).where(Version.document_id == document_id, Version.number == number)
    )
    if earlier is None:
        raise UnknownDocumentError(document_id=document_id)
    current = current_version(session, document_id)
    if current is not None and current.id == earlier.id:
        return current
    document = session.get_one(Document, document_id)
    if current is not None:
        retire(session, document, current, VersionStatus.SUPERSEDED)
    version = _copy(session, document, earlier)
    document.title = version.title
    detail = {"version": version.number, "from": number, "sha256": version.sha256}
    record(session, actor, "document:restore", document_id, detail)
    return version


def describe_document(
    session: Session, document_id: str, description: Description, actor: str
) -> None:
    """Change owner, visibility, labels and review date; who may see it changes at once.

    Raises:
        UnknownDocumentError: There is no such document.
    """
    document = session.get(Document, document_id)
    if document is None:
        raise UnknownDocumentError(document_id=document_id)
    before = document.visibility, document.labels
    document.owner, document.visibility = description.owner, description.visibility
    document.labels, document.review_by = list(description.labels), description.review_by
    if not session.is_modified(document):
        return
    if (current := current_version(session, document_id)) is not None:
        current.visibility, current.labels = document.visibility, document.labels
        if (document.visibility, document.labels) != before:
            searchable.dismiss(session, before[0], current)
            searchable.admit(session, document.visibility, current)
    detail = {
        "owner": document.owner,
        "visibility": document.visibility,
        "labels": document.labels,
        "review_by": document.review_by.isoformat() if document.review_by else None,
    }
    record(session, actor, "document:describe", document_id, detail)


def move_document(session: Session, document: Document, source: str, actor: str) -> None:
    """Let a document be known by another source from now on."""
    detail = {"from": document.source, "to": source}
    document.source = source
    record(session, actor, "document:move", document.id, detail)


def _copy(session: Session, document: Document, earlier: Version) -> Version:
    number = next_number(session, document)
    version = Version(
        id=f"{document.id}.{number}",
        document_id=document.id,
        number=number,
        sha256=earlier.sha256,
        status=VersionStatus.CURRENT,
        # Who may see it is decided for the document, not for the day its text was written.
        visibility=document.visibility,
        labels=document.labels,
        title=earlier.title,
        file_name=earlier.file_name,
        media_type=earlier.media_type,
        parser=earlier.parser,
        language=earlier.language,
        text=earlier.text,
        passages=earlier.passages,
        unread_pages=earlier.unread_pages,
        restored_from=earlier.number,
    )
    session.add(version)
    session.flush()
    _copy_rows(session, Page, earlier, version)
    _copy_rows(session, Passage, earlier, version)
    quarantine.carry_over(session, earlier.id, version.id)
    searchable.admit(session, document.visibility, version)
    return version


def _copy_rows(
    session: Session, kind: type[Page] | type[Passage], earlier: Version, version: Version
) -> None:
    names = [column.key for column in kind.__table__.columns]
    rows = [
        {name: getattr(row, name) for name in names} | {"version_id": version.id}
        for row in session.scalars(select(kind).where(kind.version_id == earlier.id))
    ]
    for row in rows:
        if kind is Passage:
            row["id"] = passage_id(version, row["ordinal"], row["text"])
    if rows:
        session.execute(insert(kind), rows)
