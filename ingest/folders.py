"""Keeping the documents of a folder in step with its files, told by their hashes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest import life
from ingest.db import Database, storable
from ingest.errors import EmptyFolderError, SourceNotFoundError
from ingest.sources import Upload, uploads
from ingest.tables import Document, Version, VersionStatus


@dataclass(frozen=True, slots=True)
class Move:
    """A document whose file has another name now."""

    document_id: str
    source: str
    to: str


@dataclass(slots=True)
class Plan:
    """What a synchronisation would do, by source; moves before uploads, removals last.

    Conflicts are files whose name is that of a document of another folder; they stay untouched.
    """

    folder: str
    add: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    move: list[Move] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    conflict: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def uploaded(self) -> frozenset[str]:
        """Return the sources whose files have to be taken in."""
        return frozenset([*self.add, *self.change])


@dataclass(frozen=True, slots=True)
class Known:
    """A document that has a current version."""

    document: Document
    sha256: str
    title: str


def plan(database: Database, folder: Path) -> Plan:
    """Hold a folder against the documents that came from it; changes nothing.

    Raises:
        SourceNotFoundError: There is no such folder.
        EmptyFolderError: It holds no file, which is more often an unmounted disk than an intent.
    """
    if not folder.is_dir():
        raise SourceNotFoundError(path=folder)
    files = {storable(item.source): _seen(item) for item in uploads([folder], {})}
    if not files:
        raise EmptyFolderError(path=folder)
    with database.read() as session:
        return _plan(session, str(folder.resolve()), files)


def move_documents(database: Database, moves: Sequence[Move], actor: str) -> None:
    """Let documents follow their files to their new names."""
    with database.write() as session:
        for move in moves:
            document = session.get_one(Document, move.document_id)
            life.move_document(session, document, move.to, actor)


def changed_uploads(plan: Plan, details: dict[str, Any]) -> Iterable[Upload]:
    """Read those files of a folder that have to be taken in."""
    for item in uploads([Path(plan.folder)], {**details, "folder": plan.folder}):
        if storable(item.source) in plan.uploaded:
            yield item


def remove_documents(database: Database, plan: Plan, actor: str) -> None:
    """Withdraw the documents whose files are gone; versions stay for the record."""
    with database.write() as session:
        for known in _current(session):
            if known.document.folder == plan.folder and known.document.source in plan.remove:
                life.withdraw_document(session, known.document.id, actor)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is now; one that cannot be read has no hash and is not held against anything."""

    sha256: str | None
    title: str | None


def _seen(item: Upload) -> _File:
    if item.error is not None:
        return _File(None, None)
    return _File(hashlib.sha256(item.data).hexdigest(), item.details.get("title"))


def _current(session: Session) -> list[Known]:
    query = (
        select(Document, Version.sha256, Version.title)
        .join(Version, Version.document_id == Document.id)
        .where(Version.status == VersionStatus.CURRENT)
    )
    return [Known(*row) for row in session.execute(query)]


def _plan(session: Session, folder: str, files: dict[str, _File]) -> Plan:
    result = Plan(folder)
    known = {entry.document.source: entry for entry in _current(session)}
    gone = {
        source: entry
        for source, entry in known.items()
        if entry.document.folder == folder and source not in files
    }
    for source, file in files.items():
        _place(result, source, file, known.get(source), gone)
    result.remove.extend(gone)
    return result


def _place(
    result: Plan, source: str, file: _File, known: Known | None, gone: dict[str, Known]
) -> None:
    """Decide what becomes of one file; a document that moved is gone no more."""
    if known is None:
        left = next((old for old, entry in gone.items() if entry.sha256 == file.sha256), None)
        if left is None:
            result.add.append(source)
        else:
            result.move.append(Move(gone.pop(left).document.id, left, source))
    elif known.document.folder not in {None, result.folder}:
        result.conflict.append(source)
    elif (
        file.sha256 == known.sha256 and file.title in {None, known.title} and known.document.folder
    ):
        result.unchanged += 1
    else:
        # A document that came in by hand belongs to the folder from now on.
        result.change.append(source)
