import threading
import time
from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import update

from ingest import jobs
from ingest.db import Database, now
from ingest.errors import (
    CorruptDocumentError,
    DuplicateDocumentError,
    EncryptedDocumentError,
    IngestError,
    PoisonDocumentError,
)
from ingest.tables import Job, JobState, Outcome


def add_jobs(database: Database, *sources: str) -> list[str]:
    """Queue a job for each source, the first the oldest."""
    begin = now() - timedelta(minutes=1)
    made = [
        Job(
            source=source,
            sha256="0",
            file_name=source,
            actor="ann",
            details={},
            created_at=begin + timedelta(milliseconds=number),
        )
        for number, source in enumerate(sources)
    ]
    with database.write() as session:
        session.add_all(made)
    return [job.id for job in made]


def get(database: Database, job_id: str) -> Job:
    with database.read() as session:
        return session.get_one(Job, job_id)


def silence(database: Database, job_id: str) -> None:
    """Let a job's lease run out."""
    with database.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Job).where(Job.id == job_id).values(lease_until=past))


def test_the_oldest_jobs_are_claimed_first(database: Database) -> None:
    ids = add_jobs(database, "a", "b", "c")

    claimed = jobs.claim(database, "one", 2)

    assert [job.id for job in claimed] == ids[:2]
    assert [get(database, job_id).state for job_id in ids] == ["running", "running", "queued"]
    assert get(database, ids[0]).worker == "one"


def test_a_running_job_is_not_claimed_again(database: Database) -> None:
    add_jobs(database, "a")
    jobs.claim(database, "one", 5)

    assert jobs.claim(database, "two", 5) == []


