"""Keeping the documents of a folder in step with its files, told by their hashes."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest import life, store
from ingest.db import Database, storable
from ingest.errors import EmptyFolderError, SourceNotFoundError
from ingest.sources import Upload, uploads
from ingest.tables import Document, Version, VersionStatus


@dataclass(frozen=True, slots=True)
class Move:
    """A document whose file has another name now; what had that name before makes room."""

    document_id: str
    source: str
    to: str


@dataclass(slots=True)
class Plan:
    """What a synchronisation would do, by source; moves before uploads, removals last.

    Conflicts are files whose name is that of a document of another folder; they stay untouched,
    and so do documents that a person withdrew, as long as their files are the same.
    """

    folder: str
    add: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    move: list[Move] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    conflict: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
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


def plan(database: Database, folder: Path, details: dict[str, Any]) -> Plan:
    """Hold a folder, and what is said of its documents, against those there; changes nothing.

    Raises:
        SourceNotFoundError: There is no such folder.
        EmptyFolderError: It holds no file, which is more often an unmounted disk than an intent.
    """
    if not folder.is_dir():
        raise SourceNotFoundError(path=folder)
    seen = {storable(item.source): _seen(item) for item in uploads([folder], details)}
    if not seen:
        raise EmptyFolderError(path=folder)
    files = _Files(seen, _closed_folders(folder))
    with database.read() as session:
        result = Plan(str(folder.resolve()))
        return _plan(result, files, _current(session), _resting(session, result.folder))


def move_documents(database: Database, moves: Sequence[Move], actor: str) -> None:
    """Let documents follow their files to their new names."""
    moving = {move.document_id for move in moves}
    with database.write() as session:
        for move in moves:
            holder = store.find(session, move.to)
            if holder is not None and holder.id not in moving:
                _make_room(session, holder, actor)
        documents = {name: session.get_one(Document, name) for name in moving}
        # Files may have exchanged their names, and no two documents may share one for a moment.
        for name in moving:
            free = update(Document).where(Document.id == name).values(source=f"moving {name}")
            session.execute(free.execution_options(synchronize_session=False))
        for move in moves:
            life.move_document(session, documents[move.document_id], move.to, actor)


def changed_uploads(
    plan: Plan, sources: Collection[str], details: dict[str, Any]
) -> Iterable[Upload]:
    """Read files of a folder that have to be taken in."""
    for item in uploads([Path(plan.folder)], {**details, "folder": plan.folder}):
        if storable(item.source) in sources:
            yield item


def remove_documents(database: Database, plan: Plan, actor: str) -> None:
    """Withdraw the documents whose files are gone; versions stay for the record."""
    gone = frozenset(plan.remove)
    with database.write() as session:
        for known in _current(session):
            if known.document.folder == plan.folder and known.document.source in gone:
                life.withdraw_document(session, known.document.id, actor)
                # Not withdrawn by a person: should its file come back, so does the document.
                known.document.folder = None


def _make_room(session: Session, holder: Document, actor: str) -> None:
    """Take a name from a document whose file was overwritten or had gone before."""
    if store.current_version(session, holder.id) is not None:
        life.withdraw_document(session, holder.id, actor)
    life.move_document(session, holder, f"{holder.source} ({holder.id})", actor)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is now; one that cannot be read has no hash and is not held against anything."""

    sha256: str | None
    details: dict[str, Any]
    is_damaged_export: bool = False


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a folder by source, and the folders inside that may not be listed."""

    seen: dict[str, _File]
    closed: tuple[str, ...] = ()

    def lost(self, sources: Iterable[str]) -> list[str]:
        """Return those of the sources whose files are gone for certain."""
        # Nobody knows what else an export held that can be read in part only.
        if any(file.is_damaged_export for file in self.seen.values()):
            return []
        return [
            source
            for source in sources
            if source not in self.seen and not source.startswith(self.closed)
        ]


def _seen(item: Upload) -> _File:
    if item.error is not None:
        return _File(None, {}, is_damaged_export=".jsonl" in item.file_name.lower())
    return _File(hashlib.sha256(item.data).hexdigest(), item.details)


def _closed_folders(folder: Path) -> tuple[str, ...]:
    closed: list[str] = []

    def note(error: OSError) -> None:
        closed.append(storable(f"{Path(error.filename).relative_to(folder).as_posix()}/"))

    for _ in os.walk(folder, onerror=note):
        pass
    return tuple(closed)


def _current(session: Session) -> list[Known]:
    query = (
        select(Document, Version.sha256, Version.title)
        .join(Version, Version.document_id == Document.id)
        .where(Version.status == VersionStatus.CURRENT)
    )
    return [Known(*row) for row in session.execute(query)]


def _resting(session: Session, folder: str) -> dict[str, str]:
    """Return by source the hashes of a folder's documents that a person withdrew."""
    query = (
        select(Document.source, Version.sha256)
        .join(Version, Version.document_id == Document.id)
        .where(Document.folder == folder, Version.status == VersionStatus.WITHDRAWN)
        .order_by(Version.number)
    )
    return dict(session.execute(query).all())


def _plan(
    result: Plan, files: _Files, documents: Sequence[Known], resting: Mapping[str, str]
) -> Plan:
    known = {entry.document.source: entry for entry in documents}
    ours = {source: e for source, e in known.items() if e.document.folder == result.folder}
    lost = files.lost(ours)
    movable = _movable(files, ours, lost)
    for source, file in files.seen.items():
        if source not in known and resting.get(source, "") == file.sha256:
            result.withdrawn.append(source)
            continue
        _place(result, source, file, known.get(source), movable)
    moved = {move.source for move in result.move}
    result.remove.extend(source for source in lost if source not in moved)
    return result


def _movable(files: _Files, ours: dict[str, Known], lost: Sequence[str]) -> dict[str, list[Known]]:
    """Return, by hash, the documents that may be found under another name now.

    That is where the file is gone, or where another document's bytes took its place. A file with
    new bytes is the document's next version, even if the old ones are kept under another name.
    """
    changed = [
        source
        for source, entry in ours.items()
        if source in files.seen and files.seen[source].sha256 not in {None, entry.sha256}
    ]
    left = {ours[source].sha256 for source in [*lost, *changed]}
    movable: dict[str, list[Known]] = defaultdict(list)
    for source in [*lost, *(name for name in changed if files.seen[name].sha256 in left)]:
        movable[ours[source].sha256].append(ours[source])
    return movable


def _place(
    result: Plan, source: str, file: _File, known: Known | None, movable: dict[str, list[Known]]
) -> None:
    """Decide what becomes of one file."""
    if known and known.document.folder not in {None, result.folder}:
        result.conflict.append(source)
    elif known and known.sha256 == file.sha256:
        # A document that came in by hand belongs to the folder from now on.
        if known.document.folder and _agrees(file, known):
            result.unchanged += 1
        else:
            result.change.append(source)
    elif file.sha256 and movable.get(file.sha256):
        old = movable[file.sha256].pop(0).document
        result.move.append(Move(old.id, old.source, source))
    else:
        (result.change if known else result.add).append(source)


def _agrees(file: _File, known: Known) -> bool:
    """Tell whether what is said of a document besides its text is so already."""
    document = known.document
    kept = {
        "title": known.title,
        "owner": document.owner,
        "visibility": document.visibility,
        "labels": document.labels,
        "url": document.url,
    }
    return all(file.details.get(name) in (None, value) for name, value in kept.items())
