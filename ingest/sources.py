"""Where documents come from: files, folders, help-centre exports, the browser."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest import jobs
from ingest.db import Database
from ingest.errors import (
    CorruptDocumentError,
    DuplicateDocumentError,
    IngestError,
    SourceNotFoundError,
)
from ingest.files import FileStore
from ingest.store import end_if_unchanged
from ingest.tables import Job, JobState


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that are to become a document, or the reason why they cannot.

    `details` may hold title, owner, visibility, labels and url; what is absent stays as it was.
    """

    source: str
    file_name: str
    data: bytes
    details: dict[str, Any] = field(default_factory=dict)
    error: IngestError | None = None


class ExportLine(BaseModel):
    """One document of a help-centre export."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str
    title: str
    html: str | None = None
    markdown: str | None = None
    text: str | None = None
    url: str | None = None
    labels: list[str] | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "ExportLine":
        if self.html is None and self.markdown is None and self.text is None:
            message = "one of html, markdown or text is needed"
            raise ValueError(message)
        return self

    @property
    def content(self) -> tuple[str, str]:
        """Return (file name ending, text)."""
        if self.html is not None:
            # The name of an export's field is a promise that bare fragments cannot make.
            return "html", f"<!doctype html><body>{self.html}</body>"
        if self.markdown is not None:
            return "md", self.markdown
        return "txt", self.text or ""


def uploads(paths: Sequence[Path], details: dict[str, Any]) -> Iterator[Upload]:
    """Read files, folders (in name order, hidden files apart) and `.jsonl` exports."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
                if file.is_file() and not hidden:
                    yield from _read(file, file.relative_to(path).as_posix(), details)
        elif path.is_file():
            yield from _read(path, path.name, details)
        else:
            yield Upload(str(path), path.name, b"", error=SourceNotFoundError(path=path))


def _read(file: Path, source: str, details: dict[str, Any]) -> Iterator[Upload]:
    if file.suffix.lower() == ".jsonl":
        yield from _export(file, details)
        return
    try:
        yield Upload(source, file.name, file.read_bytes(), details)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        problem = CorruptDocumentError(title=file.name, reason=reason)
        yield Upload(source, file.name, b"", details, problem)


def _export(file: Path, details: dict[str, Any]) -> Iterator[Upload]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield _line(file.name, number, text, details)


def _line(name: str, number: int, text: str, details: dict[str, Any]) -> Upload:
    place = f"{name} line {number}"
    try:
        line = ExportLine.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        reason = "not a document with id, title and html, markdown or text"
        problem = CorruptDocumentError(title=place, reason=reason)
        problem.__cause__ = error
        return Upload(place, place, b"", details, problem)
    ending, content = line.content
    given = {"title": line.title, "url": line.url}
    if line.labels is not None:
        given["labels"] = line.labels  # type: ignore[assignment]
    return Upload(line.id, f"{line.id}.{ending}", content.encode(), {**details, **given})


def submit(database: Database, files: FileStore, items: Iterable[Upload], actor: str) -> list[str]:
    """Keep the bytes of uploads and make a job for each; returns the jobs' ids in order.

    What can be answered at once, an unchanged file or a duplicate, is answered at once. From the
    return on nothing is lost: a worker takes the other jobs up, after any kill.
    """
    made = [(item, _job(item, files, actor)) for item in items]
    with database.write() as session:
        session.add_all(job for _, job in made)
        session.flush()
        for item, job in made:
            _answer_at_once(session, item, job)
    return [job.id for _, job in made]


def _job(item: Upload, files: FileStore, actor: str) -> Job:
    return Job(
        source=item.source,
        sha256=files.put(item.data),
        file_name=item.file_name,
        actor=actor,
        details=item.details,
    )


def _answer_at_once(session: Session, item: Upload, job: Job) -> None:
    if item.error is not None:
        jobs.fail(session, job.id, item.error)
        return
    # While an older upload of this source waits, nobody knows yet what will be unchanged.
    waiting = select(Job.id).where(
        Job.source == job.source, Job.state != JobState.DONE, Job.id != job.id
    )
    if session.scalar(waiting.limit(1)) is not None:
        return
    try:
        end_if_unchanged(session, job)
    except DuplicateDocumentError as error:
        jobs.fail(session, job.id, error)
