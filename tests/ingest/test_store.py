import threading
from collections.abc import Mapping

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest import jobs, library, pipeline, searchable, store
from ingest.db import Database
from ingest.errors import UnknownDocumentError
from ingest.pipeline import Ingestion, ingest_documents
from ingest.sources import Upload
from ingest.tables import (
    Document,
    Embedding,
    Event,
    IndexOperation,
    Outcome,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)
from tests.ingest.knowledge_base import OWNER, KnowledgeBase

DESCALE = "# Descaling\n\nFill the tank with citric acid and start the descaling programme.\n"
GRINDER = "# Grinder\n\nTurn the knob to the left for a finer grind of the beans.\n"


def test_a_version_keeps_text_pages_passages_vectors_and_event(
    knowledge_base: KnowledgeBase,
) -> None:
    job = knowledge_base.put("descale.md", DESCALE, owner="olu", labels=["machines"])

    assert (job.outcome, job.passages, job.pages) == (Outcome.INDEXED, 1, None)
    document = knowledge_base.document("descale.md")
    assert (document.title, document.owner, document.labels) == ("Descaling", "olu", ["machines"])
    assert document.visibility == Visibility.INTERNAL
    [passage] = knowledge_base.passages("descale.md")
    text = knowledge_base.current_text("descale.md")
    assert passage.text == text
    assert (passage.ordinal, passage.start, passage.end) == (1, 0, len(text))
    assert passage.heading_path == ["Descaling"]
    assert knowledge_base.embedder.embedded == [f"Descaling\n{text.strip()}"]
    with knowledge_base.database.read() as session:
        event = session.scalars(select(Event)).one()
        assert (event.actor, event.action, event.subject) == (
            OWNER,
            "document:publish",
            document.id,
        )
        assert event.detail == {"version": 1, "sha256": job.sha256}
        embedding = session.scalars(select(Embedding)).one()
        assert (embedding.content_hash, len(embedding.vector)) == (passage.content_hash, 64 * 4)


def test_a_new_version_supersedes_the_one_before(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE)

    knowledge_base.put("descale.md", DESCALE.replace("citric acid", "vinegar"))

    assert knowledge_base.versions("descale.md") == [
        (1, VersionStatus.SUPERSEDED),
        (2, VersionStatus.CURRENT),
    ]
    assert "vinegar" in knowledge_base.current_text("descale.md")
    assert knowledge_base.actions() == ["document:publish"] * 2
    hits = knowledge_base.search("tank descaling programme")
    assert [hit.version.number for hit in hits] == [2]


def test_a_withdrawn_document_is_kept_but_has_no_current_version(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("descale.md", DESCALE)

    knowledge_base.withdraw("descale.md")

    assert knowledge_base.versions("descale.md") == [(1, VersionStatus.WITHDRAWN)]
    assert knowledge_base.found("descaling programme") == []
    assert knowledge_base.actions() == ["document:publish", "document:withdraw"]
    with knowledge_base.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Passage)) == 1


def test_withdrawing_twice_or_what_never_was_is_refused(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE)
    knowledge_base.withdraw("descale.md")

    for source in ("descale.md", "nothing.md"):
        with pytest.raises(UnknownDocumentError):
            knowledge_base.withdraw(source)

    assert knowledge_base.actions() == ["document:publish", "document:withdraw"]


def test_a_withdrawn_document_comes_back_as_its_next_version(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE)
    knowledge_base.withdraw("descale.md")

    job = knowledge_base.put("descale.md", DESCALE)

    assert job.outcome == Outcome.INDEXED
    assert knowledge_base.versions("descale.md") == [
        (1, VersionStatus.WITHDRAWN),
        (2, VersionStatus.CURRENT),
    ]
    assert knowledge_base.found("descaling programme") == ["descale.md"]


def test_who_may_see_a_document_changes_without_its_text(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE, visibility="public", labels=["machines"])
    embedded = len(knowledge_base.embedder.embedded)

    job = knowledge_base.put("descale.md", DESCALE, visibility="restricted")

    assert job.outcome == Outcome.UNCHANGED
    document = knowledge_base.document("descale.md")
    assert (document.visibility, document.labels) == (Visibility.RESTRICTED, ["machines"])
    assert knowledge_base.versions("descale.md") == [(1, VersionStatus.CURRENT)]
    assert len(knowledge_base.embedder.embedded) == embedded


def test_a_change_of_who_may_see_a_document_is_an_event(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE, visibility="public")

    knowledge_base.put("descale.md", DESCALE, visibility="restricted")
    knowledge_base.put("descale.md", DESCALE, labels=["secret"])
    knowledge_base.put("descale.md", DESCALE, labels=["secret"], visibility="restricted")

    assert knowledge_base.actions() == ["document:publish"] + ["document:describe"] * 2


