"""The worker's loop, with hashed words in place of the model."""

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from sqlalchemy import delete, func, select, update

from app import worker as worker_module
from app.services import Services
from app.worker import MAX_ATTEMPTS, REBUILD_PASSAGES, Worker
from ingest import chunk as chunking
from ingest import jobs, life, pipeline, sources, store, vectors
from ingest.access import Scope
from ingest.index.protocol import IndexBuildError
from ingest.jobs import ATTEMPTS_TOGETHER
from ingest.parse import sandbox
from ingest.parse.parsed import ParsedDocument
from ingest.sources import Upload
from ingest.tables import Embedding, Generation, Job, JobState, Outcome, Passage, Version
from tests.fakes import HashEmbedder


def submit(services: Services, *names: str) -> list[str]:
    items = [Upload(f"{name}.md", f"{name}.md", f"The {name} is loud.".encode()) for name in names]
    return sources.submit(services.database, services.files, items, "olu")


def outcomes(services: Services, job_ids: list[str]) -> list[str | None]:
    with services.database.read() as session:
        return [session.get_one(Job, job_id).outcome for job_id in job_ids]


def found(services: Services, question: str) -> list[str]:
    hits = services.retriever.search(question, 1, Scope.everything())
    return [hit.document.source for hit in hits]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_whoever_waits_becomes_the_worker_when_there_is_none(services: Services) -> None:
    ids = submit(services, "zebra", "otter")
    progress: list[int] = []

    services.worker.finish(ids, progress.append)

    assert outcomes(services, ids) == [Outcome.INDEXED, Outcome.INDEXED]
    assert (progress[0], progress[-1]) == (0, 2)
    assert found(services, "zebra") == ["zebra.md"]
    assert not services.worker._lock.is_locked


def test_waiting_for_nothing_ends_at_once(services: Services) -> None:
    progress: list[int] = []

    services.worker.finish([], progress.append)

    assert progress == [0]


def test_whoever_waits_and_a_running_worker_do_the_work_once(services: Services) -> None:
    stop = threading.Event()
    running = threading.Thread(target=services.worker.run, args=(stop,))
    running.start()
    try:
        ids = submit(services, "zebra")
        waiting = Worker(services.ingestion, services.home)

        waiting.finish(ids, lambda _: None)

        assert outcomes(services, ids) == [Outcome.INDEXED]
    finally:
        stop.set()
        running.join()
    with services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Version)) == 1
    assert found(services, "zebra") == ["zebra.md"]


def test_whoever_waits_takes_over_when_the_worker_goes(services: Services) -> None:
    ids = submit(services, "zebra")
    other = FileLock(services.home / "worker.lock")
    other.acquire()
    waiting = threading.Thread(target=services.worker.finish, args=(ids, lambda _: None))
    waiting.start()

    assert outcomes(services, ids) == [None]
    other.release()
    waiting.join()

    assert outcomes(services, ids) == [Outcome.INDEXED]


def test_a_second_worker_waits_its_turn_and_stops_when_told(services: Services) -> None:
    with FileLock(services.home / "worker.lock"):
        ids = submit(services, "zebra")
        stop = threading.Event()
        second = threading.Thread(target=services.worker.run, args=(stop,))
        second.start()
        stop.set()
        second.join(20)

        assert not second.is_alive()
        assert outcomes(services, ids) == [None]


def test_a_worker_that_starts_again_finishes_what_it_had_begun(services: Services) -> None:
    ids = submit(services, "zebra")
    [begun] = jobs.claim(services.database, services.worker._name, 16)
    assert begun.state == JobState.RUNNING

    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.INDEXED]


def test_the_index_is_renewed_when_enough_has_changed(services: Services) -> None:
    few = [f"thing{number}" for number in range(REBUILD_PASSAGES - 1)]
    services.worker.finish(submit(services, *few), lambda _: None)
    assert services.index.state().generation is None
    assert found(services, "thing7") == ["thing7.md"]

    services.worker.finish(submit(services, "zebra"), lambda _: None)

    state = services.index.state()
    assert state.generation is not None
    assert (state.engine, state.passages, state.delta) == ("chroma", REBUILD_PASSAGES, 0)
    assert found(services, "zebra") == ["zebra.md"]


