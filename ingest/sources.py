"""Where documents come from: files, folders, help-centre exports, the browser."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest import jobs
from ingest.access import Scope
from ingest.db import Database, storable
from ingest.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    DuplicateDocumentError,
    ForbiddenDocumentError,
    IngestError,
    NoRoomError,
    SourceNotFoundError,
)
from ingest.files import FileStore
from ingest.parse.registry import MAX_FILE_BYTES
from ingest.store import current_documents, end_if_unchanged
from ingest.tables import Job, JobState

NO_BYTES = hashlib.sha256(b"").hexdigest()


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
    try:
        if file.suffix.lower() == ".jsonl":
            yield from _export(file, details)
        elif file.stat().st_size > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1_000_000
            too_large = DocumentTooLargeError(title=file.name, limit_mb=limit)
            yield Upload(source, file.name, b"", details, too_large)
        else:
            yield Upload(source, file.name, file.read_bytes(), details)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        problem = CorruptDocumentError(title=file.name, reason=reason)
        yield Upload(source, file.name, b"", details, problem)


def _export(file: Path, details: dict[str, Any]) -> Iterator[Upload]:
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield _line(file.name, number, text, details)


def _line(name: str, number: int, text: str, details: dict[str, Any]) -> Upload:
    place = f"{name} line {number}"
    try:
        line = ExportLine.model_validate(json.loads(text))
    except (ValueError, RecursionError) as error:
        reason = "not a document with id, title and html, markdown or text"
        problem = CorruptDocumentError(title=place, reason=reason)
        problem.__cause__ = error
        return Upload(place, place, b"", details, problem)
    ending, content = line.content
    given = {"title": line.title, "url": line.url}
    if line.labels is not None:
        given["labels"] = line.labels  # type: ignore[assignment]
    return Upload(line.id, f"{line.id}.{ending}", storable(content).encode(), {**details, **given})


def submit(
    database: Database,
    files: FileStore,
    items: Iterable[Upload],
    actor: str,
    scope: Scope | None = None,
) -> list[str]:
    """Keep the bytes of uploads and make a job for each; returns the jobs' ids in order.

    Without a scope, as for the desk itself, any document may be replaced. What can be answered at
    once, an unchanged file or a duplicate, is. From the return on nothing is lost: a worker takes
    the other jobs up, after any kill.

    Raises:
        NoRoomError: The bytes could not be kept; nothing was taken in.
    """
    # The bytes are on disk then and leave the memory, one upload after the other.
    try:
        with files.writing() as put:
            made = [(_job(item, put(item.data), actor), item.error) for item in items]
    except OSError as fault:
        raise NoRoomError(reason=fault.strerror or str(fault)) from fault
    for job, _ in made:
        job.reader_labels = None if scope is None else sorted(scope.labels or ())
    with database.write() as session:
        # While an older upload of a source waits, nobody knows yet what will be unchanged.
        waiting = set(session.scalars(select(Job.source).where(Job.state != JobState.DONE)))
        known = current_documents(session, [job.source for job, _ in made])
        for job, error in made:
            session.add(job)
            current = known.get(job.source)
            if error is not None:
                session.flush()
                jobs.fail(session, job.id, error)
            elif job.source in waiting:
                continue
            elif current and current.is_told_again_by(job):
                jobs.end_unchanged(job, current.document.id, current.passages, current.pages)
            elif not _is_answered(session, job):
                waiting.add(job.source)
    return [job.id for job, _ in made]


def is_retryable(job: Job) -> bool:
    """Tell whether the bytes of an upload are here, so that it can be tried again."""
    return job.sha256 != NO_BYTES


def _job(item: Upload, sha256: str, actor: str) -> Job:
    return Job(
        source=storable(item.source),
        sha256=sha256,
        file_name=storable(item.file_name),
        actor=actor,
        details={name: _storable(value) for name, value in item.details.items()},
    )


def _storable(value: Any) -> Any:
    if isinstance(value, list):
        return [storable(entry) for entry in value]
    return storable(value) if isinstance(value, str) else value


def _is_answered(session: Session, job: Job) -> bool:
    session.flush()
    try:
        return end_if_unchanged(session, job)
    except (DuplicateDocumentError, ForbiddenDocumentError) as error:
        jobs.fail(session, job.id, error)
        return True
