import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from docx import Document as DocxDocument
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ingest import jobs, sources
from ingest.access import Scope
from ingest.db import Database, now
from ingest.events import broken_links
from ingest.messages import catalogue
from ingest.parse import sandbox
from ingest.parse.parsed import ParsedDocument
from ingest.pipeline import Ingestion, ingest_documents, rebuild_index
from ingest.sources import Upload
from ingest.tables import Embedding, Job, JobState, Outcome, VersionStatus, Visibility
from ingest.vectors import content_hash
from tests.fakes import HashEmbedder
from tests.ingest.knowledge_base import WORKER, KnowledgeBase

TOPICS = ["descaling", "grinding", "brewing", "cleaning", "warranty", "shipping"]


def manual(**changes: str) -> str:
    """Write a document with a section for each topic, each long enough to be a passage."""
    return "# Manual\n\n" + "\n\n".join(
        f"## {topic.title()}\n\n" + changes.get(topic, f"All about {topic} in some detail. " * 16)
        for topic in TOPICS
    )


def pdf(*lines: str, password: str = "") -> bytes:
    buffer = io.BytesIO()
    encrypt = StandardEncryption(password, canPrint=0) if password else None
    canvas = Canvas(buffer, encrypt=encrypt)
    for line in lines:
        canvas.drawString(72, 700, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def docx(text: str) -> bytes:
    buffer = io.BytesIO()
    document = DocxDocument()
    document.add_paragraph(text)
    document.save(buffer)
    return buffer.getvalue()


def sentence_of(job: Job) -> str:
    """Return what a person reads about a failed job."""
    assert job.error_code is not None
    entry = catalogue("ingest", "en")[job.error_code]
    return f"{entry['message']} {entry['hint']}".format(**job.error_fields)


@pytest.mark.parametrize(
    ("name", "data", "pages"),
    [
        ("a.md", b"# Pump\n\nThe zebra pump is loud.", None),
        ("a.txt", b"The zebra pump is loud.", None),
        ("a.html", b"<!doctype html><title>P</title><p>The zebra pump is loud.</p>", None),
        ("a.docx", docx("The zebra pump is loud."), None),
        ("a.pdf", pdf("The machine is silent.", "The zebra pump is loud."), 2),
    ],
)
def test_every_format_becomes_searchable(
    knowledge_base: KnowledgeBase, name: str, data: bytes, pages: int | None
) -> None:
    job = knowledge_base.put(name, data)

    assert (job.outcome, job.pages) == (Outcome.INDEXED, pages)
    assert knowledge_base.found("zebra pump") == [name]
    assert knowledge_base.document(name).id == job.document_id


def test_passages_lie_on_their_pages(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.pdf", pdf("The machine is silent.", "The zebra pump is loud."))

    [passage] = knowledge_base.passages("a.pdf")

    assert (passage.first_page, passage.last_page) == (1, 2)


def test_passages_join_back_to_the_document(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("manual.md", manual())

    passages = knowledge_base.passages("manual.md")

    assert len(passages) == len(TOPICS)
    text = knowledge_base.current_text("manual.md")
    assert "".join(passage.text for passage in passages) == text
    assert [passage.text for passage in passages] == [text[p.start : p.end] for p in passages]
    assert passages[1].heading_path == ["Manual", "Grinding"]


def test_an_unchanged_document_is_not_read_again(knowledge_base: KnowledgeBase) -> None:
    first = knowledge_base.put("manual.md", manual())
    batches = len(knowledge_base.embedder.batches)

    second = knowledge_base.put("manual.md", manual())

    assert (second.outcome, second.passages) == (Outcome.UNCHANGED, first.passages)
    assert second.document_id == first.document_id
    assert len(knowledge_base.embedder.batches) == batches
    assert knowledge_base.versions("manual.md") == [(1, VersionStatus.CURRENT)]


def test_of_a_new_version_only_new_passages_are_embedded(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("manual.md", manual())
    before = len(knowledge_base.embedder.embedded)

    knowledge_base.put("manual.md", manual(brewing="Brew with a zebra. " * 20))

    assert before == len(TOPICS)
    assert [text.split("\n")[0] for text in knowledge_base.embedder.embedded[before:]] == [
        "Manual > Brewing"
    ]
    assert knowledge_base.versions("manual.md") == [
        (1, VersionStatus.SUPERSEDED),
        (2, VersionStatus.CURRENT),
    ]
    assert "zebra" in knowledge_base.search("brew zebra")[0].passage.text


def test_a_version_that_comes_back_is_not_embedded_again(knowledge_base: KnowledgeBase) -> None:
    for text in (manual(), manual(brewing="Brew with a zebra. " * 20)):
        knowledge_base.put("manual.md", text)
    embedded = len(knowledge_base.embedder.embedded)

    knowledge_base.put("manual.md", manual())

    assert len(knowledge_base.embedder.embedded) == embedded
    assert [number for number, _ in knowledge_base.versions("manual.md")] == [1, 2, 3]


def test_the_texts_of_a_batch_are_embedded_together_and_each_once(
    knowledge_base: KnowledgeBase,
) -> None:
    same = "Turn it off and on again. " * 30
    items = [Upload(n, n, f"# Help\n\n{same}\n\n## Of {n}\n\n{n} {same}".encode()) for n in "abcd"]

    knowledge_base.submit(*items)
    knowledge_base.work()

    [batch] = knowledge_base.embedder.batches
    assert len(batch) == len(set(batch))
    with knowledge_base.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Embedding)) == len(batch)


def test_a_duplicate_is_refused_and_names_the_first(knowledge_base: KnowledgeBase) -> None:
    items = [Upload(name, name, b"# Pump\n\nThe pump is loud.") for name in ("one.md", "two.md")]

    queued = knowledge_base.submit(*items)
    knowledge_base.work()

    first, second = knowledge_base.jobs([job.id for job in queued])
    assert (first.outcome, second.outcome) == (Outcome.INDEXED, Outcome.DUPLICATE)
    assert second.document_id == first.document_id
    assert "already in the knowledge base as “Pump”" in sentence_of(second)
    assert knowledge_base.found("pump") == ["one.md"]


def test_the_copy_of_a_withdrawn_document_is_taken_in(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("one.md", "The pump is loud.")
    knowledge_base.withdraw("one.md")

    assert knowledge_base.put("two.md", "The pump is loud.").outcome == Outcome.INDEXED
    assert knowledge_base.found("pump") == ["two.md"]


def test_a_withdrawn_document_is_never_retrieved(knowledge_base: KnowledgeBase) -> None:
    for name in ("one", "two"):
        knowledge_base.put(f"{name}.md", f"The zebra pump of {name}.")
    rebuild_index(knowledge_base.ingestion)
    assert sorted(knowledge_base.found("zebra pump")) == ["one.md", "two.md"]

    knowledge_base.withdraw("one.md")

    assert knowledge_base.found("zebra pump of one") == ["two.md"]


def test_a_document_made_restricted_disappears_for_others_at_once(
    knowledge_base: KnowledgeBase,
) -> None:
    public = Scope(frozenset({Visibility.PUBLIC}))
    knowledge_base.put("a.md", "The zebra pump.", visibility="public")
    rebuild_index(knowledge_base.ingestion)
    assert knowledge_base.found("zebra pump", scope=public) == ["a.md"]

    [job] = knowledge_base.submit(
        Upload(
            "a.md", "a.md", b"The zebra pump.", {"visibility": "restricted", "labels": ["board"]}
        )
    )

    assert job.outcome == Outcome.UNCHANGED
    assert knowledge_base.found("zebra pump", scope=public) == []
    assert knowledge_base.found("zebra pump", scope=Scope.of_staff(frozenset())) == []
    board = Scope.of_staff(frozenset({"board"}))
    assert knowledge_base.found("zebra pump", scope=board) == ["a.md"]


def test_a_document_made_public_appears_for_others_at_once(knowledge_base: KnowledgeBase) -> None:
    public = Scope(frozenset({Visibility.PUBLIC}))
    knowledge_base.put("a.md", "The zebra pump.")
    rebuild_index(knowledge_base.ingestion)
    assert knowledge_base.found("zebra pump", scope=public) == []

    knowledge_base.put("a.md", "The zebra pump.", visibility="public")

    assert knowledge_base.found("zebra pump", scope=public) == ["a.md"]


def test_what_cannot_be_read_fails_with_a_sentence_and_the_rest_goes_on(
    knowledge_base: KnowledgeBase,
) -> None:
    items = {
        "first.md": b"The zebra pump.",
        "locked.pdf": pdf("secret", password="x"),
        "empty.md": b"",
        "blank.txt": b" \n\n ",
        "scan.pdf": pdf(""),
        "program.exe": b"MZ\x90\x00\x03" + bytes(200),
        "torn.docx": docx("text")[:2_000],
        "last.md": b"The zebra hose.",
    }

    queued = knowledge_base.submit(*(Upload(name, name, data) for name, data in items.items()))
    knowledge_base.work()

    done = {job.source: job for job in knowledge_base.jobs([job.id for job in queued])}
    assert {name: job.error_code for name, job in done.items()} == {
        "first.md": None,
        "locked.pdf": "encrypted_document",
        "empty.md": "empty_document",
        "blank.txt": "empty_document",
        "scan.pdf": "no_text",
        "program.exe": "unsupported_media_type",
        "torn.docx": "corrupt_document",
        "last.md": None,
    }
    assert sentence_of(done["locked.pdf"]) == (
        "locked.pdf: the file is protected by a password."
        " Save a copy without the password and upload that."
    )
    failed = [job for job in done.values() if job.error_code]
    assert {job.outcome for job in failed} == {Outcome.FAILED}
    assert all(sentence_of(job).startswith(job.source) for job in failed)
    assert sorted(knowledge_base.found("zebra")) == ["first.md", "last.md"]


def test_a_version_that_fails_leaves_the_one_before_in_place(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", "The zebra pump.")

    job = knowledge_base.put("a.md", b"MZ\x90\x00\x03" + bytes(200))

    assert job.outcome == Outcome.FAILED
    assert knowledge_base.found("zebra pump") == ["a.md"]


def test_an_export_is_taken_in_line_by_line(knowledge_base: KnowledgeBase, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "h", "title": "Pumps", "html": "<p>The zebra pump.</p>"}),
        "{broken",
        json.dumps({"id": "e", "title": "Empty", "html": ""}),
        json.dumps({"id": "t", "title": "Hoses", "text": "The zebra hose.", "labels": ["x"]}),
    ]
    (tmp_path / "export.jsonl").write_text("\n".join(lines))

    queued = knowledge_base.submit(*sources.uploads([tmp_path / "export.jsonl"], {}))
    knowledge_base.work()

    done = knowledge_base.jobs([job.id for job in queued])
    assert [(job.source, job.outcome) for job in done] == [
        ("h", Outcome.INDEXED),
        ("export.jsonl line 2", Outcome.FAILED),
        ("e", Outcome.FAILED),
        ("t", Outcome.INDEXED),
    ]
    assert "export.jsonl line 2" in sentence_of(done[1])
    assert knowledge_base.document("h").title == "Pumps"
    assert knowledge_base.document("t").labels == ["x"]


def test_the_job_of_a_worker_that_died_is_finished_by_another(
    knowledge_base: KnowledgeBase,
) -> None:
    [queued] = knowledge_base.submit(Upload("a.md", "a.md", b"The zebra pump."))
    jobs.claim(knowledge_base.database, "dead", 16)
    knowledge_base.work()
    assert knowledge_base.job(queued.id).state == JobState.RUNNING

    with knowledge_base.database.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Job).where(Job.id == queued.id).values(lease_until=past))
    knowledge_base.work("alive")

    assert knowledge_base.job(queued.id).outcome == Outcome.INDEXED
    assert knowledge_base.job(queued.id).worker == "alive"
    assert knowledge_base.found("zebra pump") == ["a.md"]


