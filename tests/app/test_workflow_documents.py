"""Documents: nobody reads, replaces, opens or hears of what they may not see."""

from datetime import date

import pytest

from app.errors import InvalidInputError, NotFoundError
from app.roles import Role
from app.workflow import documents, uploads
from ingest import places
from ingest.library import entry
from ingest.life import Description
from ingest.parse.parsed import Word
from ingest.store import document_id
from ingest.tables import Finding, FindingKind, Job, Outcome, Page, Visibility
from tests.app.people import SOURCE, Desk

SECRET_ID = document_id("secret.txt")
SECRET = f"Engineers only. {SOURCE}"


@pytest.fixture
def owner(desk: Desk) -> str:
    desk.publish("secret.txt", SECRET, Visibility.RESTRICTED, "engineers")
    return desk.people[Role.OWNER]


def _upload(desk: Desk, owner: str, name: str, text: str) -> Job:
    files = [(name, text.encode())]
    ids = uploads.upload(desk.services, owner, files, Visibility.PUBLIC)
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

    mine = {job.source for job in uploads.recent(desk.services, owner)}
    theirs = {job.source for job in uploads.recent(desk.services, engineer)}

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
    ids = uploads.upload(desk.services, owner, files, None)
    desk.services.worker.finish(ids, lambda _: None)

    seen = {
        row.document.source: row.document.visibility
        for row in documents.entries(desk.services, owner)
    }

    assert seen == {"errors": "public", "new.txt": "internal"}


def _described(desk: Desk) -> tuple[str, str, list[str], date | None]:
    with desk.services.database.read() as session:
        found = entry(session, desk.document).document
        return found.owner, found.visibility, found.labels, found.review_by


def test_what_an_owner_says_of_a_document_holds_at_once(desk: Desk) -> None:
    owner = desk.add_person("engineer", Role.OWNER, "engineers")
    description = Description("Ida", Visibility.RESTRICTED, ["engineers"], date(2027, 1, 31))

    documents.describe(desk.services, owner, desk.document, description)

    assert _described(desk) == ("Ida", "restricted", ["engineers"], date(2027, 1, 31))
    assert documents.entries(desk.services, desk.people[Role.OWNER]) == []


@pytest.mark.parametrize(
    "description",
    [
        Description("Ida", Visibility.RESTRICTED, ["engineers"], None),
        Description("Ida", Visibility.RESTRICTED, [], None),
        Description("  ", Visibility.PUBLIC, [], None),
    ],
)
def test_a_document_keeps_an_owner_and_stays_in_sight_of_who_describes_it(
    desk: Desk, description: Description
) -> None:
    before = _described(desk)

    with pytest.raises(InvalidInputError):
        documents.describe(desk.services, desk.people[Role.OWNER], desk.document, description)

    assert _described(desk) == before


def test_an_earlier_version_comes_back_as_a_new_one(desk: Desk) -> None:
    owner = desk.people[Role.OWNER]
    desk.publish("errors", "Another text about errors.")

    restored = documents.restore(desk.services, owner, f"{desk.document}.1")

    assert (restored.number, restored.restored_from, restored.text) == (3, 1, SOURCE)
    rows = documents.versions(desk.services, owner, desk.document)
    assert [(row.number, row.status) for row in rows] == [
        (3, "current"),
        (2, "superseded"),
        (1, "superseded"),
    ]


def test_versions_are_compared_only_by_whoever_may_see_both(desk: Desk, owner: str) -> None:
    desk.publish("secret.txt", "Now anybody may know.", Visibility.PUBLIC)
    old, new = f"{SECRET_ID}.1", f"{SECRET_ID}.2"

    assert [row.number for row in documents.versions(desk.services, owner, SECRET_ID)] == [2]
    for pair in ((old, new), (new, old)):
        with pytest.raises(NotFoundError):
            documents.compare(desk.services, owner, *pair)


def test_a_page_has_a_picture_only_where_the_places_of_words_are_known(desk: Desk) -> None:
    version = f"{desk.document}.1"
    words = places.pack([Word(20, 25, 0.1, 0.1, 0.2, 0.2)])
    with desk.services.database.write() as session:
        session.add(Page(version_id=version, number=1, start=0, end=10, words=b""))
        session.add(Page(version_id=version, number=2, start=10, end=20, words=places.pack([])))
        session.add(Page(version_id=version, number=3, start=20, end=30, words=words))

    found = [
        documents.pictured_page(desk.services, desk.agent, version, start)
        for start in (0, 10, 20, 29, 30)
    ]

    assert found == [None, None, 3, 3, None]


def test_a_finding_is_shown_and_settled_only_where_both_documents_may_be_seen(
    desk: Desk, owner: str
) -> None:
    engineer = desk.add_person("engineer", Role.OWNER, "engineers")
    with desk.services.database.write() as session:
        finding = Finding(
            kind=FindingKind.NUMBER_CONFLICT,
            version_id=f"{desk.document}.1",
            start=0,
            end=5,
            other_version_id=f"{SECRET_ID}.1",
            other_start=0,
            other_end=9,
        )
        session.add(finding)
        finding_id = finding.id

    assert documents.open_findings(desk.services, owner) == []
    with pytest.raises(NotFoundError):
        documents.settle_finding(desk.services, owner, finding_id)
    shown = documents.open_findings(desk.services, engineer)
    assert [(row.first.text, row.other.text) for row in shown] == [("Error", "Engineers")]

    documents.settle_finding(desk.services, engineer, finding_id)

    assert documents.open_findings(desk.services, engineer) == []
