"""Documents: list, read, describe, withdraw, restore, compare."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from app.workflow.uploads import require_sight
from ingest import changes, findings, library, life, places
from ingest.changes import Change
from ingest.findings import OpenFinding
from ingest.life import Description
from ingest.parse.sandbox import render_page
from ingest.tables import Document, Page, Passage, Version

PAGE_PIXELS = 1_000


@dataclass(frozen=True, slots=True)
class SourceView:
    """A version of a document, for showing a place in it."""

    document: Document
    version: Version


def entries(services: Services, user_id: str) -> list[library.Entry]:
    """Return the documents that this person may see."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        return [row for row in library.entries(session) if actor.scope.permits(row.document)]


def source(services: Services, user_id: str, version_id: str) -> SourceView:
    """Return a version that this person may see, whether or not it is still current."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        return _source(session, actor, version_id)


def passages(
    services: Services, user_id: str, version_id: str, first: int, limit: int
) -> list[Passage]:
    """Return some of the passages of a version that this person may see, in reading order."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        _source(session, actor, version_id)
        return library.passages(session, version_id, first, limit)


def page_image(
    services: Services, user_id: str, version_id: str, page: int, span: tuple[int, int]
) -> bytes:
    """Draw a page of a PDF with the words of a span of the text marked; a PNG.

    Raises:
        IngestError: The file cannot be drawn, or has no such page.
    """
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        view = _source(session, actor, version_id)
        words = library.words(session, version_id, page)
    boxes = places.boxes(words, *span)
    path = services.files.path(view.version.sha256)
    return render_page(path, view.version.file_name, page, boxes, PAGE_PIXELS)


def pictured_page(services: Services, user_id: str, version_id: str, start: int) -> int | None:
    """Return the page that shows a place in the text, where the places of words are known."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        _source(session, actor, version_id)
        page = session.scalar(
            select(Page.number).where(
                Page.version_id == version_id, Page.start <= start, start < Page.end
            )
        )
        return page if page and library.words(session, version_id, page) else None


def versions(services: Services, user_id: str, document_id: str) -> list[Version]:
    """Return the versions of a document that this person may see, newest first."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        document = _document(session, actor, document_id)
        rows = library.versions(session, document_id)
        return [row for row in rows if actor.scope.permits_version(document, row)]


def compare(services: Services, user_id: str, before: str, after: str) -> list[Change]:
    """Return how the text of one version became that of another."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        texts = [_source(session, actor, version).version.text for version in (before, after)]
    return changes.between(*texts)


def describe(services: Services, user_id: str, document_id: str, description: Description) -> None:
    """Change owner, visibility, labels and review date.

    Raises:
        InvalidInputError: The actor would lose sight of the document, or nobody would own it.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        _document(session, actor, document_id)
        if not description.owner.strip():
            raise InvalidInputError(what="An empty owner", why="somebody must answer for it")
        require_sight(actor, description.visibility, description.labels)
        life.describe_document(session, document_id, description, actor.email)


def withdraw(services: Services, user_id: str, document_id: str) -> None:
    """Take a document out of search at once."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        _document(session, actor, document_id)
        life.withdraw_document(session, document_id, actor.email)


def restore(services: Services, user_id: str, version_id: str) -> Version:
    """Make the text of an earlier version current again, as a new version."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        view = _source(session, actor, version_id)
        number = view.version.number
        return life.restore_version(session, view.document.id, number, actor.email)


def open_findings(services: Services, user_id: str) -> list[OpenFinding]:
    """Return what repeats or contradicts itself between documents that this person may see."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return findings.open_findings(session, actor.scope)


def settle_finding(services: Services, user_id: str, finding_id: str) -> None:
    """Note that a finding needs nothing more.

    Raises:
        NotFoundError: It is not there, or not this person's to see.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        known = {row.id for row in findings.open_findings(session, actor.scope)}
        if finding_id not in known:
            raise NotFoundError(what="such finding")
        findings.settle(session, finding_id, actor.email)


def _document(session: Session, actor: Actor, document_id: str) -> Document:
    document = session.get(Document, document_id)
    # The same answer for "not there" and "not yours": existence is a secret too.
    if document is None or not actor.scope.permits(document):
        raise NotFoundError(what="such document")
    return document


def _source(session: Session, actor: Actor, version_id: str) -> SourceView:
    version = session.get(Version, version_id)
    document = session.get(Document, version.document_id) if version else None
    if version is None or document is None or not actor.scope.permits_version(document, version):
        raise NotFoundError(what="such document")
    return SourceView(document, version)