def test_a_worker_that_comes_back_too_late_changes_nothing(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.submit(Upload("a.md", "a.md", b"The old pump."))
    slow = jobs.claim(knowledge_base.database, "slow", 16)
    with knowledge_base.database.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Job).values(lease_until=past))
    knowledge_base.work("fast")
    knowledge_base.put("a.md", "The new pump.")

    ingest_documents(knowledge_base.ingestion, slow)

    assert knowledge_base.current_text("a.md").strip() == "The new pump."
    assert knowledge_base.job(slow[0].id).outcome == Outcome.INDEXED


def test_progress_is_shown_while_texts_are_embedded(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[tuple[str, list[tuple[int, int]]]] = []
    report = jobs.report

    def listen(database: Database, stage: str, progress: dict[str, tuple[int, int]]) -> None:
        reports.append((stage, list(progress.values())))
        report(database, stage, progress)

    monkeypatch.setattr(jobs, "report", listen)
    monkeypatch.setattr("ingest.pipeline.REPORT_SECONDS", 0.0)

    knowledge_base.put("manual.md", manual())

    assert [entry for at, entry in enumerate(reports) if entry not in reports[:at]] == [
        ("reading", [(0, 0)]),
        ("embedding", [(6, 6)]),
    ]


def test_another_model_is_embedded_by_rebuilding_the_index(knowledge_base: KnowledgeBase) -> None:
    from ingest.index.exact import ExactIndex
    from ingest.index.served import ServedIndex

    knowledge_base.put("manual.md", manual())
    old = knowledge_base.ingestion
    embedder = HashEmbedder("another-model")
    index = ServedIndex(old.database, ExactIndex(), embedder.fingerprint)
    renewed = KnowledgeBase(
        Ingestion(old.database, old.files, embedder, index, old.weights), embedder
    )

    state = rebuild_index(renewed.ingestion)

    assert (state.passages, state.delta, state.model) == (len(TOPICS), 0, "another-model")
    assert sorted(embedder.embedded) == sorted(knowledge_base.embedder.embedded)
    assert renewed.search("grinding")[0].passage.heading_path == ["Manual", "Grinding"]
    rebuild_index(renewed.ingestion)
    assert len(embedder.embedded) == len(TOPICS)


def test_each_step_leaves_the_audit_trail_whole(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", "The zebra pump.")
    knowledge_base.put("a.md", "The zebra hose.")
    knowledge_base.put("a.md", "The zebra hose.", visibility="public")
    knowledge_base.withdraw("a.md")

    assert knowledge_base.actions() == [
        "document:publish",
        "document:publish",
        "document:describe",
        "document:withdraw",
    ]
    with knowledge_base.database.read() as session:
        assert list(broken_links(session)) == []


def test_nothing_is_left_behind_when_storing_is_cut_off(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    [queued] = knowledge_base.submit(Upload("a.md", "a.md", b"The zebra pump."))
    with monkeypatch.context() as patch:
        patch.setattr("ingest.store.record", fail)
        with pytest.raises(SystemError):
            knowledge_base.work()

    assert knowledge_base.versions("a.md") == []
    assert knowledge_base.found("zebra pump") == []
    assert knowledge_base.job(queued.id).state == JobState.RUNNING

    jobs.release(knowledge_base.database, WORKER)
    knowledge_base.work()

    assert knowledge_base.versions("a.md") == [(1, VersionStatus.CURRENT)]
    assert knowledge_base.found("zebra pump") == ["a.md"]


def fail(*_arguments: object) -> None:
    raise SystemError


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pipeline ask after every step whether its jobs are still wanted."""
    monkeypatch.setattr("ingest.pipeline.REPORT_SECONDS", 0.0)


def end(base: KnowledgeBase, *queued: Job, how: Callable[[Session, list[str]], None]) -> None:
    with base.database.write() as session:
        how(session, [job.id for job in queued])


class SteppingEmbedder(HashEmbedder):
    """Embeds one text after the other, and calls `before` first."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.before: Callable[[], None] = lambda: None

    def encode(self, texts: Any, on_progress: Any = None) -> Any:
        if isinstance(texts, str):
            return super().encode(texts)
        self.before()
        for index in range(len(texts)):
            self.begun += 1
            on_progress([index])
        return super().encode(texts, lambda _: None)


@pytest.fixture
def stepping(knowledge_base: KnowledgeBase) -> tuple[KnowledgeBase, SteppingEmbedder]:
    embedder = SteppingEmbedder()
    renewed = replace(knowledge_base.ingestion, embedder=embedder)
    return KnowledgeBase(renewed, embedder), embedder


def uploads_of(*names: str) -> list[Upload]:
    return [Upload(name, name, f"All about the {name}.".encode()) for name in names]


@pytest.mark.parametrize("how", [jobs.cancel, jobs.pause])
@pytest.mark.usefixtures("eager")
def test_of_a_batch_the_document_that_is_called_off_is_not_stored(
    stepping: tuple[KnowledgeBase, SteppingEmbedder], how: Callable[[Session, list[str]], None]
) -> None:
    base, embedder = stepping
    first, second, third = base.submit(*uploads_of("a.md", "b.md", "c.md"))
    embedder.before = lambda: end(base, second, how=how)

    base.work()

    outcomes = [base.job(job.id).outcome for job in (first, third)]
    assert outcomes == [Outcome.INDEXED, Outcome.INDEXED]
    assert base.versions("b.md") == []
    assert sorted(base.found("all about")) == ["a.md", "c.md"]
    assert base.actions() == ["document:publish"] * 2
    with base.database.read() as session:
        kept = set(session.scalars(select(Embedding.content_hash)))
    assert len(kept) == 2
    assert content_hash("b\nAll about the b.md.") not in kept


@pytest.mark.parametrize("how", [jobs.cancel, jobs.pause])
@pytest.mark.usefixtures("eager")
def test_embedding_stops_at_once_when_nobody_waits_for_it_any_more(
    stepping: tuple[KnowledgeBase, SteppingEmbedder], how: Callable[[Session, list[str]], None]
) -> None:
    base, embedder = stepping
    queued = base.submit(*uploads_of("a.md", "b.md", "c.md"))
    embedder.before = lambda: end(base, *queued, how=how)

    base.work()

    assert (embedder.begun, embedder.batches) == (1, [])
    assert base.found("all about") == []
    assert {base.job(job.id).stage for job in queued} <= {"done", "waiting"}


@pytest.mark.usefixtures("eager")
def test_a_document_that_was_paused_at_work_begins_anew_when_it_is_resumed(
    stepping: tuple[KnowledgeBase, SteppingEmbedder],
) -> None:
    base, embedder = stepping
    [queued] = base.submit(*uploads_of("a.md"))
    embedder.before = lambda: end(base, queued, how=jobs.pause)
    base.work()
    resting = base.job(queued.id)
    embedder.before = lambda: None

    end(base, queued, how=jobs.resume)
    base.work()

    assert (resting.state, resting.stage, resting.worker) == (JobState.PAUSED, "waiting", None)
    assert base.job(queued.id).outcome == Outcome.INDEXED
    assert base.versions("a.md") == [(1, VersionStatus.CURRENT)]


@pytest.mark.usefixtures("eager")
def test_reading_stops_when_the_upload_is_cancelled(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = knowledge_base.submit(*uploads_of("a.md", "b.md"))
    read: list[str] = []

    def parse_file(path: Path, name: str, watch: Callable[[int, int], None]) -> ParsedDocument:
        read.append(name)
        if name == "a.md":
            end(knowledge_base, queued[0], how=jobs.cancel)
            watch(0, 1)
            read.append("went on")
        return sandbox.parse_file(path, name, watch=watch)

    monkeypatch.setattr("ingest.pipeline.parse_file", parse_file)
    knowledge_base.work()

    assert read == ["a.md", "b.md"]
    assert [knowledge_base.job(job.id).outcome for job in queued] == ["cancelled", "indexed"]
    assert knowledge_base.found("all about") == ["b.md"]


def test_what_a_cancelled_upload_says_of_a_document_does_not_count(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", "The pump.", visibility="public")
    older, newer = knowledge_base.submit(
        Upload("a.md", "a.md", b"The hose."),
        Upload("a.md", "a.md", b"The pump.", {"visibility": "restricted", "labels": ["x"]}),
    )
    end(knowledge_base, older, how=jobs.cancel)
    claimed = jobs.claim(knowledge_base.database, WORKER, 16)
    end(knowledge_base, newer, how=jobs.cancel)

    ingest_documents(knowledge_base.ingestion, claimed)

    assert [job.id for job in claimed] == [newer.id]
    assert knowledge_base.document("a.md").visibility == Visibility.PUBLIC
    assert knowledge_base.actions() == ["document:publish"]


def test_a_failure_that_comes_too_late_is_not_that_of_the_worker_who_took_over(
    knowledge_base: KnowledgeBase,
) -> None:
    [queued] = knowledge_base.submit(Upload("a.exe", "a.exe", b"MZ\x90\x00\x03" + bytes(200)))
    slow = jobs.claim(knowledge_base.database, "slow", 16)
    with knowledge_base.database.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Job).values(lease_until=past))
    jobs.claim(knowledge_base.database, "fast", 16)

    ingest_documents(knowledge_base.ingestion, slow)

    kept = knowledge_base.job(queued.id)
    assert (kept.state, kept.worker, kept.error_code) == (JobState.RUNNING, "fast", None)


def test_one_document_of_a_batch_that_became_a_duplicate_does_not_undo_the_others(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.submit(
        *uploads_of("a.md"),
        Upload("same.md", "same.md", b"All about the a.md."),
        *uploads_of("c.md"),
    )

    knowledge_base.work()

    assert sorted(knowledge_base.found("all about")) == ["a.md", "c.md"]
    assert knowledge_base.actions() == ["document:publish"] * 2
