"""The worker process: takes documents in, and renews the index when there is nothing else to do.

One worker a home folder: the lock file says who, and a kill frees it at once.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import OperationalError

from ingest import jobs, store
from ingest.errors import CopilotError, EncoderError, PoisonDocumentError, UnexpectedError
from ingest.index.protocol import IndexBuildError
from ingest.pipeline import Ingestion, ingest_documents, rebuild_index
from ingest.tables import Job

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 16
POLL_SECONDS = 0.5
# A new generation pays when this much of the index is scanned anew by every search.
REBUILD_SHARE = 0.1
REBUILD_PASSAGES = 50
REBUILD_PAUSE_SECONDS = 60.0
# A job that was begun so often and never ended has killed its worker, or was under many kills.
ATTEMPTS_TOGETHER = 3
MAX_ATTEMPTS = 25
HARMFUL = "the worker did not survive it"
# The document is not to blame for these: its job waits until they are over.
FAULTS_OF_THE_MACHINE = (OperationalError, ChildProcessError, EncoderError, OSError)


class Worker:
    """Works through the queue of one home folder."""

    def __init__(self, ingestion: Ingestion, home: Path) -> None:
        self._ingestion = ingestion
        self._name = f"{os.uname().nodename}:{home.resolve()}"
        self._lock = FileLock(home / "worker.lock")
        self._caught_up = False
        self._rebuild_after = 0.0

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
        while (left := self._unfinished(job_ids)) > 0:
            on_progress(len(job_ids) - left)
            try:
                with self._lock.acquire(timeout=POLL_SECONDS):
                    self._work_off(job_ids, on_progress)
            except Timeout:
                continue
        on_progress(len(job_ids))
        # Also where nothing was left to do: an earlier life may have been killed before this.
        with contextlib.suppress(Timeout), self._lock.acquire(blocking=False):
            self._renew_index()

    def reindex(self) -> None:
        """Build a new generation, waiting until no other worker is at work."""
        with self._lock:
            rebuild_index(self._ingestion)

    def _work_off(self, job_ids: Sequence[str], on_progress: Callable[[int], None]) -> None:
        jobs.release(self._ingestion.database, self._name)
        self._catch_up()
        while (left := self._unfinished(job_ids)) > 0:
            on_progress(len(job_ids) - left)
            if not self._step():
                time.sleep(POLL_SECONDS)

    def _turn(self, stop: threading.Event) -> bool:
        """Do all there is to do; tell whether there was anything."""
        jobs.release(self._ingestion.database, self._name)
        self._catch_up()
        worked = False
        while not stop.is_set() and self._step():
            worked = True
        return worked

    def _catch_up(self) -> None:
        """Embed what is there already, once, when the embedding model is a new one."""
        if self._caught_up:
            return
        if store.has_unembedded(self._ingestion.database, self._ingestion.embedder):
            rebuild_index(self._ingestion)
        self._caught_up = True

    def _step(self) -> bool:
        """Do the next piece of work; tell whether there was any."""
        claimed = jobs.claim(self._ingestion.database, self._name, BATCH_DOCUMENTS)
        if claimed:
            self._take_in(claimed)
            return True
        return self._renew_index()

    def _take_in(self, claimed: Sequence[Job]) -> None:
        """Take in a batch; one that fails as a whole is done again document by document."""
        if any(job.attempts > ATTEMPTS_TOGETHER for job in claimed) and len(claimed) > 1:
            for job in claimed:
                self._take_in([job])
            return
        if claimed[0].attempts > MAX_ATTEMPTS:
            self._fail(claimed[0], PoisonDocumentError(title=claimed[0].file_name, reason=HARMFUL))
            return
        try:
            ingest_documents(self._ingestion, claimed)
        except FAULTS_OF_THE_MACHINE:
            raise
        except Exception:
            logger.exception("Taking in %d document(s) failed.", len(claimed))
            if len(claimed) > 1:
                for job in claimed:
                    self._take_in([job])
                return
            self._fail(claimed[0], UnexpectedError(title=claimed[0].file_name))

    def _fail(self, job: Job, error: CopilotError) -> None:
        with self._ingestion.database.write() as session:
            jobs.fail(session, job.id, error)

    def _renew_index(self) -> bool:
        state = self._ingestion.index.state()
        if state.delta < max(REBUILD_PASSAGES, REBUILD_SHARE * state.passages):
            return False
        if time.monotonic() < self._rebuild_after:
            return False
        try:
            rebuild_index(self._ingestion)
        except IndexBuildError:
            # Search goes on by exact scan; the documents are stored, so nothing else waits for it.
            logger.exception("The index was not renewed; the next try is in a minute.")
            self._rebuild_after = time.monotonic() + REBUILD_PAUSE_SECONDS
            return False
        return True

    def _unfinished(self, job_ids: Sequence[str]) -> int:
        with self._ingestion.database.read() as session:
            return jobs.unfinished(session, job_ids)


def stop_with_parent(stop: threading.Event) -> None:
    """Stop when standard input closes: the process that started us has gone, however it went."""

    def watch() -> None:
        # Not through sys.stdin, whose lock this thread would hold while the interpreter ends.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
