"""Uploads: what an owner can do about them, and who hears of them."""

from datetime import timedelta

import pytest

from app.errors import InvalidInputError, NotFoundError
from app.roles import Role
from app.workflow import uploads
from ingest.db import now
from ingest.tables import Event, Job, JobState, Outcome, Visibility
from tests.app.people import Desk


@pytest.fixture
def owner(desk: Desk) -> str:
    return desk.people[Role.OWNER]


def _upload(desk: Desk, owner: str, *names: str) -> list[str]:
    files = [(name, f"A text of {name}.".encode()) for name in names]
    return uploads.upload(desk.services, owner, files, None)


def _finish(desk: Desk, ids: list[str]) -> None:
    desk.services.worker.finish(ids, lambda _: None)


def _job(desk: Desk, job_id: str) -> Job:
    with desk.services.database.read() as session:
        return session.get_one(Job, job_id)


def _states(desk: Desk, owner: str) -> dict[str, str]:
    return {job.source: str(job.state) for job in uploads.recent(desk.services, owner)}


def test_paused_uploads_rest_until_they_are_resumed(desk: Desk, owner: str) -> None:
    ids = _upload(desk, owner, "one.txt", "two.txt")

    uploads.pause(desk.services, owner, ids)
    assert uploads.standing(desk.services, owner).is_moving is False
    assert _states(desk, owner) == {"one.txt": "paused", "two.txt": "paused", "errors": "done"}

    uploads.resume(desk.services, owner, ids)
    assert uploads.standing(desk.services, owner).is_moving is True
    _finish(desk, ids)
    assert [_job(desk, job_id).outcome for job_id in ids] == [Outcome.INDEXED] * 2


def test_a_cancelled_upload_leaves_nothing_and_can_be_tried_again(desk: Desk, owner: str) -> None:
    ids = _upload(desk, owner, "one.txt")

    uploads.cancel(desk.services, owner, ids)
    _finish(desk, ids)
    assert (_job(desk, ids[0]).outcome, _job(desk, ids[0]).document_id) == ("cancelled", None)

    uploads.retry(desk.services, owner, ids[0])
    _finish(desk, ids)
    assert _job(desk, ids[0]).outcome == Outcome.INDEXED


def test_a_file_that_never_arrived_cannot_be_tried_again(desk: Desk, owner: str) -> None:
    ids = uploads.upload(desk.services, owner, [("empty.txt", b"")], None)
    _finish(desk, ids)

    with pytest.raises(InvalidInputError) as refusal:
        uploads.retry(desk.services, owner, ids[0])

    assert "did not arrive" in str(refusal.value)


def test_only_an_ended_upload_is_discarded_and_the_trail_keeps_it(desk: Desk, owner: str) -> None:
    ids = _upload(desk, owner, "one.txt")
    with pytest.raises(InvalidInputError):
        uploads.discard(desk.services, owner, ids[0])
    uploads.cancel(desk.services, owner, ids)

    uploads.discard(desk.services, owner, ids[0])

    assert "one.txt" not in _states(desk, owner)
    with desk.services.database.read() as session:
        event = session.query(Event).order_by(Event.id.desc()).first()
    assert event is not None
    assert (event.action, event.subject) == ("upload:discard", ids[0])
    assert event.detail["outcome"] == "cancelled"


def test_what_is_on_its_way_is_listed_first_the_oldest_before_the_others(
    desk: Desk, owner: str
) -> None:
    done = _upload(desk, owner, "done.txt")
    _finish(desk, done)
    _upload(desk, owner, "one.txt")
    _upload(desk, owner, "two.txt")

    names = [job.source for job in uploads.recent(desk.services, owner)]

    assert names == ["one.txt", "two.txt", "done.txt", "errors"]


def test_what_had_ended_before_the_present_uploads_came_is_not_counted(
    desk: Desk, owner: str
) -> None:
    _finish(desk, _upload(desk, owner, "yesterday.txt"))
    today = _upload(desk, owner, "one.txt", "two.txt", "three.txt")

    counts = []
    for number in range(3):
        with desk.services.database.write() as session:
            job = session.get_one(Job, today[number])
            job.state, job.outcome, job.finished_at = JobState.DONE, Outcome.INDEXED, now()
        standing = uploads.standing(desk.services, owner)
        counts.append((standing.done, standing.pace.unfinished))

    assert counts == [(1, 2), (2, 1), (3, 0)]


def test_without_any_upload_nothing_is_done_or_on_its_way(desk: Desk, owner: str) -> None:
    with desk.services.database.write() as session:
        session.query(Job).delete()

    standing = uploads.standing(desk.services, owner)

    assert (standing.done, standing.pace.unfinished, standing.is_moving) == (0, 0, False)


def test_an_upload_to_people_with_a_label_is_known_to_them_and_its_uploader_only(
    desk: Desk,
) -> None:
    engineer = desk.add_person("engineer", Role.OWNER, "engineers")
    files = [("secret.txt", b"A secret of the engineers.")]
    labels = ["engineers"]
    ids = uploads.upload(desk.services, engineer, files, Visibility.RESTRICTED, labels)

    assert uploads.file_of(desk.services, engineer, ids[0]).file_name == "secret.txt"
    stranger = desk.people[Role.OWNER]
    for act in (uploads.file_of, uploads.retry, uploads.discard):
        with pytest.raises(NotFoundError):
            act(desk.services, stranger, ids[0])
    for change in (uploads.cancel, uploads.pause, uploads.resume):
        with pytest.raises(NotFoundError):
            change(desk.services, stranger, ids)
    assert _job(desk, ids[0]).state == JobState.QUEUED


def test_nobody_uploads_what_they_would_not_see(desk: Desk, owner: str) -> None:
    files = [("secret.txt", b"A secret of the engineers.")]

    with pytest.raises(InvalidInputError):
        uploads.upload(desk.services, owner, files, Visibility.RESTRICTED, ["engineers"])

    assert _states(desk, owner) == {"errors": "done"}


def test_of_very_many_uploads_those_on_their_way_are_never_cut_off(desk: Desk, owner: str) -> None:
    with desk.services.database.write() as session:
        for number in range(uploads.LISTED_JOBS + 20):
            name = f"{number}.txt"
            job = Job(source=name, sha256="0" * 64, file_name=name, actor="ida", details={})
            job.state, job.outcome = JobState.DONE, Outcome.FAILED
            job.finished_at = now() + timedelta(seconds=number)
            session.add(job)
    _upload(desk, owner, "mine.txt")

    rows = uploads.recent(desk.services, owner)

    assert len(rows) == uploads.LISTED_JOBS
    assert [job.source for job in rows[:2]] == ["mine.txt", f"{uploads.LISTED_JOBS + 19}.txt"]
