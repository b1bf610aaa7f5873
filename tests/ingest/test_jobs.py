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
    MachineError,
    PoisonDocumentError,
)
from ingest.jobs import ATTEMPTS_TOGETHER, BACKOFF, Awaited, Pace
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


def is_silent(job: Job) -> bool:
    return job.lease_until is not None and job.lease_until < now()


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
        while is_silent(get(database, mine)) and time.monotonic() < deadline:
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


def test_unfinished_jobs_are_counted(database: Database) -> None:
    first, second, third = add_jobs(database, "a", "b", "c")
    with database.write() as session:
        jobs.finish(session, first, Outcome.INDEXED)
        jobs.pause(session, [second])

    with database.read() as session:
        assert jobs.unfinished(session) == 2
    ended = Awaited(database, [first])
    assert (ended.done(), ended.is_over()) == (1, True)
    some = Awaited(database, [first, second, third])
    assert (some.done(), some.is_over()) == (1, False)
    assert Awaited(database, []).is_over()


def test_who_waits_for_many_jobs_is_told_the_end_of_all(database: Database) -> None:
    ids = add_jobs(database, *map(str, range(450)))
    awaited = Awaited(database, ids)
    done = [awaited.done()]

    for some in (ids[:200], ids[300:], ids[200:300]):
        with database.write() as session:
            session.execute(update(Job).where(Job.id.in_(some)).values(state=JobState.DONE))
        assert awaited.is_over() == (some == ids[200:300])
        done.append(awaited.done())

    # The newest are not looked at while older ones are to come.
    assert (done[0], done[1], done[3]) == (0, 200, 450)
    assert 200 <= done[2] <= 350


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


FULL_DISK = MachineError(title="a", reason="No space left on device")


def change(database: Database, job_id: str, **values: object) -> None:
    with database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def claimed(database: Database) -> list[str]:
    return [job.id for job in jobs.claim(database, "one", 16)]


def put_off(database: Database) -> None:
    """Let the machine fail whatever can be claimed."""
    for job in jobs.claim(database, "one", 16):
        with database.write() as session:
            jobs.postpone(session, job, FULL_DISK)


