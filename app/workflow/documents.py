"""Documents: upload, list, read, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app.errors import InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import require
from ingest import jobs, library, sources, store
from ingest.sources import Upload
from ingest.tables import Document, Job, Passage, Version, VersionStatus, Visibility

MAX_BYTES = 25 * 1024 * 1024
RECENT_JOBS = 50


@dataclass(frozen=True, slots=True)
class SourceView:
    """A version of a document, for showing a place in it."""

    document: Document
    version: Version
    passages: list[Passage]


def upload(
    services: Services,
    user_id: str,
    files: Sequence[tuple[str, bytes]],
    visibility: Visibility,
) -> list[str]:
    """Queue files, (name, bytes) each, and return their jobs' ids.

    A file is known again by its name: uploading a new text under it makes a new version.
    """
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
    details = {"owner": actor.name, "visibility": visibility}
    items = [Upload(name, name, data, details) for name, data in files]
    return sources.submit(services.database, services.files, items, actor.email)


def entries(services: Services, user_id: str) -> list[library.Entry]:
    """Return the documents that this person may see."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        return [row for row in library.entries(session) if actor.scope.permits(row.document)]


def recent_jobs(services: Services, user_id: str) -> list[Job]:
    """Return the newest jobs, newest first."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return library.recent_jobs(session, RECENT_JOBS)


def unfinished(services: Services, user_id: str) -> int:
    """Count the documents on their way in."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return jobs.unfinished(session)


def source(services: Services, user_id: str, version_id: str) -> SourceView:
    """Return a version that this person may see, whether or not it is still current."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        version = session.get(Version, version_id)
        document = session.get(Document, version.document_id) if version else None
        # The same answer for "not there" and "not yours": existence is a secret too.
        if version is None or document is None or not actor.scope.permits(document):
            raise NotFoundError(what="such document")
        return SourceView(document, version, library.passages(session, version_id))


def withdraw(services: Services, user_id: str, document_id: str) -> None:
    """Take a document out of search at once."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        document = session.get(Document, document_id)
        if document is None or not actor.scope.permits(document):
            raise NotFoundError(what="such document")
        store.withdraw_document(session, document_id, actor.email)


def current_count(services: Services) -> int:
    """Count the documents that are searched; no names, so anybody may know."""
    current = select(func.count()).where(Version.status == VersionStatus.CURRENT)
    with services.database.read() as session:
        return session.scalar(current.select_from(Version)) or 0


def check_size(name: str, size: int) -> None:
    """Refuse a file before its bytes are read."""
    if size > MAX_BYTES:
        raise InvalidInputError(what=name, why=f"it is larger than {MAX_BYTES >> 20} MB")