def test_a_new_title_makes_a_new_version_of_the_same_text(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("1.txt", "Fill the tank with acid.", title="Descaling")

    renamed = knowledge_base.put("1.txt", "Fill the tank with acid.", title="Limescale removal")
    again = knowledge_base.put("1.txt", "Fill the tank with acid.", title="Limescale removal")

    assert (renamed.outcome, again.outcome) == (Outcome.INDEXED, Outcome.UNCHANGED)
    assert knowledge_base.document("1.txt").title == "Limescale removal"
    assert knowledge_base.embedder.embedded[-1] == "Limescale removal\nFill the tank with acid."


def test_what_an_upload_leaves_out_stays(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE, owner="olu", labels=["a"], url="https://kb/1")

    knowledge_base.put("descale.md", DESCALE + "\nRinse twice.\n")

    document = knowledge_base.document("descale.md")
    assert (document.owner, document.labels, document.url) == ("olu", ["a"], "https://kb/1")


def test_a_worker_that_lost_its_job_stores_nothing(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[store.Prepared] = []
    embed = pipeline._embed

    def keep(ingestion: Ingestion, ready: list[store.Prepared]) -> Mapping[str, bytes]:
        prepared.extend(ready)
        return embed(ingestion, ready)

    monkeypatch.setattr(pipeline, "_embed", keep)
    knowledge_base.put("descale.md", DESCALE)
    knowledge_base.put("descale.md", GRINDER)

    with knowledge_base.database.write() as session:
        store.add_version(session, prepared[0], {}, knowledge_base.embedder.fingerprint)

    assert "finer grind" in knowledge_base.current_text("descale.md")
    assert len(knowledge_base.versions("descale.md")) == 2


def test_documents_are_listed_by_title_with_their_newest_version(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("grinder.md", GRINDER)
    knowledge_base.put("descale.md", DESCALE)
    knowledge_base.put("descale.md", DESCALE + "\nRinse twice.\n")
    knowledge_base.withdraw("grinder.md")

    with knowledge_base.database.read() as session:
        entries = library.entries(session)
        known = library.entry(session, store.document_id("descale.md"), 1)
        passages = library.passages(session, known.version.id, 1, 10)

    assert [(e.document.title, e.version.number, e.version.status) for e in entries] == [
        ("Descaling", 2, "current"),
        ("Grinder", 1, "withdrawn"),
    ]
    assert (known.version.number, known.version.status) == (1, "superseded")
    assert "Rinse" not in "".join(passage.text for passage in passages)


def test_an_unknown_document_or_version_is_named(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("descale.md", DESCALE)
    known = store.document_id("descale.md")

    with knowledge_base.database.read() as session:
        for document_id, number in [("nothing", None), (known, 7)]:
            with pytest.raises(UnknownDocumentError) as caught:
                library.entry(session, document_id, number)
            assert caught.value.fields == {"document_id": document_id}


def test_changes_of_the_index_are_committed_in_the_order_of_their_numbers(
    postgresql_database: Database,
) -> None:
    """Or a reader who has seen the higher number would never look for the lower one."""
    begun, may_end = threading.Event(), threading.Event()
    seen: list[list[int]] = []

    def write(document_id: str) -> None:
        with postgresql_database.write() as session:
            document = add_document(session, document_id)
            version = session.get_one(Version, f"{document.id}.1")
            searchable.admit(session, Visibility.PUBLIC, version)
            begun.set()
            if document_id == "slow":
                may_end.wait(10)

    slow = threading.Thread(target=write, args=("slow",))
    slow.start()
    begun.wait(10)
    fast = threading.Thread(target=write, args=("fast",))
    fast.start()
    fast.join(0.3)
    with postgresql_database.read() as session:
        seen.append(list(session.scalars(select(IndexOperation.sequence))))
    may_end.set()
    slow.join()
    fast.join()

    assert seen == [[]]
    with postgresql_database.read() as session:
        operations = session.scalars(select(IndexOperation).order_by(IndexOperation.sequence))
        assert [operation.passage_id for operation in operations] == ["slow", "fast"]


def add_document(session: Session, document_id: str) -> Document:
    document = Document(
        id=document_id,
        source=document_id,
        title="T",
        owner="o",
        visibility=Visibility.PUBLIC,
    )
    session.add(document)
    session.flush()
    session.add(
        Version(
            id=f"{document_id}.1",
            document_id=document_id,
            number=1,
            sha256=document_id,
            status=VersionStatus.CURRENT,
            visibility=Visibility.INTERNAL,
            labels=[],
            title="T",
            file_name="t.md",
            media_type="text/markdown",
            parser="markdown",
            language="en",
            text="t",
            passages=1,
        )
    )
    session.flush()
    session.add(
        Passage(
            id=document_id,
            version_id=f"{document_id}.1",
            ordinal=1,
            heading_path=[],
            text="t",
            start=0,
            end=1,
            first_page=None,
            last_page=None,
            content_hash="h",
        )
    )
    session.flush()
    return document


def test_two_workers_take_the_same_bytes_in_once(knowledge_base: KnowledgeBase) -> None:
    queued = knowledge_base.submit(
        *(Upload(name, name, DESCALE.encode()) for name in ("one.md", "two.md"))
    )
    batches = [jobs.claim(knowledge_base.database, worker, 1) for worker in ("one", "two")]
    threads = [
        threading.Thread(target=ingest_documents, args=(knowledge_base.ingestion, batch))
        for batch in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    outcomes = sorted(str(knowledge_base.job(job.id).outcome) for job in queued)
    assert outcomes == ["duplicate", "indexed"]
