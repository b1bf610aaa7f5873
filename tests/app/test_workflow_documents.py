"""Documents: nobody reads, replaces, opens or hears of what they may not see."""

import pytest

from app.errors import NotFoundError
from app.roles import Role
from app.workflow import documents
from ingest.library import entry
from ingest.store import document_id
from ingest.tables import Job, Outcome, Visibility
from tests.app.people import SOURCE, Desk

SECRET_ID = document_id("secret.txt")
SECRET = f"Engineers only. {SOURCE}"


@pytest.fixture
def owner(desk: Desk) -> str:
    desk.publish("secret.txt", SECRET, Visibility.RESTRICTED, "engineers")
    return desk.people[Role.OWNER]


def _upload(desk: Desk, owner: str, name: str, text: str) -> Job:
    files = [(name, text.encode())]
    ids = documents.upload(desk.services, owner, files, Visibility.PUBLIC)
    desk.services.worker.finish(ids, lambda _: None)
    with desk.services.database.read() as session:
        return session.get_one(Job, ids[0])


def _secret(desk: Desk) -> tuple[str, int]:
    with desk.services.database.read() as session:
        found = entry(session, SECRET_ID)
        return found.document.visibility, found.version.number


@pytest.mark.parametrize("text", ["Something else.", SECRET])
def test_a_restricted_document_is_not_replaced_or_opened_by_whoever_may_not_see_it(
    desk: Desk, owner: str, text: str
) -> None:
    job = _upload(desk, owner, "secret.txt", text)

    assert (job.outcome, job.error_code) == (Outcome.FAILED, "forbidden_document")
    assert _secret(desk) == ("restricted", 1)


def test_a_copy_of_a_restricted_document_does_not_tell_of_it(desk: Desk, owner: str) -> None:
    job = _upload(desk, owner, "copy.txt", SECRET)

    assert (job.outcome, job.error_fields) == (Outcome.INDEXED, {})


def test_uploads_of_restricted_documents_are_not_listed_to_others(desk: Desk, owner: str) -> None:
    engineer = desk.add_person("engineer", Role.OWNER, "engineers")

    mine = {job.source for job in documents.recent_jobs(desk.services, owner)}
    theirs = {job.source for job in documents.recent_jobs(desk.services, engineer)}

    assert mine == {"errors"}
    assert theirs == {"errors", "secret.txt"}


def test_an_old_version_stays_as_restricted_as_it_was(desk: Desk, owner: str) -> None:
    desk.publish("secret.txt", "Now anybody may know.", Visibility.PUBLIC)
    old, new = f"{SECRET_ID}.1", f"{SECRET_ID}.2"

    assert documents.source(desk.services, owner, new).version.text == "Now anybody may know."
    with pytest.raises(NotFoundError):
        documents.source(desk.services, owner, old)


def test_an_upload_without_a_choice_leaves_an_audience_and_starts_internal(desk: Desk) -> None:
    owner = desk.people[Role.OWNER]
    files = [("errors", b"Another text about errors."), ("new.txt", b"A new text.")]
    ids = documents.upload(desk.services, owner, files, None)
    desk.services.worker.finish(ids, lambda _: None)

    seen = {
        row.document.source: row.document.visibility
        for row in documents.entries(desk.services, owner)
    }

    assert seen == {"errors": "public", "new.txt": "internal"}
