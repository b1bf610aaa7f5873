"""The queue of documents on their way in: rows with leases, so that no kill loses one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Signal
from threading import Thread
from typing import cast

from sqlalchemy import ColumnElement, Exists, Table, Update, bindparam, func, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from ingest.db import Database, now, storable
from ingest.errors import CopilotError, DuplicateDocumentError, PoisonDocumentError
from ingest.tables import Job, JobState, Outcome

LEASE = timedelta(seconds=60)
BEAT_SECONDS = 15.0
# How long to wait after each failure of the machine; after the last the job ends.
BACKOFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=5),
)
# A job begun more often without an end may have killed its worker: from then on it is worked alone.
ATTEMPTS_TOGETHER = 3
RETRIED = frozenset({Outcome.FAILED, Outcome.QUARANTINED, Outcome.CANCELLED})
_IDLE = {"stage": "waiting", "worker": None, "lease_until": None, "progress_done": 0}
_PACE_WINDOW = timedelta(minutes=5)
_PACE_SAMPLE = 3
_HEAD = 200


def claim(database: Database, worker: str, limit: int) -> list[Job]:
    """Take the oldest waiting jobs, and those whose worker has gone silent.

    Of several uploads of one source only the oldest is taken: they must become versions in order.
    """
    free = or_(
        _is_due(),
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
            job.stage = "waiting"
            job.lease_until = now() + LEASE
            job.started_at = now()
            job.attempts += 1
    return jobs


def held(session: Session, job: Job) -> bool:
    """Tell whether a claimed job is still its worker's: not taken over, cancelled or paused."""
    query = select(Job.id).where(
        Job.id == job.id, Job.state == JobState.RUNNING, Job.worker == job.worker
    )
    return session.scalar(query.with_for_update()) is not None


def still_held(database: Database, jobs: Collection[Job]) -> set[str]:
    """Return the ids of those claimed jobs that are still their worker's."""
    workers = {job.id: job.worker for job in jobs}
    query = select(Job.id, Job.worker).where(Job.id.in_(workers), Job.state == JobState.RUNNING)
    with database.read() as session:
        return {job_id for job_id, worker in session.execute(query) if workers[job_id] == worker}


def release(database: Database, worker: str) -> None:
    """Give back what an earlier life of this worker had taken and not finished."""
    mine = (Job.state == JobState.RUNNING) & (Job.worker == worker)
    # It lay beside the one that was worked alone when the worker died, and is not to blame.
    spared = mine & (Job.stage == "waiting") & (Job.attempts > ATTEMPTS_TOGETHER)
    with database.write() as session:
        session.execute(_update().where(spared).values(attempts=Job.attempts - 1))
        session.execute(_update().where(mine).values(state=JobState.QUEUED, **_IDLE))


@contextmanager
def heartbeat(database: Database, worker: str) -> Iterator[None]:
    """Keep the leases of everything that a worker holds, however long its work takes."""
    stop = Signal()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            # A database that is away for a moment must not end the heart.
            with suppress(OperationalError), database.write() as session:
                session.execute(
                    _update()
                    .where(Job.state == JobState.RUNNING, Job.worker == worker)
                    .values(lease_until=now() + LEASE)
                )

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def report(database: Database, stage: str, progress: Mapping[str, tuple[int, int]]) -> None:
    """Show how far jobs are: (done, total) by job id."""
    rows = [
        {"job": job_id, "done": done, "total": total} for job_id, (done, total) in progress.items()
    ]
    table = cast("Table", Job.__table__)
    change = (
        update(table)
        .where(table.c.id == bindparam("job"), table.c.state == JobState.RUNNING)
        .values(stage=stage, progress_done=bindparam("done"), progress_total=bindparam("total"))
    )
    if rows:
        with database.write() as session:
            session.execute(change, rows)


def finish(session: Session, job_id: str, outcome: Outcome, **results: object) -> None:
    """End a job in the transaction that made its result lasting; its first end counts."""
    # Why an earlier try was put off is of no interest any more.
    results = {"error_code": None, "error_fields": {}, **results}
    session.execute(
        _update()
        .where(Job.id == job_id, Job.state != JobState.DONE)
        .values(
            state=JobState.DONE,
            outcome=outcome,
            stage="done",
            lease_until=None,
            not_before=None,
            finished_at=now(),
            **results,
        )
    )


def end_unchanged(job: Job, document_id: str, passages: int, pages: int) -> None:
    """End a job, before it is stored, whose document is as it is already."""
    job.state, job.outcome, job.stage = JobState.DONE, Outcome.UNCHANGED, "done"
    job.document_id, job.passages, job.pages = document_id, passages, pages or None
    job.finished_at = now()


def fail(session: Session, job_id: str, error: CopilotError) -> None:
    """End a job with the reason why its document was not taken in."""
    document_id = error.fields.get("other_id")
    finish(session, job_id, _outcome_of(error), document_id=document_id, **_reason(error))


def postpone(session: Session, job: Job, error: CopilotError) -> None:
    """Let a job that the machine failed wait, longer each time; after the last time it ends."""
    if not held(session, job):
        return
    if job.failures >= len(BACKOFF):
        fail(session, job.id, error)
        return
    session.execute(
        _update()
        .where(Job.id == job.id)
        .values(
            state=JobState.QUEUED,
            failures=job.failures + 1,
            not_before=now() + BACKOFF[job.failures],
            **_IDLE,
            **_reason(error),
        )
    )