def test_reindexing_leaves_nothing_changed_since(services: Services) -> None:
    services.worker.finish(submit(services, "zebra"), lambda _: None)
    assert services.index.state().delta == 1

    services.worker.reindex()

    assert (services.index.state().passages, services.index.state().delta) == (1, 0)
    assert found(services, "zebra") == ["zebra.md"]


def test_a_document_that_breaks_its_reader_unforeseen_does_not_stop_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = chunking.chunk

    def chunk(parsed: ParsedDocument, *arguments: Any) -> list[chunking.Chunk]:
        if "otter" in parsed.text:
            message = "a fault of ours"
            raise IndexError(message)
        return real(parsed, *arguments)

    monkeypatch.setattr(pipeline, "chunk", chunk)
    ids = submit(services, "zebra", "otter", "heron")

    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.INDEXED, Outcome.FAILED, Outcome.INDEXED]
    with services.database.read() as session:
        assert session.get_one(Job, ids[1]).error_code == "unexpected"


def test_an_index_is_built_anew_beside_an_idle_worker(services: Services) -> None:
    services.worker.finish(submit(services, "zebra"), lambda _: None)
    stop = threading.Event()
    running = threading.Thread(
        target=Worker(services.ingestion, services.home).run, args=(stop,), daemon=True
    )
    running.start()

    services.worker.reindex()

    stop.set()
    running.join(20)
    assert services.index.state().delta == 0
    assert found(services, "zebra") == ["zebra.md"]


def test_a_new_embedding_model_embeds_what_is_there_already(services: Services) -> None:
    services.worker.finish(submit(services, "zebra", "otter"), lambda _: None)
    with services.database.write() as session:
        session.execute(update(Embedding).values(model="an earlier model"))
        session.execute(delete(Generation))
    stop = threading.Event()
    running = threading.Thread(
        target=Worker(services.ingestion, services.home).run, args=(stop,), daemon=True
    )
    running.start()

    wait_until(
        lambda: (
            not vectors.has_unembedded(services.database, services.ingestion.embedder.fingerprint)
        )
    )
    stop.set()
    running.join(20)

    assert found(services, "otter") == ["otter.md"]


