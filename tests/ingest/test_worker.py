"""The worker's loop, with hashed words in place of the model."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from filelock import FileLock
from sqlalchemy import delete, func, select, update

from app.services import Services
from app.worker import REBUILD_PASSAGES, Worker
from ingest import chunk as chunking
from ingest import jobs, pipeline, sources, vectors
from ingest.access import Scope
from ingest.parse.parsed import ParsedDocument
from ingest.sources import Upload
from ingest.tables import Embedding, Generation, Job, JobState, Outcome, Version


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
