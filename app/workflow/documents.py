"""Documents: upload, list, read, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest import jobs, library, sources, store
from ingest.sources import Upload
from ingest.tables import Document, Job, Passage, Version, Visibility

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
    visibility: Visibility | None,
) -> list[str]:
    """Queue files, (name, bytes) each, and return their jobs' ids.

    A file is known again by its name: uploading a new text under it makes a new version. Without a
    visibility, a new document is internal and an old one stays as it is.
    """
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
    details = (
        {"owner": actor.name, "visibility": visibility} if visibility else {"owner": actor.name}
    )
    items = [Upload(name, name, data, details) for name, data in files]
    return sources.submit(services.database, services.files, items, actor.email, actor.scope)


def entries(services: Services, user_id: str) -> list[library.Entry]:
    """Return the documents that this person may see."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        return [row for row in library.entries(session) if actor.scope.permits(row.document)]


def recent_jobs(services: Services, user_id: str) -> list[Job]:
    """Return the newest jobs, newest first."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        rows = library.recent_jobs(session, RECENT_JOBS)
        return [job for job in rows if _may_know(session, actor, job)]


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
        if (
            version is None
            or document is None
            or not actor.scope.permits_version(document, version)
        ):
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


def _may_know(session: Session, actor: Actor, job: Job) -> bool:
    """Tell whether an upload, its file name included, may be shown."""
    document = session.get(Document, store.document_id(job.source))
    if document is not None and not actor.scope.permits(document):
        return False
    visibility = Visibility(job.details.get("visibility") or store.DEFAULT_VISIBILITY)
    known = document is not None or actor.scope.allows(visibility, job.details.get("labels") or [])
    return job.actor == actor.email or known