def test_the_job_of_a_silent_worker_is_taken_over(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    jobs.claim(database, "one", 5)
    silence(database, job_id)

    claimed = jobs.claim(database, "two", 5)

    assert [job.id for job in claimed] == [job_id]
    kept = get(database, job_id)
    assert kept.worker == "two"
    assert kept.lease_until is not None
    assert kept.lease_until > now() + jobs.LEASE - timedelta(seconds=10)


def test_a_report_shows_how_far_a_job_is(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    jobs.claim(database, "one", 5)

    jobs.report(database, "embedding", {job_id: (3, 7)})

    kept = get(database, job_id)
    assert (kept.stage, kept.progress_done, kept.progress_total) == ("embedding", 3, 7)


def test_the_heartbeat_keeps_what_a_worker_holds_however_long_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    mine, _theirs = add_jobs(database, "a", "b")
    jobs.claim(database, "one", 1)
    jobs.claim(database, "two", 1)
    silence(database, mine)

    with jobs.heartbeat(database, "one"):
        deadline = time.monotonic() + 10
        while get(database, mine).lease_until < now() and time.monotonic() < deadline:
            time.sleep(0.01)

    assert [job.id for job in jobs.claim(database, "three", 5)] == []


def test_two_workers_never_claim_the_same_job(database: Database) -> None:
    ids = add_jobs(database, *map(str, range(60)))
    taken: dict[str, list[str]] = {"one": [], "two": [], "three": []}

    def work(name: str) -> None:
        while claimed := jobs.claim(database, name, 3):
            taken[name] += [job.id for job in claimed]

    threads = [threading.Thread(target=work, args=(name,)) for name in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # On PostgreSQL a worker may find all rows locked and leave early; nothing is taken twice.
    claimed = list(chain(*taken.values()))
    assert len(claimed) == len(set(claimed))
    work("one")
    assert sorted(chain(*taken.values())) == sorted(ids)


def test_of_two_uploads_of_one_source_the_second_waits_for_the_first(database: Database) -> None:
    first, second, other = add_jobs(database, "same", "same", "other")

    assert [job.id for job in jobs.claim(database, "one", 5)] == [first, other]
    assert jobs.claim(database, "two", 5) == []

    with database.write() as session:
        jobs.finish(session, first, Outcome.INDEXED)
    assert [job.id for job in jobs.claim(database, "two", 5)] == [second]


def test_a_worker_that_starts_again_gives_back_its_own_jobs_only(database: Database) -> None:
    mine, theirs = add_jobs(database, "a", "b")
    jobs.claim(database, "one", 1)
    jobs.claim(database, "two", 1)

    jobs.release(database, "one")

    assert [get(database, job_id).state for job_id in (mine, theirs)] == ["queued", "running"]
    assert [job.id for job in jobs.claim(database, "one", 5)] == [mine]


def test_a_job_ends_once(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    jobs.claim(database, "one", 1)

    with database.write() as session:
        jobs.finish(session, job_id, Outcome.INDEXED, passages=3, document_id="d")
    with database.write() as session:
        jobs.finish(session, job_id, Outcome.UNCHANGED, passages=9)
    jobs.report(database, "reading", {job_id: (0, 0)})
    jobs.release(database, "one")

    kept = get(database, job_id)
    assert (kept.state, kept.outcome, kept.stage) == (JobState.DONE, Outcome.INDEXED, "done")
    assert (kept.passages, kept.document_id, kept.lease_until) == (3, "d", None)
    assert kept.finished_at is not None


def test_a_worker_knows_when_it_lost_a_job(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    [before] = jobs.claim(database, "one", 1)
    silence(database, job_id)
    [after] = jobs.claim(database, "two", 1)

    with database.write() as session:
        assert not jobs.held(session, before)
        assert jobs.held(session, after)
        jobs.finish(session, job_id, Outcome.INDEXED)
        assert not jobs.held(session, after)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EncryptedDocumentError(title="a.pdf"), Outcome.FAILED),
        (PoisonDocumentError(title="a.pdf", reason="it took too long"), Outcome.QUARANTINED),
        (
            DuplicateDocumentError(title="a.pdf", other_title="B", other_id="b1"),
            Outcome.DUPLICATE,
        ),
    ],
)
def test_a_failed_job_says_why(database: Database, error: IngestError, outcome: Outcome) -> None:
    [job_id] = add_jobs(database, "a.pdf")

    with database.write() as session:
        jobs.fail(session, job_id, error)

    kept = get(database, job_id)
    assert (kept.state, kept.outcome, kept.error_code) == (JobState.DONE, outcome, error.code)
    assert kept.error_fields["title"] == "a.pdf"
    assert kept.document_id == error.fields.get("other_id")


def test_a_reason_that_no_database_can_keep_is_kept_in_escapes(database: Database) -> None:
    [job_id] = add_jobs(database, "a.pdf")

    with database.write() as session:
        jobs.fail(session, job_id, CorruptDocumentError(title="a.pdf", reason="caf\udce9\0"))

    assert get(database, job_id).error_fields == {"title": "a.pdf", "reason": "caf\\udce9"}


def test_unfinished_jobs_are_counted_of_all_or_of_some(database: Database) -> None:
    first, second, third = add_jobs(database, "a", "b", "c")
    with database.write() as session:
        jobs.finish(session, first, Outcome.INDEXED)

    with database.read() as session:
        assert jobs.unfinished(session) == 2
        assert jobs.unfinished(session, [first, second]) == 1
        assert jobs.unfinished(session, [first]) == 0
        assert jobs.unfinished(session, []) == 0
        assert jobs.unfinished(session, [third]) == 1


def test_a_job_that_was_begun_before_comes_last_and_does_not_hold_up_the_others(
    database: Database,
) -> None:
    ids = add_jobs(database, "harmful", "harmless", "harmful")
    [first] = jobs.claim(database, "one", 1)
    jobs.release(database, "one")

    order = [jobs.claim(database, "one", 1)[0].id for _ in range(2)]

    assert first.id == ids[0]
    assert order == [ids[1], ids[0]]
    assert get(database, ids[0]).attempts == 2
