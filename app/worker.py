"""The worker process: takes documents in, and renews the index when there is nothing else to do.

One worker a home folder: the lock file says who, and a kill frees it at once.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from ingest import jobs
from ingest.pipeline import Ingestion, ingest_documents, rebuild_index

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 16
POLL_SECONDS = 0.5
# A new generation pays when this much of the index is scanned anew by every search.
REBUILD_SHARE = 0.1
REBUILD_PASSAGES = 50


class Worker:
    """Works through the queue of one home folder."""

    def __init__(self, ingestion: Ingestion, home: Path) -> None:
        self._ingestion = ingestion
        self._name = f"{os.uname().nodename}:{home.resolve()}"
        self._lock = FileLock(home / "worker.lock")

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; waits its turn where another worker holds the lock."""
        while not stop.is_set():
            try:
                with self._lock.acquire(timeout=POLL_SECONDS):
                    jobs.release(self._ingestion.database, self._name)
                    while not stop.is_set():
                        if not self._step():
                            stop.wait(POLL_SECONDS)
            except Timeout:
                continue

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

    def reindex(self) -> None:
        """Build a new generation, waiting until no other worker is at work."""
        with self._lock:
            rebuild_index(self._ingestion)

    def _work_off(self, job_ids: Sequence[str], on_progress: Callable[[int], None]) -> None:
        jobs.release(self._ingestion.database, self._name)
        while (left := self._unfinished(job_ids)) > 0:
            on_progress(len(job_ids) - left)
            if not self._step():
                time.sleep(POLL_SECONDS)
        self._renew_index()

    def _step(self) -> bool:
        """Do what there is to do; tell whether there was anything."""
        claimed = jobs.claim(self._ingestion.database, self._name, BATCH_DOCUMENTS)
        if claimed:
            ingest_documents(self._ingestion, claimed)
            return True
        return self._renew_index()

    def _renew_index(self) -> bool:
        state = self._ingestion.index.state()
        if state.delta < max(REBUILD_PASSAGES, REBUILD_SHARE * state.passages):
            return False
        rebuild_index(self._ingestion)
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
