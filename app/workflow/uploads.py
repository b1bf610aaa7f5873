"""Uploads: documents on their way in, and what an owner can do about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest import jobs, sources, store
from ingest.events import record
from ingest.jobs import Pace
from ingest.sources import Upload
from ingest.tables import Document, Job, JobState, Visibility

LISTED_JOBS = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the latest uploads are: `done` counts those that ended since they began to come."""

    done: int
    pace: Pace

    @property
    def is_moving(self) -> bool:
        """Tell whether anything is on its way that nobody has paused."""
        return self.pace.unfinished > self.pace.paused


def upload(
    services: Services,
    user_id: str,
    files: Sequence[tuple[str, bytes]],
    visibility: Visibility | None,
    labels: Sequence[str] = (),
) -> list[str]:
    """Queue files, (name, bytes) each, and return their jobs' ids.

    A file is known again by its name: uploading a new text under it makes a new version. Without a
    visibility, a new document is internal and an old one stays as it is.

    Raises:
        InvalidInputError: The uploader would not see the documents themselves.
    """
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
    details: dict[str, object] = {"owner": actor.name}
    if visibility is not None:
        require_sight(actor, visibility, labels)
        details |= {"visibility": visibility, "labels": list(labels)}
    items = [Upload(name, name, data, details) for name, data in files]
    return sources.submit(services.database, services.files, items, actor.email, actor.scope)


def recent(services: Services, user_id: str) -> list[Job]:
    """Return uploads: those on their way, oldest first, then the others, newest first."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        waiting = select(Job).where(Job.state != JobState.DONE).order_by(Job.created_at, Job.id)
        ended = select(Job).where(Job.state == JobState.DONE).order_by(Job.finished_at.desc())
        rows = list(session.scalars(waiting.limit(LISTED_JOBS)))
        rows += session.scalars(ended.limit(LISTED_JOBS - len(rows)))
        known = _documents(session, rows)
        return [job for job in rows if _may_know(actor, job, known.get(job.source))]


def standing(services: Services, user_id: str) -> Standing:
    """Tell how many uploads are done and on their way, and how long those will take.

    What ended before the oldest of them came, or the latest to end, is history.
    """
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        pace = jobs.pace(session)
        begin = session.scalar(
            select(func.min(Job.created_at)).where(Job.state != JobState.DONE)
        ) or session.scalar(select(Job.created_at).order_by(Job.finished_at.desc()).limit(1))
        if begin is None:
            return Standing(0, pace)
        ended = select(func.count()).where(Job.finished_at >= begin)
        return Standing(session.scalar(ended) or 0, pace)


def cancel(services: Services, user_id: str, job_ids: Sequence[str]) -> None:
    """Call uploads off for good; one at work stops within a second and leaves nothing behind."""
    _change(services, user_id, job_ids, "cancel", jobs.cancel)


def pause(services: Services, user_id: str, job_ids: Sequence[str]) -> None:
    """Let uploads rest until they are resumed."""
    _change(services, user_id, job_ids, "pause", jobs.pause)


def resume(services: Services, user_id: str, job_ids: Sequence[str]) -> None:
    """Let paused uploads go on."""
    _change(services, user_id, job_ids, "resume", jobs.resume)


def retry(services: Services, user_id: str, job_id: str) -> None:
    """Try an upload again that failed, was cancelled or is in quarantine.

    Raises:
        InvalidInputError: Its bytes were never taken in, so there is nothing to try.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        job = _known(session, actor, job_id)
        if not sources.is_retryable(job):
            why = "the file itself did not arrive; upload it again"
            raise InvalidInputError(what=job.file_name, why=why)
        jobs.retry(job)
        record(session, actor.email, "upload:retry", job.id, {"sha256": job.sha256})


def discard(services: Services, user_id: str, job_id: str) -> None:
    """Take an ended upload off the list; the audit trail keeps that it was there."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        job = _known(session, actor, job_id)
        if job.state != JobState.DONE:
            raise InvalidInputError(what=job.file_name, why="it is still on its way; cancel it")
        detail = {"sha256": job.sha256, "outcome": job.outcome, "error": job.error_code}
        session.delete(job)
        record(session, actor.email, "upload:discard", job_id, detail)


def file_of(services: Services, user_id: str, job_id: str) -> Job:
    """Return an upload whose bytes this person may have back."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return _known(session, actor, job_id)


def require_sight(actor: Actor, visibility: Visibility, labels: Sequence[str]) -> None:
    """Refuse a visibility under which the actor would lose sight of their own document."""
    if not actor.scope.allows(visibility, labels):
        raise InvalidInputError(
            what="This visibility", why="you would not see the document; name a label of your own"
        )


def _change(
    services: Services,
    user_id: str,
    job_ids: Sequence[str],
    action: str,
    change: Callable[[Session, list[str]], None],
) -> None:
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        known = [_known(session, actor, job_id).id for job_id in job_ids]
        change(session, known)
        record(session, actor.email, f"upload:{action}", ",".join(known[:3]), {"jobs": known})


def _known(session: Session, actor: Actor, job_id: str) -> Job:
    job = session.get(Job, job_id)
    if job is None or not _may_know(actor, job, store.find(session, job.source)):
        raise NotFoundError(what="such upload")
    return job


def _documents(session: Session, rows: Sequence[Job]) -> Mapping[str, Document]:
    """Return the documents that uploads are about, by source."""
    query = select(Document).where(Document.source.in_({job.source for job in rows}))
    return {document.source: document for document in session.scalars(query)}


def _may_know(actor: Actor, job: Job, document: Document | None) -> bool:
    """Tell whether an upload, its file name included, may be shown."""
    if document is not None and not actor.scope.permits(document):
        return False
    visibility = Visibility(job.details.get("visibility") or store.DEFAULT_VISIBILITY)
    known = document is not None or actor.scope.allows(visibility, job.details.get("labels") or [])
    return job.actor == actor.email or known
