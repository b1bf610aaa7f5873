"""What must hold of a record at any moment, whatever was killed."""

from collections import defaultdict

from sqlalchemy import func, select

from app.services import Services
from ingest.events import broken_links
from ingest.tables import Document, Event, Job, JobState, Outcome, Passage, Version, VersionStatus


def assert_record_is_whole(desk: Services) -> None:
    """Check texts, passages, numbers of versions and the audit trail against each other."""
    with desk.database.read() as session:
        assert list(broken_links(session)) == []
        versions = session.execute(
            select(
                Version.id, Version.document_id, Version.number, Version.text, Version.passages
            ).order_by(Version.number)
        ).all()
        texts: dict[str, list[str]] = defaultdict(list)
        query = select(Passage.version_id, Passage.text).order_by(Passage.ordinal)
        for version_id, text in session.execute(query):
            texts[version_id].append(text)
        published = session.scalar(select(func.count()).where(Event.action == "document:publish"))
        current = list(
            session.scalars(
                select(Version.document_id).where(Version.status == VersionStatus.CURRENT)
            )
        )
        documents = session.scalar(select(func.count()).select_from(Document))
    numbers: dict[str, list[int]] = defaultdict(list)
    for version_id, document_id, number, text, passages in versions:
        assert "".join(texts[version_id]) == text
        assert len(texts[version_id]) == passages
        numbers[document_id].append(number)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert len(set(current)) == len(current) == documents == len(numbers)
    assert published == len(versions)


def assert_every_upload_was_answered(desk: Services) -> None:
    """Check that each acknowledged upload became a version of its own, or was one already."""
    with desk.database.read() as session:
        assert set(session.scalars(select(Job.state))) == {JobState.DONE}
        assert set(session.scalars(select(Job.outcome))) <= {Outcome.INDEXED, Outcome.UNCHANGED}
        taken_in = select(Job.source, Job.sha256).where(Job.outcome == Outcome.INDEXED)
        stored = select(Document.source, Version.sha256).join(
            Version, Version.document_id == Document.id
        )
        assert sorted(session.execute(taken_in).all()) == sorted(session.execute(stored).all())


def assert_index_is_whole(desk: Services) -> None:
    """Check that one generation is served, holds all, and that killed builds left nothing."""
    state = desk.index.state()
    folders = {path.name for path in (desk.home / "index").iterdir()}
    assert state.generation in folders
    assert len(folders) <= 2
    with desk.database.read() as session:
        passages = session.scalar(
            select(func.count())
            .select_from(Passage)
            .join(Version)
            .where(Version.status == VersionStatus.CURRENT)
        )
    assert state.passages == passages