def cancel(session: Session, job_ids: Collection[str]) -> None:
    """End jobs for good, also while a worker is at them: it finds out and gives up."""
    for job_id in job_ids:
        finish(session, job_id, Outcome.CANCELLED)


def pause(session: Session, job_ids: Collection[str]) -> None:
    """Let jobs rest until they are resumed; one at work begins anew then."""
    unfinished = Job.state.in_([JobState.QUEUED, JobState.RUNNING])
    session.execute(
        _update().where(Job.id.in_(job_ids), unfinished).values(state=JobState.PAUSED, **_IDLE)
    )


def resume(session: Session, job_ids: Collection[str]) -> None:
    """Let paused jobs go on; one that a newer upload of its source has overtaken ends."""
    resting = (Job.id.in_(job_ids), Job.state == JobState.PAUSED)
    newer = aliased(Job)
    overtaken = (
        select(newer.id)
        .where(newer.source == Job.source, newer.created_at > Job.created_at)
        .exists()
    )
    cancel(session, list(session.scalars(select(Job.id).where(*resting, overtaken))))
    session.execute(_update().where(*resting).values(state=JobState.QUEUED))


def retry(job: Job) -> None:
    """Begin a job again that ended without its document; it counts as uploaded now."""
    if job.state != JobState.DONE or job.outcome not in RETRIED:
        return
    job.state, job.outcome, job.stage = JobState.QUEUED, None, "waiting"
    job.error_code, job.error_fields = None, {}
    job.attempts = job.failures = job.progress_done = job.progress_total = 0
    # An older upload must not supersede what came in meanwhile without anybody's asking.
    job.created_at, job.finished_at = now(), None


class Awaited:
    """Jobs that somebody waits for; cheap to ask after again and again, however many they are."""

    def __init__(self, database: Database, job_ids: Sequence[str]) -> None:
        self._database = database
        self._count = len(job_ids)
        self._left = list(job_ids)

    def done(self) -> int:
        """Return how many have ended, or a few less: only the oldest are looked at."""
        with self._database.read() as session:
            while self._left:
                head = self._left[:_HEAD]
                query = select(Job.id).where(Job.id.in_(head), Job.state != JobState.DONE)
                unfinished = set(session.scalars(query))
                self._left[:_HEAD] = [job_id for job_id in head if job_id in unfinished]
                if unfinished:
                    break
        return self._count - len(self._left)

    def is_over(self) -> bool:
        """Tell whether all have ended."""
        return self.done() == self._count


@dataclass(frozen=True, slots=True)
class Pace:
    """How a queue gets on."""

    unfinished: int
    paused: int
    seconds_left: float | None  # None until enough has been done to tell


def pace(session: Session) -> Pace:
    """Estimate from the documents of the last minutes how long the waiting ones will take."""
    counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
    paused = counts.get(JobState.PAUSED, 0)
    waiting = counts.get(JobState.QUEUED, 0) + counts.get(JobState.RUNNING, 0)
    done, first = session.execute(
        select(func.count(), func.min(Job.started_at)).where(
            Job.finished_at > now() - _PACE_WINDOW, Job.started_at.is_not(None)
        )
    ).one()
    seconds = None
    if first is not None and done >= _PACE_SAMPLE and waiting:
        seconds = waiting * (now() - first).total_seconds() / done
    return Pace(waiting + paused, paused, seconds)


def unfinished(session: Session) -> int:
    """Count the jobs that wait, rest or run."""
    query = select(func.count()).select_from(Job).where(Job.state != JobState.DONE)
    return session.scalar(query) or 0


def is_waiting(session: Session) -> bool:
    """Tell whether a job could be taken up now."""
    return session.scalar(select(Job.id).where(_is_due()).limit(1)) is not None


def _is_due() -> ColumnElement[bool]:
    due = or_(Job.not_before.is_(None), Job.not_before <= now())
    return (Job.state == JobState.QUEUED) & due


def _has_older() -> Exists:
    """Tell of a job whether an older one of its source is unfinished."""
    older = aliased(Job)
    is_older = or_(
        older.created_at < Job.created_at,
        (older.created_at == Job.created_at) & (older.id < Job.id),
    )
    query = select(older.id).where(
        older.source == Job.source,
        # One that rests holds nobody up; when it is resumed, the newer has overtaken it.
        older.state.in_([JobState.QUEUED, JobState.RUNNING]),
        is_older,
    )
    return query.exists()


def _update() -> Update:
    # Jobs already loaded are left as they are: matching each of them would cost more than the rest.
    return update(Job).execution_options(synchronize_session=False)


def _reason(error: CopilotError) -> dict[str, object]:
    fields = {name: storable(str(value)) for name, value in error.fields.items()}
    return {"error_code": error.code, "error_fields": fields}


def _outcome_of(error: CopilotError) -> Outcome:
    if isinstance(error, DuplicateDocumentError):
        return Outcome.DUPLICATE
    if isinstance(error, PoisonDocumentError):
        return Outcome.QUARANTINED
    return Outcome.FAILED
