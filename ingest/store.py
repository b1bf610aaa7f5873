"""Documents on their way into the record, each version in one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from ingest import jobs, places, quarantine, searchable, vectors
from ingest.access import Scope
from ingest.chunk import Chunk
from ingest.db import Database
from ingest.errors import DuplicateDocumentError, ForbiddenDocumentError
from ingest.events import record, take_turn
from ingest.parse.parsed import ParsedDocument
from ingest.quarantine import Inspection
from ingest.tables import (
    Document,
    Job,
    Outcome,
    Page,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)

DEFAULT_VISIBILITY = Visibility.INTERNAL
QUERY_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document read, split and inspected; `texts` are what is embedded, one for each chunk."""

    job: Job
    parsed: ParsedDocument
    title: str
    language: str
    chunks: list[Chunk]
    texts: list[str]
    inspection: Inspection


def document_id(source: str) -> str:
    """Return the identifier that the first document of a source gets."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def find(session: Session, source: str) -> Document | None:
    """Return the document that a source names now; a document may have moved to another."""
    return session.scalar(select(Document).where(Document.source == source))


def current_version(session: Session, document: str) -> Version | None:
    """Return the version that is searched, if the document has one."""
    return session.scalar(
        select(Version)
        .where(Version.document_id == document, Version.status == VersionStatus.CURRENT)
        # Its text can be megabytes, and hardly anybody who asks wants it.
        .options(defer(Version.text))
    )


@dataclass(frozen=True, slots=True)
class Current:
    """A document as it is now."""

    document: Document
    sha256: str
    title: str
    passages: int
    pages: int

    def is_told_again_by(self, job: Job) -> bool:
        """Tell whether a job brings neither another text nor another description."""
        document, details = self.document, job.details
        told = {
            "owner": document.owner,
            "url": document.url,
            "folder": document.folder,
            "visibility": document.visibility,
            "title": self.title,
        }
        return (
            self.sha256 == job.sha256
            and _scope(job).permits(document)
            and all(details.get(name) in {None, "", value} for name, value in told.items())
            and details.get("labels") in (None, document.labels)
        )


def current_documents(session: Session, sources: Sequence[str]) -> dict[str, Current]:
    """Return by source those documents that are in use."""
    pages = (
        select(func.count())
        .where(Page.version_id == Version.id)
        .correlate(Version)
        .scalar_subquery()
    )
    found: dict[str, Current] = {}
    for begin in range(0, len(sources), QUERY_SIZE):
        query = (
            select(Document, Version.sha256, Version.title, Version.passages, pages)
            .join(Version, Version.document_id == Document.id)
            .where(
                Document.source.in_(sources[begin : begin + QUERY_SIZE]),
                Version.status == VersionStatus.CURRENT,
            )
        )
        rows = (Current(*row) for row in session.execute(query))
        found |= {current.document.source: current for current in rows}
    return found


def may_be_known(database: Database, claimed: Sequence[Job]) -> set[str]:
    """Return the ids of jobs whose source or bytes are here already: most uploads are new."""
    with database.read() as session:
        sources = set(session.scalars(_among(Document.source, [job.source for job in claimed])))
        hashes = set(session.scalars(_among(Version.sha256, [job.sha256 for job in claimed])))
    return {job.id for job in claimed if job.source in sources or job.sha256 in hashes}


def keep_unchanged(database: Database, job: Job) -> bool:
    """End a claimed job whose file is the current version already; tell if nothing is to be done.

    Raises:
        DuplicateDocumentError: The same bytes are another document.
    """
    with database.write() as session:
        return not jobs.held(session, job) or end_if_unchanged(session, job)


def end_if_unchanged(session: Session, job: Job) -> bool:
    """End a job whose file is the current version already; tell whether it was.

    Raises:
        DuplicateDocumentError: The same bytes are another document.
        ForbiddenDocumentError: The document is one that the uploader may not see.
    """
    document = find(session, job.source)
    if document is not None and not _scope(job).permits(document):
        raise ForbiddenDocumentError(title=job.file_name)
    current = current_version(session, document.id) if document else None
    if document is None or current is None or not _is_same(current, job):
        _refuse_duplicate(session, job, document)
        return False
    _apply_details(session, document, current, job)
    pages = session.scalar(select(func.count()).where(Page.version_id == current.id))
    jobs.finish(
        session,
        job.id,
        Outcome.UNCHANGED,
        document_id=document.id,
        passages=current.passages,
        pages=pages or None,
    )
    return True


def add_version(session: Session, ready: Prepared, fresh: Mapping[str, bytes], model: str) -> None:
    """Make a prepared document the current version, searchable once this is committed.

    Raises:
        DuplicateDocumentError: The same bytes became another document meanwhile.
        ForbiddenDocumentError: The document is one that the uploader may not see.
    """
    take_turn(session)
    if not jobs.held(session, ready.job) or end_if_unchanged(session, ready.job):
        return
    document = _document(session, ready)
    previous = current_version(session, document.id)
    if previous is not None:
        retire(session, document, previous, VersionStatus.SUPERSEDED)
    version = _version(session, document, ready)
    hashes = [vectors.content_hash(text) for text in ready.texts]
    wanted = {key: fresh[key] for key in dict.fromkeys(hashes) if key in fresh}
    vectors.add(session, model, wanted)
    _add_passages(session, document, version, ready, hashes)
    detail = {"version": version.number, "sha256": version.sha256}
    record(session, ready.job.actor, "document:publish", document.id, detail)
    jobs.finish(
        session,
        ready.job.id,
        Outcome.INDEXED,
        document_id=document.id,
        passages=len(ready.chunks),
        pages=len(ready.parsed.pages) or None,
    )


def _among(column: InstrumentedAttribute[str], values: Sequence[str]) -> Select[str]:
    return select(column).where(column.in_(values))


def _is_same(current: Version, job: Job) -> bool:
    """Tell whether a job would make the same version again; titles are embedded with the text."""
    title = job.details.get("title") or current.title
    return current.sha256 == job.sha256 and current.title == title


def _refuse_duplicate(session: Session, job: Job, known: Document | None) -> None:
    twins = session.execute(
        select(Version.title, Document)
        .join(Document, Document.id == Version.document_id)
        .where(
            Version.sha256 == job.sha256,
            Version.status == VersionStatus.CURRENT,
            Version.document_id != (known.id if known else ""),
        )
    )
    for title, document in twins:
        # A twin that the uploader may not see is not named, so it cannot be the reason.
        if _scope(job).permits(document):
            raise DuplicateDocumentError(
                title=job.file_name, other_title=title, other_id=document.id
            )


def _scope(job: Job) -> Scope:
    if job.reader_labels is None:
        return Scope.everything()
    return Scope.of_staff(frozenset(job.reader_labels))


def _document(session: Session, ready: Prepared) -> Document:
    job, details = ready.job, ready.job.details
    document = find(session, job.source)
    if document is None:
        taken = session.get(Document, document_id(job.source)) is not None
        document = Document(
            id=uuid4().hex[:16] if taken else document_id(job.source),
            source=job.source,
            title=ready.title,
            owner=details.get("owner") or job.actor,
            visibility=Visibility(details.get("visibility") or DEFAULT_VISIBILITY),
            labels=details.get("labels") or [],
            url=details.get("url"),
            folder=details.get("folder"),
        )
        session.add(document)
        session.flush()
        return document
    document.title = ready.title
    _set_details(document, job)
    return document


def _set_details(document: Document, job: Job) -> None:
    """Change what the upload names; what it leaves out stays."""
    details = job.details
    document.owner = details.get("owner") or document.owner
    document.url = details.get("url") or document.url
    document.folder = details.get("folder") or document.folder
    if details.get("visibility"):
        document.visibility = Visibility(details["visibility"])
    if details.get("labels") is not None:
        document.labels = details["labels"]


def _apply_details(session: Session, document: Document, current: Version, job: Job) -> None:
    """Change who may see a document whose text stays as it is."""
    before = document.visibility, document.labels
    _set_details(document, job)
    current.visibility, current.labels = document.visibility, document.labels
    # Asked before the next statement writes the change: afterwards nothing counts as modified.
    modified = session.is_modified(document)
    if (document.visibility, document.labels) != before:
        searchable.dismiss(session, before[0], current)
        searchable.admit(session, document.visibility, current)
    if modified:
        record(session, job.actor, "document:describe", document.id, job.details)


def retire(session: Session, document: Document, version: Version, status: VersionStatus) -> None:
    """Take a current version out of search."""
    version.status = status
    searchable.dismiss(session, document.visibility, version)
    # The next current version may follow in this transaction, and only one may be current.
    session.flush()


def next_number(session: Session, document: Document) -> int:
    """Return the number of the document's next version."""
    numbers = select(func.max(Version.number)).where(Version.document_id == document.id)
    return (session.scalar(numbers) or 0) + 1


