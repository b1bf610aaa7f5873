"""The worker process: takes documents in, and renews the index when there is nothing else to do.

One worker a home folder: the lock file says who, and a kill frees it at once.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import OperationalError

from ingest import jobs, vectors
from ingest.comparison import compare
from ingest.errors import (
    CopilotError,
    EncoderError,
    MachineError,
    PoisonDocumentError,
    UnexpectedError,
)
from ingest.jobs import ATTEMPTS_TOGETHER, Awaited
from ingest.pipeline import (
    Embedded,
    Ingestion,
    embed_documents,
    ingest_documents,
    read_documents,
    rebuild_index,
    repair_index,
    store_documents,
)
from ingest.store import Prepared
from ingest.tables import Job
from rag.learn import Learner

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 64
POLL_SECONDS = 0.5
# A new generation pays when this much of the index is scanned anew by every search.
REBUILD_SHARE = 0.1
REBUILD_PASSAGES = 50
# While documents wait, only when the scan has become long.
REBUILD_SHARE_AT_WORK = 0.5
REBUILD_PASSAGES_AT_WORK = 10_000
PAUSE_SECONDS = 60.0
# A job that was begun so often and never ended has killed its worker, or was under many kills.
MAX_ATTEMPTS = 25
HARMFUL = "the worker did not survive it"
# These pass, so the job waits for better times: a full disk, no memory for another process.
FAULTS_OF_THE_MACHINE = (OSError,)
# These need a person; until then nothing can be taken in, and whoever waits is told.
FAULTS_OF_THE_INSTALLATION = (OperationalError, EncoderError)


@dataclass(frozen=True, slots=True)
class Batch:
    """Claimed jobs, and those of their documents that could be read."""

    claimed: list[Job] = field(default_factory=list)
    prepared: list[Prepared] = field(default_factory=list)
    are_suspects: bool = False


class Worker:
    """Works through the queue of one home folder."""

    def __init__(self, ingestion: Ingestion, home: Path, learner: Learner | None = None) -> None:
        self._ingestion = ingestion
        self._learner = learner
        self._name = f"{os.uname().nodename}:{home.resolve()}"
        self._lock = FileLock(home / "worker.lock")
        self._embedded_up_to = -1
        self._not_before: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; between turns others may hold the lock."""
        while not stop.is_set():
            worked = False
            try:
                with self._lock.acquire(timeout=POLL_SECONDS):
                    worked = self._turn(stop)
            except Timeout:
                continue
            if not worked:
                stop.wait(POLL_SECONDS)

    def finish(self, job_ids: Sequence[str], on_progress: Callable[[int], None]) -> None:
        """Return when the jobs are done: by the running worker, or else by this process."""
        awaited = Awaited(self._ingestion.database, job_ids)
        while not awaited.is_over():
            on_progress(awaited.done())
            try:
                with self._lock.acquire(timeout=POLL_SECONDS):
                    self._work_off(awaited, on_progress)
            except Timeout:
                continue
        on_progress(len(job_ids))
        # Also where nothing was left to do: an earlier life may have been killed before this.
        with contextlib.suppress(Timeout), self._lock.acquire(blocking=False):
            self._renew_index()

    def reindex(self) -> None:
        """Build a new generation, waiting until no other worker is at work."""
        with self._lock:
            repair_index(self._ingestion)

    def _work_off(self, awaited: Awaited, on_progress: Callable[[int], None]) -> None:
        def is_over() -> bool:
            on_progress(awaited.done())
            return awaited.is_over()

        jobs.release(self._ingestion.database, self._name)
        with jobs.heartbeat(self._ingestion.database, self._name):
            while not is_over():
                if not self._step(is_over):
                    time.sleep(POLL_SECONDS)

    def _turn(self, stop: threading.Event) -> bool:
        """Do all there is to do; tell whether there was anything."""
        jobs.release(self._ingestion.database, self._name)
        worked = False
        with jobs.heartbeat(self._ingestion.database, self._name):
            while not stop.is_set() and self._step(stop.is_set):
                worked = True
        return worked

    def _step(self, is_over: Callable[[], bool]) -> bool:
        """Do the next piece of work; tell whether there was any."""
        return (
            self._take_in_all(is_over)
            or self._embed_the_rest()
            or self._renew_index()
            or self._compare(is_over)
            or self._learn()
        )

    def _learn(self) -> bool:
        """Bring the memory of solved tickets up to date, and learn from it when that may pay."""
        learner = self._learner
        if learner is None:
            return False
        return self._spared("remembering solved tickets", learner.catch_up) or self._spared(
            "learning from solved tickets", learner.learn_if_due
        )

    def _compare(self, is_over: Callable[[], bool]) -> bool:
        """Look for documents that repeat or contradict each other; uploads interrupt it."""
        ingestion = self._ingestion
        model = ingestion.embedder.fingerprint

        def interrupted() -> bool:
            with ingestion.database.read() as session:
                return is_over() or jobs.is_waiting(session)

        return self._spared(
            "comparing documents",
            lambda: compare(ingestion.database, model, interrupted=interrupted) > 0,
        )

    def _embed_the_rest(self) -> bool:
        """Embed what lies there without a vector, looked for whenever the record has changed."""
        sequence = self._ingestion.index.sequence()
        if sequence == self._embedded_up_to:
            return False
        model = self._ingestion.embedder.fingerprint
        found = vectors.has_unembedded(self._ingestion.database, model)
        if found and not self._rebuild():
            return False
        self._embedded_up_to = sequence
        return found

    def _take_in_all(self, is_over: Callable[[], bool]) -> bool:
        """Take in batch after batch: while one is embedded, others are read and stored.

        Tell whether there was any.
        """
        with ThreadPoolExecutor(1, "reader") as reader, ThreadPoolExecutor(1, "writer") as writer:
            worked = False
            batch = self._read()
            storing: list[Future[None]] = []
            while batch.claimed:
                worked = True
                reading = reader.submit(lambda: Batch() if is_over() else self._read())
                stored, storing = storing, self._take_in(batch, writer)
                _wait(stored)
                self._renew_index(REBUILD_SHARE_AT_WORK)
                batch = reading.result()
            _wait(storing)
        return worked

    def _read(self) -> Batch:
        """Claim the next batch and read its documents, except where one may kill this worker."""
        claimed = jobs.claim(self._ingestion.database, self._name, BATCH_DOCUMENTS)
        if _suspects(claimed):
            return Batch(claimed, are_suspects=True)
        prepared: list[Prepared] = []
        with self._together(claimed):
            prepared = read_documents(self._ingestion, claimed)
        return Batch(claimed, prepared)

    def _take_in(self, batch: Batch, writer: ThreadPoolExecutor) -> list[Future[None]]:
        """Embed a batch; only the writer stores, so that versions follow in the order of jobs."""
        if batch.are_suspects:
            writer.submit(self._take_in_one_by_one, batch.claimed).result()
            return []
        storing: list[Future[None]] = []
        with self._together(batch.claimed):
            embedded = embed_documents(self._ingestion, batch.prepared)
            storing.extend(writer.submit(self._store, group) for group in embedded)
        return storing

    def _store(self, group: Embedded) -> None:
        with self._together([ready.job for ready in group.documents]):
            store_documents(self._ingestion, group)

    @contextlib.contextmanager
    def _together(self, claimed: list[Job]) -> Iterator[None]:
        """Do something with documents; where it fails, each is taken in by itself."""
        with self._postponing(claimed):
            try:
                yield
            except (*FAULTS_OF_THE_MACHINE, *FAULTS_OF_THE_INSTALLATION):
                raise
            except Exception:
                logger.exception("Taking in %d document(s) failed.", len(claimed))
                self._take_in_one_by_one(claimed)

    def _take_in_one_by_one(self, claimed: list[Job]) -> None:
        for job in claimed:
            # One that meets a fault of the machine each time must not put off the others.
            with self._postponing([job]):
                self._take_in_alone(job)

    def _take_in_alone(self, job: Job) -> None:
        if job.attempts > MAX_ATTEMPTS:
            self._fail(job, PoisonDocumentError(title=job.file_name, reason=HARMFUL))
            return
        # Written down first: should it kill this worker, the others that wait are not to blame.
        jobs.report(self._ingestion.database, "reading", {job.id: (0, 0)})
        try:
            ingest_documents(self._ingestion, [job])
        except (*FAULTS_OF_THE_MACHINE, *FAULTS_OF_THE_INSTALLATION):
            raise
        except Exception:
            logger.exception("Taking in a document failed.")
            self._fail(job, UnexpectedError(title=job.file_name))

    @contextlib.contextmanager
    def _postponing(self, claimed: list[Job]) -> Iterator[None]:
        """Let jobs wait that the machine could not do now; the documents are not to blame."""
        try:
            yield
        except FAULTS_OF_THE_MACHINE as fault:
            logger.exception("Taking in %d document(s) is put off.", len(claimed))
            with self._ingestion.database.write() as session:
                for job in claimed:
                    jobs.postpone(session, job, _machine_error(job, fault))

    def _fail(self, job: Job, error: CopilotError) -> None:
        with self._ingestion.database.write() as session:
            if jobs.held(session, job):
                jobs.fail(session, job.id, error)

    def _renew_index(self, share: float = REBUILD_SHARE) -> bool:
        """Build a new generation if the present one lacks so much; tell whether it was done."""
        state = self._ingestion.index.state()
        floor = REBUILD_PASSAGES if share == REBUILD_SHARE else REBUILD_PASSAGES_AT_WORK
        if state.delta < max(floor, share * state.passages):
            return False
        return self._rebuild()

    def _rebuild(self) -> bool:
        """Build a new generation; tell whether that could be done."""
        # Until then search goes on by exact scan.
        return self._spared("building the index", lambda: bool(rebuild_index(self._ingestion)))

    def _spared(self, name: str, work: Callable[[], bool]) -> bool:
        """Do what no document waits for; after a failure a minute passes until the next try."""
        if time.monotonic() < self._not_before.get(name, 0.0):
            return False
        try:
            return work()
        except FAULTS_OF_THE_INSTALLATION:
            raise
        except Exception:
            logger.exception("There was a fault in %s; the next try is in a minute.", name)
            self._not_before[name] = time.monotonic() + PAUSE_SECONDS
            return False


def _suspects(claimed: Sequence[Job]) -> bool:
    """Tell whether one of the documents may have killed its worker before."""
    return any(job.attempts > ATTEMPTS_TOGETHER for job in claimed)


def _wait(storing: Sequence["Future[None]"]) -> None:
    for stored in storing:
        stored.result()


def _machine_error(job: Job, fault: Exception) -> MachineError:
    reason = fault.strerror if isinstance(fault, OSError) else None
    return MachineError(title=job.file_name, reason=reason or str(fault))


def stop_with_parent(stop: threading.Event) -> None:
    """Stop when standard input closes: the process that started us has gone, however it went."""

    def watch() -> None:
        # Not through sys.stdin, whose lock this thread would hold while the interpreter ends.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
