"""Hands hostile files to a real worker and measures what they did to it.

    python -m tests.failure.hostile [FOLDER]

takes in the bombs, and the files of a folder. The worker is a child process with hashed words in
place of the model. Memory is read from /proc ten times a second: of a parser its highest resident
set so far (VmHWM), less what its fork server holds anyway; of the worker its resident set.
"""

import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import psutil
from sqlalchemy import select

from app.services import Services
from ingest import pipeline, sources
from ingest.jobs import Awaited
from ingest.messages import catalogue
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sandbox import parse_file
from ingest.tables import Job, JobState, Outcome
from tests.failure import bombs
from tests.failure.desks import open_desk

MEGABYTE = 1 << 20
MAX_CHILD_BYTES = 1 << 30
MAX_CHILD_SECONDS = 90.0
# From the middle to the end: at first the worker loads what it needs.
MAX_GROWTH_BYTES = 100 << 20
POLL_SECONDS = 0.1
GOOD = {Outcome.INDEXED, Outcome.DUPLICATE, Outcome.UNCHANGED}


@dataclass
class Measures:
    """What was seen of the worker and of its parsers."""

    worker_bytes: list[int] = field(default_factory=list)
    child_bytes: dict[int, int] = field(default_factory=dict)
    child_seconds: dict[int, float] = field(default_factory=dict)

    def look(self, worker: psutil.Process) -> None:
        """Read the processes' memory and age."""
        self.worker_bytes.append(worker.memory_info().rss)
        for server in worker.children():
            if "ingest.parse.fork_server" in server.cmdline():
                for child in server.children():
                    with suppress(psutil.Error, OSError):
                        self._see(server, child)

    def _see(self, server: psutil.Process, child: psutil.Process) -> None:
        own = _highest_bytes(child.pid) - server.memory_info().rss
        self.child_bytes[child.pid] = max(own, self.child_bytes.get(child.pid, 0))
        self.child_seconds[child.pid] = time.time() - child.create_time()


@dataclass(frozen=True)
class Report:
    """How every file ended, how long each took to read, and what was measured."""

    done: list[Job]
    seconds: dict[str, float]
    measures: Measures

    def problems(self) -> Iterator[str]:
        """Say what must not be."""
        for job in self.done:
            if job.state != JobState.DONE:
                yield f"{job.source} hung"
            elif job.outcome not in GOOD and not _sentence(job):
                yield f"{job.source} ended as {job.outcome} without a sentence"
            elif job.error_code == "unexpected":
                yield f"{job.source} met a fault of ours"
        if max(self.measures.child_bytes.values(), default=0) > MAX_CHILD_BYTES:
            yield "a parser took more than 1 GB"
        if max(self.measures.child_seconds.values(), default=0) > MAX_CHILD_SECONDS + 1:
            yield "a parser ran for more than 90 seconds"
        resident = self.measures.worker_bytes
        if resident[-1] - resident[len(resident) // 2] > MAX_GROWTH_BYTES:
            yield "the worker grew"

    def lines(self) -> Iterator[str]:
        """Return the table."""
        yield f"{len(self.done)} files"
        counts = Counter((str(job.outcome), job.error_code or "") for job in self.done)
        for (outcome, code), count in sorted(counts.items()):
            yield f"  {count:4} {outcome:<12} {code}"
        yield "slowest to read"
        slowest = sorted(self.seconds.items(), key=lambda entry: -entry[1])[:5]
        yield from (f"  {seconds:6.1f} s  {name}" for name, seconds in slowest)
        largest = max(self.measures.child_bytes.values(), default=0) // MEGABYTE
        longest = max(self.measures.child_seconds.values(), default=0)
        yield f"largest parser {largest} MB above its server, longest {longest:.1f} s"
        resident = [size // MEGABYTE for size in self.measures.worker_bytes]
        middle = len(resident) // 2
        yield (
            f"worker {resident[0]} MB before, {resident[middle]} MB in the middle, "
            f"{resident[-1]} MB after; median {median(resident):.0f}, highest {max(resident)}"
        )


def submit(desk: Services, *folders: Path) -> list[str]:
    """Queue every file of some folders."""
    return sources.submit(desk.database, desk.files, sources.uploads(folders, {}), "nobody")


def run(desk: Services, job_ids: list[str], timeout_seconds: float) -> Report:
    """Work off the queue in a child process, watching it."""
    child = get_context("spawn").Process(target=_work, args=(desk.home,))
    child.start()
    measures = Measures()
    worker = psutil.Process(child.pid)
    deadline = time.monotonic() + timeout_seconds
    ready = desk.home / "ready"
    while not ready.exists() and child.is_alive():
        time.sleep(POLL_SECONDS)
    awaited = Awaited(desk.database, job_ids)
    while not awaited.is_over() and child.is_alive() and time.monotonic() < deadline:
        measures.look(worker)
        time.sleep(POLL_SECONDS)
    if child.is_alive():
        measures.look(worker)
    child.terminate()
    child.join()
    with desk.database.read() as session:
        done = list(session.scalars(select(Job).where(Job.id.in_(job_ids))))
    return Report(done, _read_seconds(desk.home), measures)


def _work(home: Path) -> None:
    """Be the worker, and write down how long each document was read."""
    desk = open_desk(home)

    def timed(path: Path, name: str, **options: Any) -> ParsedDocument:
        begun = time.perf_counter()
        try:
            return parse_file(path, name, **options)
        finally:
            with (home / "seconds.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, time.perf_counter() - begun]) + "\n")

    # What is needed anyway is loaded before the first look.
    _ = desk.ingestion.tokenizer
    (home / "ready").touch()
    with patch.object(pipeline, "parse_file", timed):
        desk.worker.run(threading.Event())


def _read_seconds(home: Path) -> dict[str, float]:
    file = home / "seconds.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(json.loads(line) for line in lines)


def _highest_bytes(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields["VmHWM"].split()[0]) * 1024 if "VmHWM" in fields else 0


def _sentence(job: Job) -> str:
    entry = catalogue("ingest", "en").get(job.error_code or "")
    if entry is None:
        return ""
    return f"{entry['message']} {entry['hint']}".format(**job.error_fields)


def main(folders: list[Path]) -> int:
    """Print the table; tell by the exit status whether all was well."""
    with tempfile.TemporaryDirectory() as name:
        bombs_folder = Path(name) / "bombs"
        bombs_folder.mkdir()
        bombs.write(bombs_folder)
        desk = open_desk(Path(name) / "home")
        begun = time.monotonic()
        ids = submit(desk, *folders, bombs_folder)
        report = run(desk, ids, timeout_seconds=60 * 60)
        desk.database.close()
    problems = list(report.problems())
    seconds = f"{time.monotonic() - begun:.0f} s in all"
    sys.stdout.write("\n".join([*report.lines(), seconds, *problems]) + "\n")
    for job in sorted(report.done, key=lambda job: job.source):
        if job.source in bombs.BOMBS:
            sys.stdout.write(f"  {job.source:14} {job.outcome}  {_sentence(job)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
