"""The knowledge base as people read it: documents, versions, passages, work in progress."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from ingest.errors import UnknownDocumentError
from ingest.tables import Document, Job, Passage, Version


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with one of its versions."""

    document: Document
    version: Version


def entries(session: Session) -> list[Entry]:
    """Return every document with its newest version, by title."""
    newest = (
        select(Version.document_id, func.max(Version.number).label("number"))
        .group_by(Version.document_id)
        .subquery()
    )
    query = (
        select(Document, Version)
        .join(newest, newest.c.document_id == Document.id)
        .join(
            Version,
            (Version.document_id == Document.id) & (Version.number == newest.c.number),
        )
        .order_by(func.lower(Document.title))
        .options(defer(Version.text))
    )
    return [Entry(row.Document, row.Version) for row in session.execute(query)]


def entry(session: Session, document_id: str, number: int | None = None) -> Entry:
    """Return a document with a version of it, the newest by default.

    Raises:
        UnknownDocumentError: There is no such document or version.
    """
    query = select(Version).where(Version.document_id == document_id)
    if number is not None:
        query = query.where(Version.number == number)
    version = session.scalar(query.order_by(Version.number.desc()).limit(1))
    if version is None:
        raise UnknownDocumentError(document_id=document_id)
    return Entry(session.get_one(Document, document_id), version)


def passages(session: Session, version_id: str) -> list[Passage]:
    """Return the passages of a version in reading order."""
    query = select(Passage).where(Passage.version_id == version_id).order_by(Passage.ordinal)
    return list(session.scalars(query))


def recent_jobs(session: Session, limit: int) -> list[Job]:
    """Return the newest jobs, newest first."""
    return list(session.scalars(select(Job).order_by(Job.created_at.desc()).limit(limit)))