def errors(services: Services, job_ids: list[str]) -> list[str | None]:
    with services.database.read() as session:
        return [session.get_one(Job, job_id).error_code for job_id in job_ids]


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what the machine failed be tried again without waiting."""
    monkeypatch.setattr(jobs, "BACKOFF", (timedelta(0),) * 4)
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)


FULL_DISK = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (FULL_DISK, "No space left on device"),
        (ChildProcessError("No process could be started."), "No process could be started."),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "Resource temp"),
    ],
)
def test_what_the_machine_cannot_do_now_is_done_at_the_next_try(
    services: Services, monkeypatch: pytest.MonkeyPatch, fault: OSError, reason: str
) -> None:
    at_once(monkeypatch)
    ids = submit(services, "zebra", "otter")
    seen: list[tuple[str, str, int]] = []

    def parse_file(path: Path, name: str, **options: Any) -> ParsedDocument:
        with services.database.read() as session:
            job = session.get_one(Job, ids[0])
            seen.append((str(job.error_code), job.error_fields.get("reason", ""), job.failures))
        if len(seen) == 1:
            raise fault
        return sandbox.parse_file(path, name, **options)

    monkeypatch.setattr(pipeline, "parse_file", parse_file)
    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.INDEXED] * 2
    assert errors(services, ids) == [None, None]
    code, told, failures = seen[1]
    assert (code, failures, told.startswith(reason)) == ("machine", 1, True)


def test_a_file_store_that_cannot_be_read_puts_documents_off(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    ids = submit(services, "zebra")
    asked: list[str] = []
    path = services.files.path

    def failing(sha256: str) -> Path:
        asked.append(sha256)
        if len(asked) < 3:
            raise FULL_DISK
        return path(sha256)

    monkeypatch.setattr(services.files, "path", failing)
    services.worker.finish(ids, lambda _: None)

    assert (outcomes(services, ids), len(asked)) == ([Outcome.INDEXED], 3)


def test_a_document_that_meets_a_fault_of_the_machine_each_time_fails_alone(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)

    def parse_file(path: Path, name: str, **options: Any) -> ParsedDocument:
        if name == "heron.md":
            raise FULL_DISK
        return sandbox.parse_file(path, name, **options)

    monkeypatch.setattr(pipeline, "parse_file", parse_file)
    ids = submit(services, "heron", "zebra", "otter")
    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.FAILED, Outcome.INDEXED, Outcome.INDEXED]
    assert errors(services, ids) == ["machine", None, None]
    with services.database.read() as session:
        assert session.get_one(Job, ids[0]).attempts == len(jobs.BACKOFF) + 1 > ATTEMPTS_TOGETHER


def test_a_document_that_cannot_be_stored_does_not_stop_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.add_version

    def add_version(session: Any, ready: store.Prepared, *rest: Any) -> None:
        real(session, ready, *rest)
        if ready.title == "otter":
            message = "a fault of ours"
            raise IndexError(message)

    monkeypatch.setattr(store, "add_version", add_version)
    items = [
        Upload(f"{name}.md", f"{name}.md", f"# {name}\n\nThe {name} is loud.".encode())
        for name in ("zebra", "otter", "heron")
    ]
    ids = sources.submit(services.database, services.files, items, "olu")
    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.INDEXED, Outcome.FAILED, Outcome.INDEXED]
    assert errors(services, ids)[1] == "unexpected"
    with services.database.read() as session:
        assert sorted(session.scalars(select(Version.title))) == ["heron", "zebra"]


def test_the_next_batch_is_read_while_the_present_one_is_embedded(
    services: Services, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BATCH_DOCUMENTS", 1)
    ids = submit(services, "zebra", "otter", "heron")
    read = {name: threading.Event() for name in ("zebra.md", "otter.md", "heron.md")}
    waited: list[tuple[str, bool]] = []
    encode = HashEmbedder.encode

    def parse_file(path: Path, name: str, **options: Any) -> ParsedDocument:
        parsed = sandbox.parse_file(path, name, **options)
        read[name].set()
        return parsed

    def embed(self: HashEmbedder, texts: Any, on_progress: Any = None) -> Any:
        following = {"zebra": "otter.md", "otter": "heron.md"}
        for name, after in following.items():
            if not isinstance(texts, str) and f"The {name} is" in texts[0]:
                waited.append((after, read[after].wait(20)))
        return encode(self, texts, on_progress)

    monkeypatch.setattr(pipeline, "parse_file", parse_file)
    monkeypatch.setattr(HashEmbedder, "encode", embed)
    services.worker.finish(ids, lambda _: None)

    assert waited == [("otter.md", True), ("heron.md", True)]
    assert outcomes(services, ids) == [Outcome.INDEXED] * 3


def test_whoever_waits_does_not_wait_for_what_others_have_paused(services: Services) -> None:
    theirs = submit(services, "zebra")
    with services.database.write() as session:
        jobs.pause(session, theirs)
    mine = submit(services, "otter")

    services.worker.finish(mine, lambda _: None)

    assert outcomes(services, [*mine, *theirs]) == [Outcome.INDEXED, None]
    with services.database.read() as session:
        assert session.get_one(Job, theirs[0]).state == JobState.PAUSED


def test_whoever_waits_is_told_that_a_document_was_cancelled(services: Services) -> None:
    ids = submit(services, "zebra", "otter")
    with services.database.write() as session:
        jobs.cancel(session, ids[:1])

    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.CANCELLED, Outcome.INDEXED]


def test_a_restored_version_that_has_no_vector_under_the_model_gets_one(
    services: Services,
) -> None:
    services.worker.finish(submit(services, "zebra"), lambda _: None)
    again = Upload("zebra.md", "zebra.md", b"The otter is loud.")
    services.worker.finish(
        sources.submit(services.database, services.files, [again], "olu"), lambda _: None
    )
    document_id = store.document_id("zebra.md")
    with services.database.write() as session:
        old = select(Version.id).where(Version.number == 1).scalar_subquery()
        query = select(Passage.content_hash).where(Passage.version_id == old)
        session.execute(
            update(Embedding)
            .where(Embedding.content_hash.in_(query))
            .values(model="an earlier model")
        )
        life.restore_version(session, document_id, 1, "olu")
    model = services.ingestion.embedder.fingerprint
    assert vectors.has_unembedded(services.database, model)
    stop = threading.Event()
    running = threading.Thread(target=services.worker.run, args=(stop,), daemon=True)
    running.start()

    wait_until(lambda: not vectors.has_unembedded(services.database, model))
    wait_until(lambda: services.index.state().delta == 0)
    stop.set()
    running.join(20)

    hits = services.retriever.search("The zebra is loud", 1, Scope.everything())
    assert [(hit.version.number, "zebra" in hit.passage.text) for hit in hits] == [(3, True)]


@pytest.mark.parametrize("fault", [FULL_DISK, IndexBuildError("x"), ValueError("of the engine")])
def test_an_index_that_cannot_be_built_holds_up_nothing_and_is_tried_again(
    services: Services, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def refuse() -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(services.index, "rebuild", refuse)
        many = [f"thing{number}" for number in range(REBUILD_PASSAGES)]
        ids = submit(services, *many)
        services.worker.finish(ids, lambda _: None)
    assert set(outcomes(services, ids)) == {Outcome.INDEXED}
    assert found(services, "thing7") == ["thing7.md"]
    assert services.index.state().generation is None

    services.worker._not_before.clear()
    services.worker.finish([], lambda _: None)

    assert services.index.state().delta == 0
    assert found(services, "thing7") == ["thing7.md"]


def test_a_fault_in_comparing_documents_holds_up_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def refuse(*_arguments: Any, **_options: Any) -> int:
        tries.append("try")
        raise IndexError

    monkeypatch.setattr(worker_module, "compare", refuse)
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)
    stop = threading.Event()
    running = threading.Thread(target=services.worker.run, args=(stop,))
    running.start()
    try:
        ids = submit(services, "zebra")
        wait_until(lambda: bool(tries))
        ids += submit(services, "otter")
        wait_until(lambda: outcomes(services, ids) == [Outcome.INDEXED] * 2)
    finally:
        stop.set()
        running.join(20)

    assert tries == ["try"]


class KilledError(BaseException):
    """Stands for a kill: nothing in the product catches it."""


def test_a_document_that_kills_its_worker_each_time_ends_alone_in_quarantine(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = chunking.chunk

    def chunk(parsed: ParsedDocument, *arguments: Any) -> list[chunking.Chunk]:
        if "otter" in parsed.text:
            raise KilledError
        return real(parsed, *arguments)

    monkeypatch.setattr(pipeline, "chunk", chunk)
    ids = submit(services, "otter", "zebra", "heron", "camel")
    lives = 0
    while None in outcomes(services, ids) and lives < 2 * MAX_ATTEMPTS:
        lives += 1
        with contextlib.suppress(KilledError):
            services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.QUARANTINED] + [Outcome.INDEXED] * 3
    assert errors(services, ids) == ["poison_document", None, None, None]
    assert lives == MAX_ATTEMPTS + 1


def test_documents_beside_one_that_kills_its_worker_are_taken_in_before_it_is_given_up(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_arguments: Any) -> None:
        raise KilledError

    ids = submit(services, "zebra", "heron", "camel")
    with monkeypatch.context() as patch:
        # Every life ends at its first document, whichever that is.
        patch.setattr(pipeline, "chunk", kill)
        for _ in range(MAX_ATTEMPTS):
            with contextlib.suppress(KilledError):
                services.worker.finish(ids, lambda _: None)

    services.worker.finish(ids, lambda _: None)

    assert outcomes(services, ids) == [Outcome.INDEXED] * 3


def test_whoever_waits_does_not_hang_behind_an_older_upload_that_rests(services: Services) -> None:
    older = submit(services, "zebra")
    with services.database.write() as session:
        jobs.pause(session, older)
    newer = submit(services, "zebra")
    waiting = threading.Thread(target=services.worker.finish, args=(newer, lambda _: None))
    waiting.start()

    waiting.join(3)
    hangs = waiting.is_alive()

    with services.database.write() as session:
        jobs.cancel(session, older)
    waiting.join(20)
    assert not hangs
