"""The knowledge base as people read it: documents, versions, passages, work in progress."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from ingest.errors import UnknownDocumentError
from ingest.parse.parsed import Word
from ingest.places import unpack
from ingest.tables import Document, Page, Passage, Version, VersionStatus


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


def versions(session: Session, document_id: str) -> list[Version]:
    """Return the versions of a document, newest first, without their texts."""
    query = (
        select(Version)
        .where(Version.document_id == document_id)
        .order_by(Version.number.desc())
        .options(defer(Version.text))
    )
    return list(session.scalars(query))


def passages(session: Session, version_id: str, first: int, limit: int) -> list[Passage]:
    """Return passages of a version in reading order, from the `first` on, counted from 1."""
    query = (
        select(Passage)
        .where(Passage.version_id == version_id, Passage.ordinal >= first)
        .order_by(Passage.ordinal)
        .limit(limit)
    )
    return list(session.scalars(query))


def words(session: Session, version_id: str, page: int) -> tuple[Word, ...]:
    """Return the words of a page with their places; none where the format has no places."""
    query = select(Page.words).where(Page.version_id == version_id, Page.number == page)
    packed = session.scalar(query)
    return unpack(packed) if packed else ()


def stale(session: Session, today: date) -> list[Entry]:
    """Return the documents in use whose review date has passed, the longest overdue first."""
    query = (
        select(Document, Version)
        .join(Version, Version.document_id == Document.id)
        .where(Version.status == VersionStatus.CURRENT, Document.review_by < today)
        .order_by(Document.review_by, func.lower(Document.title))
        .options(defer(Version.text))
    )
    return [Entry(row.Document, row.Version) for row in session.execute(query)]