def _version(session: Session, document: Document, ready: Prepared) -> Version:
    number = next_number(session, document)
    version = Version(
        id=f"{document.id}.{number}",
        document_id=document.id,
        number=number,
        sha256=ready.job.sha256,
        status=VersionStatus.CURRENT,
        visibility=document.visibility,
        labels=document.labels,
        title=ready.title,
        file_name=ready.job.file_name,
        media_type=ready.parsed.media_type,
        parser=ready.parsed.parser,
        language=ready.language,
        text=ready.parsed.text,
        passages=len(ready.chunks),
        unread_pages=list(ready.parsed.unread_pages),
    )
    session.add(version)
    session.flush()
    pages = [
        {
            "version_id": version.id,
            "number": page.number,
            "start": page.start,
            "end": page.end,
            "words": places.pack(page.words),
        }
        for page in ready.parsed.pages
    ]
    if pages:
        session.execute(insert(Page), pages)
    return version


def _add_passages(
    session: Session, document: Document, version: Version, ready: Prepared, hashes: list[str]
) -> None:
    rows = [
        {
            "id": passage_id(
                version, part.ordinal, text := ready.parsed.text[part.start : part.end]
            ),
            "version_id": version.id,
            "ordinal": part.ordinal,
            "heading_path": list(part.heading_path),
            "table_header": part.table_header,
            "text": text,
            "start": part.start,
            "end": part.end,
            "first_page": part.first_page,
            "last_page": part.last_page,
            "content_hash": key,
        }
        for part, key in zip(ready.chunks, hashes, strict=True)
    ]
    if rows:
        session.execute(insert(Passage), rows)
    quarantine.hold(session, version.id, ready.inspection)
    searchable.admit(session, document.visibility, version)


def passage_id(version: Version, ordinal: int, text: str) -> str:
    """Return the identifier of a passage, the same whenever it is stored again."""
    content = f"{version.document_id}\0{version.number}\0{ordinal}\0{text}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
