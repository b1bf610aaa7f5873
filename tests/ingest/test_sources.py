import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ingest import sources
from ingest.errors import CorruptDocumentError, DocumentTooLargeError, SourceNotFoundError
from ingest.sources import Upload
from ingest.tables import Job, JobState, Outcome
from tests.ingest.knowledge_base import KnowledgeBase


def read(*paths: Path, **details: Any) -> list[Upload]:
    return list(sources.uploads(paths, details))


def write_export(folder: Path, *lines: object) -> Path:
    file = folder / "export.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return file


def test_a_file_is_named_by_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"text")

    assert read(file, owner="olu") == [Upload("a.md", "a.md", b"text", {"owner": "olu"})]


def test_a_folder_is_read_in_the_order_of_names_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.md", "a/y/x.txt", "c.md", ".hidden.md", ".git/d.md", "a/.x/e.md"):
        path = tmp_path / "kb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)

    found = read(tmp_path / "kb")

    assert [upload.source for upload in found] == ["a/y/x.txt", "a/z.md", "b.md", "c.md"]
    assert [upload.file_name for upload in found] == ["x.txt", "z.md", "b.md", "c.md"]
    assert found[0].data == b"a/y/x.txt"


def test_a_folder_inside_a_hidden_folder_can_be_named(tmp_path: Path) -> None:
    folder = tmp_path / ".kb"
    folder.mkdir()
    (folder / "a.md").write_text("a")

    assert [upload.source for upload in read(folder)] == ["a.md"]


def test_a_path_that_is_not_there_is_an_upload_that_failed(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")

    missing, there = read(tmp_path / "none.md", tmp_path / "a.md")

    assert isinstance(missing.error, SourceNotFoundError)
    assert str(tmp_path / "none.md") in str(missing.error)
    assert there.error is None


def test_a_file_that_cannot_be_read_is_an_upload_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text("a")
    (tmp_path / "b.jsonl").write_text("{}")

    def refuse(*_arguments: object, **_options: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "open", refuse)

    found = read(tmp_path)

    assert [str(upload.error).partition("(")[2][:17] for upload in found] == [
        "Permission denied",
        "Permission denied",
    ]


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "big.pdf"
    file.touch()
    os.truncate(file, 30_000_000)

    [upload] = read(file)

    assert isinstance(upload.error, DocumentTooLargeError)
    assert upload.data == b""
    assert "25 MB" in str(upload.error)


def test_an_export_holds_a_document_on_each_line(tmp_path: Path) -> None:
    file = write_export(
        tmp_path,
        {"id": "h", "title": "H", "html": "<p>one</p>", "url": "https://kb/h", "more": 1},
        {"id": 17, "title": "M", "markdown": "# two", "labels": ["x", "y"]},
        "",
        {"id": "t", "title": "T", "text": "three ü"},
    )

    html, markdown, text = read(file, owner="olu", labels=["z"])

    assert html == Upload(
        "h",
        "h.html",
        b"<!doctype html><body><p>one</p></body>",
        {"owner": "olu", "labels": ["z"], "title": "H", "url": "https://kb/h"},
    )
    assert (markdown.source, markdown.file_name, markdown.data) == ("17", "17.md", b"# two")
    assert markdown.details["labels"] == ["x", "y"]
    assert (text.file_name, text.data) == ("t.txt", "three ü".encode())


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "null",
        '{"id": "a"}',
        '{"id": "a", "title": "A"}',
        '{"id": "a", "title": "A", "html": null}',
        '{"id": "a", "title": "A", "html": 7, "labels": "x"}',
        '{"title": "A", "html": "x"}',
        "[" * 100_000,
        '{"id": "a", "title": "A", "html": "cut off',
    ],
)
def test_a_bad_line_of_an_export_is_named_and_the_rest_goes_on(tmp_path: Path, line: str) -> None:
    good = {"id": "good", "title": "G", "text": "good"}
    file = write_export(tmp_path, good, line, {**good, "id": "also"})

    first, bad, last = read(file)

    assert (first.source, last.source) == ("good", "also")
    assert isinstance(bad.error, CorruptDocumentError)
    assert bad.error.fields["title"] == "export.jsonl line 2"
    assert bad.source == "export.jsonl line 2"