def test_a_job_is_not_claimed_before_its_time(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    change(database, job_id, not_before=now() + timedelta(seconds=30))

    early = claimed(database)
    change(database, job_id, not_before=now() - timedelta(seconds=1))

    assert (early, claimed(database)) == ([], [job_id])


def test_a_job_that_waits_for_better_times_does_not_hold_up_other_sources(
    database: Database,
) -> None:
    first, second = add_jobs(database, "a", "b")
    change(database, first, not_before=now() + timedelta(seconds=30))

    assert claimed(database) == [second]


def test_a_job_that_the_machine_fails_waits_longer_each_time_and_then_fails(
    database: Database,
) -> None:
    [job_id] = add_jobs(database, "a")
    waits = []

    for _ in BACKOFF:
        put_off(database)
        kept = get(database, job_id)
        assert (kept.state, kept.stage, kept.worker) == (JobState.QUEUED, "waiting", None)
        assert (kept.error_code, kept.error_fields["reason"]) == (
            "machine",
            "No space left on device",
        )
        assert kept.not_before is not None
        waits.append(kept.not_before - now())
        change(database, job_id, not_before=None)
    put_off(database)

    for wait, planned in zip(waits, BACKOFF, strict=True):
        assert planned - timedelta(seconds=3) < wait <= planned
    kept = get(database, job_id)
    assert (kept.state, kept.outcome, kept.error_code) == (
        JobState.DONE,
        Outcome.FAILED,
        "machine",
    )
    assert kept.not_before is None


def test_why_a_job_was_put_off_is_forgotten_when_it_succeeds(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    put_off(database)

    with database.write() as session:
        jobs.finish(session, job_id, Outcome.INDEXED)

    kept = get(database, job_id)
    assert (kept.outcome, kept.error_code, kept.error_fields) == (Outcome.INDEXED, None, {})


@pytest.mark.parametrize("failures", [0, len(BACKOFF)])
def test_a_job_that_was_taken_away_is_not_put_off(database: Database, failures: int) -> None:
    ids = add_jobs(database, "taken over", "paused", "done")
    for job_id in ids:
        change(database, job_id, failures=failures)
    before = jobs.claim(database, "one", 16)
    silence(database, ids[0])
    jobs.claim(database, "two", 16)
    with database.write() as session:
        jobs.pause(session, [ids[1]])
        jobs.finish(session, ids[2], Outcome.INDEXED)

    with database.write() as session:
        for job in before:
            jobs.postpone(session, job, FULL_DISK)

    kept = [get(database, job_id) for job_id in ids]
    assert [job.state for job in kept] == [JobState.RUNNING, JobState.PAUSED, JobState.DONE]
    assert [job.error_code for job in kept] == [None, None, None]
    assert kept[0].worker == "two"


def test_waiting_running_and_paused_jobs_can_be_cancelled_and_done_ones_not(
    database: Database,
) -> None:
    running, done, paused, waiting = ids = add_jobs(database, "a", "b", "c", "d")
    [job, *_] = jobs.claim(database, "one", 2)
    with database.write() as session:
        jobs.finish(session, done, Outcome.INDEXED)
        jobs.pause(session, [paused])

    with database.write() as session:
        jobs.cancel(session, ids)

    kept = [get(database, job_id) for job_id in (running, done, paused, waiting)]
    assert [job.outcome for job in kept] == ["cancelled", "indexed", "cancelled", "cancelled"]
    assert {job.state for job in kept} == {JobState.DONE}
    assert all(job.finished_at is not None for job in kept)
    assert claimed(database) == []
    with database.write() as session:
        assert not jobs.held(session, job)


def test_paused_jobs_rest_until_they_are_resumed(database: Database) -> None:
    running, waiting = ids = add_jobs(database, "a", "b")
    [before] = jobs.claim(database, "one", 1)
    jobs.report(database, "embedding", {running: (3, 7)})

    with database.write() as session:
        jobs.pause(session, ids)
    resting = [get(database, job_id) for job_id in ids]
    found = claimed(database)
    still = jobs.still_held(database, [before])
    with database.write() as session:
        jobs.resume(session, ids)

    assert [job.state for job in resting] == [JobState.PAUSED] * 2
    assert (resting[0].stage, resting[0].progress_done, resting[0].worker) == ("waiting", 0, None)
    assert (found, still) == ([], set())
    assert claimed(database) == [waiting, running]


def test_pausing_or_resuming_a_job_that_is_done_changes_nothing(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    with database.write() as session:
        jobs.finish(session, job_id, Outcome.INDEXED)

    with database.write() as session:
        jobs.pause(session, [job_id])
        jobs.resume(session, [job_id])

    assert (get(database, job_id).state, claimed(database)) == (JobState.DONE, [])


def test_resuming_what_runs_leaves_it_to_its_worker(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    [job] = jobs.claim(database, "one", 1)

    with database.write() as session:
        jobs.resume(session, [job_id])

    assert jobs.still_held(database, [job]) == {job_id}


def test_a_newer_upload_overtakes_one_of_its_source_that_rests(database: Database) -> None:
    older, newer, other = add_jobs(database, "same", "same", "other")
    with database.write() as session:
        jobs.pause(session, [older])

    assert sorted(claimed(database)) == sorted([newer, other])
    with database.write() as session:
        jobs.resume(session, [older])
    assert get(database, older).outcome == Outcome.CANCELLED


def test_the_newest_of_several_paused_uploads_goes_on(database: Database) -> None:
    ids = add_jobs(database, "same", "same", "other")
    with database.write() as session:
        jobs.pause(session, ids)

    with database.write() as session:
        jobs.resume(session, ids)

    assert sorted(claimed(database)) == sorted(ids[1:])


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_ended_without_its_document_can_be_tried_again(
    database: Database, outcome: Outcome
) -> None:
    [job_id] = add_jobs(database, "a")
    [job] = jobs.claim(database, "one", 1)
    with database.write() as session:
        jobs.fail(session, job_id, PoisonDocumentError(title="a", reason="it crashed"))
    change(database, job_id, outcome=outcome, failures=3, progress_done=4, progress_total=5)
    begun = now()

    with database.write() as session:
        jobs.retry(session.get_one(Job, job_id))

    kept = get(database, job_id)
    if outcome in {Outcome.FAILED, Outcome.QUARANTINED, Outcome.CANCELLED}:
        assert (kept.state, kept.outcome, kept.stage) == (JobState.QUEUED, None, "waiting")
        assert (kept.error_code, kept.error_fields, kept.finished_at) == (None, {}, None)
        assert (kept.attempts, kept.failures, kept.progress_done) == (0, 0, 0)
        assert kept.created_at >= begun
        assert claimed(database) == [job_id]
    else:
        assert (kept.state, kept.outcome) == (JobState.DONE, outcome)
        assert kept.created_at == job.created_at
        assert claimed(database) == []


def test_a_job_that_has_not_ended_is_not_begun_again(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    [job] = jobs.claim(database, "one", 1)

    with database.write() as session:
        jobs.retry(session.get_one(Job, job_id))

    assert jobs.still_held(database, [job]) == {job_id}


def test_an_upload_tried_again_waits_behind_the_newer_ones_of_its_source(
    database: Database,
) -> None:
    older, newer = add_jobs(database, "same", "same")
    with database.write() as session:
        jobs.cancel(session, [older])
        jobs.retry(session.get_one(Job, older))

    assert claimed(database) == [newer]


def test_nobody_knows_how_long_the_queue_takes_before_enough_is_done(database: Database) -> None:
    ids = add_jobs(database, *"abcde")
    jobs.claim(database, "one", 3)
    with database.write() as session:
        jobs.pause(session, ids[3:4])
        for job_id in ids[:2]:
            jobs.finish(session, job_id, Outcome.INDEXED)

    with database.read() as session:
        assert jobs.pace(session) == Pace(unfinished=3, paused=1, seconds_left=None)


def test_the_queue_takes_as_long_for_each_as_it_took_for_the_last(database: Database) -> None:
    ids = add_jobs(database, *"abcdefghij")
    jobs.claim(database, "one", 4)
    begun = now() - timedelta(seconds=40)
    with database.write() as session:
        for job_id in ids[:4]:
            jobs.finish(session, job_id, Outcome.INDEXED)
        session.execute(update(Job).where(Job.id.in_(ids[:4])).values(started_at=begun))

    with database.read() as session:
        pace = jobs.pace(session)

    # Four in forty seconds, six to come.
    assert (pace.unfinished, pace.paused) == (6, 0)
    assert pace.seconds_left == pytest.approx(60, abs=3)


def test_an_empty_queue_and_one_at_rest_have_no_end_to_tell(database: Database) -> None:
    ids = add_jobs(database, *"abcd")
    jobs.claim(database, "one", 3)
    with database.write() as session:
        for job_id in ids[:3]:
            jobs.finish(session, job_id, Outcome.INDEXED)
        jobs.pause(session, ids[3:])

    with database.read() as session:
        assert jobs.pace(session) == Pace(unfinished=1, paused=1, seconds_left=None)


def test_a_worker_is_told_which_of_its_jobs_are_still_its_own(database: Database) -> None:
    kept, cancelled, paused, taken = ids = add_jobs(database, *"abcd")
    held = jobs.claim(database, "one", 4)
    with database.write() as session:
        jobs.cancel(session, [cancelled])
        jobs.pause(session, [paused])
    silence(database, taken)
    jobs.claim(database, "two", 4)

    assert [job.id for job in held] == ids
    assert jobs.still_held(database, held) == {kept}
    assert jobs.still_held(database, []) == set()


def test_what_lay_beside_the_job_that_killed_its_worker_is_not_blamed(database: Database) -> None:
    begun, beside, fresh = ids = add_jobs(database, *"abc")
    for job_id in (begun, beside):
        change(database, job_id, attempts=ATTEMPTS_TOGETHER)
    jobs.claim(database, "one", 16)
    jobs.report(database, "reading", {begun: (0, 0)})

    jobs.release(database, "one")

    attempts = [get(database, job_id).attempts for job_id in ids]
    assert attempts == [ATTEMPTS_TOGETHER + 1, ATTEMPTS_TOGETHER, 1]
    assert [get(database, fresh).stage, get(database, begun).stage] == ["waiting", "waiting"]


def test_a_job_that_is_taken_over_has_not_been_begun_yet(database: Database) -> None:
    [job_id] = add_jobs(database, "a")
    jobs.claim(database, "one", 1)
    jobs.report(database, "embedding", {job_id: (3, 7)})
    silence(database, job_id)

    jobs.claim(database, "two", 1)

    assert get(database, job_id).stage == "waiting"
