"""The queue of documents on their way in: rows with leases, so that no kill loses one."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from ingest.db import Database, now, storable
from ingest.errors import CopilotError, DuplicateDocumentError, PoisonDocumentError
from ingest.tables import Job, JobState, Outcome

LEASE = timedelta(seconds=60)


def claim(database: Database, worker: str, limit: int) -> list[Job]:
    """Take the oldest waiting jobs, and those whose worker has gone silent.

    Of several uploads of one source only the oldest is taken: they must become versions in order.
    """
    free = or_(
        Job.state == JobState.QUEUED,
        (Job.state == JobState.RUNNING) & (Job.lease_until < now()),
    )
    with database.write() as session:
        # What has hurt a worker before comes last, so that it does not hold up the others.
        order = (Job.attempts, Job.created_at, Job.id)
        query = select(Job).where(free, ~_has_older()).order_by(*order).limit(limit)
        jobs = list(session.scalars(query.with_for_update(skip_locked=True)))
        for job in jobs:
            job.state = JobState.RUNNING
            job.worker = worker
            job.lease_until = now() + LEASE
            job.attempts += 1
    return jobs


def held(session: Session, job: Job) -> bool:
    """Tell whether a claimed job is still its worker's: no other took it over or finished it."""
    query = select(Job.id).where(
        Job.id == job.id, Job.state == JobState.RUNNING, Job.worker == job.worker
    )
    return session.scalar(query.with_for_update()) is not None


def release(database: Database, worker: str) -> None:
    """Give back what an earlier life of this worker had taken and not finished."""
    with database.write() as session:
        session.execute(
            update(Job)
            .where(Job.state == JobState.RUNNING, Job.worker == worker)
            .values(state=JobState.QUEUED, stage="waiting", worker=None, lease_until=None)
        )


def renew(database: Database, job_ids: Sequence[str]) -> None:
    """Keep the leases of jobs that wait for their turn in a batch."""
    with database.write() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(job_ids), Job.state == JobState.RUNNING)
            .values(lease_until=now() + LEASE)
        )


def report(database: Database, job_ids: Sequence[str], stage: str, done: int, total: int) -> None:
    """Show how far jobs are; this is their heartbeat too."""
    with database.write() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(job_ids), Job.state == JobState.RUNNING)
            .values(
                stage=stage, progress_done=done, progress_total=total, lease_until=now() + LEASE
            )
        )


def finish(session: Session, job_id: str, outcome: Outcome, **results: object) -> None:
    """End a job in the transaction that made its result lasting; its first end counts."""
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state != JobState.DONE)
        .values(
            state=JobState.DONE,
            outcome=outcome,
            stage="done",
            lease_until=None,
            finished_at=now(),
            **results,
        )
    )


def fail(session: Session, job_id: str, error: CopilotError) -> None:
    """End a job with the reason why its document was not taken in."""
    finish(
        session,
        job_id,
        _outcome_of(error),
        error_code=error.code,
        error_fields={name: storable(str(value)) for name, value in error.fields.items()},
        document_id=error.fields.get("other_id"),
    )


def unfinished(session: Session, job_ids: Sequence[str] | None = None) -> int:
    """Count jobs that wait or run; of all, or of those named."""
    query = select(func.count()).select_from(Job).where(Job.state != JobState.DONE)
    if job_ids is not None:
        query = query.where(Job.id.in_(job_ids))
    return session.scalar(query) or 0


def _has_older() -> Exists:
    """Tell of a job whether an older one of its source is unfinished."""
    older = aliased(Job)
    is_older = or_(
        older.created_at < Job.created_at,
        (older.created_at == Job.created_at) & (older.id < Job.id),
    )
    query = select(older.id).where(
        older.source == Job.source, older.state != JobState.DONE, is_older
    )
    return query.exists()


def _outcome_of(error: CopilotError) -> Outcome:
    if isinstance(error, DuplicateDocumentError):
        return Outcome.DUPLICATE
    if isinstance(error, PoisonDocumentError):
        return Outcome.QUARANTINED
    return Outcome.FAILED