def test_an_export_may_begin_with_a_byte_order_mark_and_hold_bad_bytes(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": "a", "title": "A", "text": "caf\xe9"}\n')

    [upload] = read(file)

    assert (upload.error, upload.data) == (None, "caf\ufffd".encode())


def test_characters_that_no_database_keeps_do_not_stop_an_export(
    knowledge_base: KnowledgeBase, tmp_path: Path
) -> None:
    file = write_export(
        tmp_path,
        '{"id": "a\\u0000b", "title": "T\\u0000 \\ud800", "text": "one \\ud800 two \\u0000 three",'
        ' "url": "https://kb/\\u0000", "labels": ["x\\u0000"]}',
    )

    [job] = knowledge_base.submit(*read(file))
    knowledge_base.work()

    assert knowledge_base.job(job.id).outcome == Outcome.INDEXED
    document = knowledge_base.document("ab")
    assert (document.title, document.url, document.labels) == (
        "T \\ud800",
        "https://kb/",
        ["x"],
    )


@pytest.mark.parametrize(
    "name",
    [
        "with space.md",
        "ümläut und 日本語.md",
        "quote'\"`$(rm -rf).md",
        "line\nbreak.md",
        "-rf.md",
        "%s{title}.md",
        "a" * 200 + ".md",
        "emoji 🫖.md",
    ],
)
def test_odd_file_names_are_taken_in_as_they_are(
    knowledge_base: KnowledgeBase, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("Fill the tank with acid.")

    [job] = knowledge_base.submit(*read(tmp_path / name))
    knowledge_base.work()

    assert knowledge_base.job(job.id).outcome == Outcome.INDEXED
    assert knowledge_base.found("tank acid") == [name]


def test_a_file_name_that_turns_letters_round_is_taken_in_and_not_searched(
    knowledge_base: KnowledgeBase, tmp_path: Path
) -> None:
    name = "RIGHT\u202eTO LEFT.md"
    (tmp_path / name).write_text("Fill the tank with acid.")

    [job] = knowledge_base.submit(*read(tmp_path / name))
    knowledge_base.work()

    assert knowledge_base.job(job.id).outcome == Outcome.INDEXED
    assert knowledge_base.document(name).title
    assert knowledge_base.found("tank acid") == []


def test_file_names_that_are_not_utf8_stay_apart(
    knowledge_base: KnowledgeBase, tmp_path: Path
) -> None:
    folder = os.fsencode(tmp_path / "kb")
    Path(os.fsdecode(folder)).mkdir()
    for name, text in [(b"caf\xe9.md", "Coffee of one kind."), (b"caf\xe8.md", "Another coffee.")]:
        Path(os.fsdecode(folder + b"/" + name)).write_text(text)

    queued = knowledge_base.submit(*read(Path(os.fsdecode(folder))))
    knowledge_base.work()

    assert [knowledge_base.job(job.id).outcome for job in queued] == [Outcome.INDEXED] * 2
    assert sorted(knowledge_base.found("coffee")) == ["caf\\udce8.md", "caf\\udce9.md"]


def test_an_unchanged_file_is_answered_at_once(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", "Fill the tank.")

    [job] = knowledge_base.submit(Upload("a.md", "a.md", b"Fill the tank."))

    assert (job.state, job.outcome, job.passages) == (JobState.DONE, Outcome.UNCHANGED, 1)


def test_a_duplicate_is_answered_at_once_and_names_the_first(
    knowledge_base: KnowledgeBase,
) -> None:
    first = knowledge_base.put("a.md", "# Tank\n\nFill the tank.")

    [job] = knowledge_base.submit(Upload("b.md", "b.md", b"# Tank\n\nFill the tank."))

    assert (job.state, job.outcome) == (JobState.DONE, Outcome.DUPLICATE)
    assert job.document_id == first.document_id
    assert job.error_fields == {
        "title": "b.md",
        "other_title": "Tank",
        "other_id": first.document_id,
    }


def test_nothing_is_answered_at_once_while_an_older_upload_of_the_source_waits(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", "one")
    knowledge_base.submit(Upload("a.md", "a.md", b"two"))

    [back] = knowledge_base.submit(Upload("a.md", "a.md", b"one"))
    knowledge_base.work()

    assert back.state == JobState.QUEUED
    assert knowledge_base.current_text("a.md").strip() == "one"
    assert len(knowledge_base.versions("a.md")) == 3


def test_the_last_upload_of_a_source_in_one_batch_wins(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", "one")

    knowledge_base.submit(
        Upload("a.md", "a.md", b"two"), Upload("b.md", "b.md", b"x"), Upload("a.md", "a.md", b"one")
    )
    knowledge_base.work()

    assert knowledge_base.current_text("a.md").strip() == "one"


def test_a_failed_upload_is_a_finished_job_that_says_why(knowledge_base: KnowledgeBase) -> None:
    error = SourceNotFoundError(path="none.md")

    [job] = knowledge_base.submit(Upload("none.md", "none.md", b"", error=error))

    assert (job.state, job.outcome, job.error_code) == (
        JobState.DONE,
        Outcome.FAILED,
        "source_not_found",
    )


def test_a_thousand_files_are_queued_within_seconds(knowledge_base: KnowledgeBase) -> None:
    items = [Upload(f"{n}.md", f"{n}.md", b"text %d" % n) for n in range(1_000)]

    ids = sources.submit(knowledge_base.database, knowledge_base.ingestion.files, items, "olu")

    with knowledge_base.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1_000
        # In order: the first upload is the oldest job.
        oldest = session.scalars(select(Job.id).order_by(Job.created_at, Job.id).limit(3))
        assert list(oldest) == ids[:3]
