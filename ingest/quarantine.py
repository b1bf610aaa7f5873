"""Suspicious text waits for its owner: until it is released, no search finds it.

What waits is embedded and kept like all other text, so a release costs nothing but the decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session, aliased, defer, load_only

from ingest import searchable
from ingest.access import Scope
from ingest.chunk import Chunk
from ingest.db import now
from ingest.events import record
from ingest.guard import Sign, scan
from ingest.tables import Document, Passage, Suspicion, SuspicionState, Version, VersionStatus
from ingest.vectors import content_hash

ACTIONS = {SuspicionState.RELEASED: "release", SuspicionState.KEPT: "keep"}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is suspicious in a version: by ordinal in its passages, and in its names."""

    passages: Mapping[int, Sequence[Sign]]
    names: Mapping[str, Sequence[Sign]]


@dataclass(frozen=True, slots=True)
class Held:
    """A suspicious text with its signs; without a passage it is a name, or hidden in the file."""

    document: Document
    version: Version
    passage: Passage | None
    suspicions: list[Suspicion]

    @property
    def state(self) -> SuspicionState:
        """Return what became of it."""
        return SuspicionState(self.suspicions[0].state)


def is_free() -> ColumnElement[bool]:
    """Return the condition under which a passage may be found."""
    held = select(Suspicion).where(Suspicion.state != SuspicionState.RELEASED)
    passages = held.where(Suspicion.passage_id.is_not(None))
    versions = held.where(Suspicion.passage_id.is_(None))
    return and_(
        Passage.id.not_in(passages.with_only_columns(Suspicion.passage_id)),
        Passage.version_id.not_in(versions.with_only_columns(Suspicion.version_id)),
    )


def inspect(text: str, chunks: Iterable[Chunk], names: Iterable[str]) -> Inspection:
    """Scan the passages of a text, and names that belong to all of it."""
    passages = {part.ordinal: scan(text[part.start : part.end]) for part in chunks}
    return _suspicious(passages, {name: scan(name) for name in names})


def hold(session: Session, version_id: str, inspection: Inspection) -> None:
    """Note what is suspicious; what was decided of the same text before counts again."""
    rows = [
        _row(version_id, None, content_hash(name), name, sign)
        for name, signs in inspection.names.items()
        for sign in signs
    ]
    if inspection.passages:
        query = select(Passage.id, Passage.ordinal, Passage.content_hash, Passage.text).where(
            Passage.version_id == version_id, Passage.ordinal.in_(inspection.passages)
        )
        rows += [
            _row(version_id, passage_id, key, text, sign)
            for passage_id, ordinal, key, text in session.execute(query)
            for sign in inspection.passages[ordinal]
        ]
    decided = _decided(session, {suspicion.content_hash for suspicion in rows})
    for suspicion in rows:
        if (earlier := decided.get(suspicion.content_hash)) is not None:
            suspicion.state = earlier.state
            suspicion.decided_by, suspicion.decided_at = earlier.decided_by, earlier.decided_at
    session.add_all(rows)
    session.flush()


def hold_all(session: Session) -> None:
    """Inspect all current versions, of a desk that did not until now."""
    query = (
        select(Version.id, Version.title, Version.file_name, Document.url, Document.visibility)
        .join(Document, Document.id == Version.document_id)
        .where(Version.status == VersionStatus.CURRENT)
    )
    for version_id, title, file_name, url, visibility in session.execute(query).all():
        texts = select(Passage.ordinal, Passage.text).where(Passage.version_id == version_id)
        passages = {ordinal: scan(text) for ordinal, text in session.execute(texts)}
        names = {name: scan(name) for name in (title, file_name, url or "")}
        inspection = _suspicious(passages, names)
        if inspection.passages or inspection.names:
            version = session.get_one(Version, version_id, options=[load_only(Version.id)])
            searchable.dismiss(session, visibility, version)
            hold(session, version_id, inspection)
            searchable.admit(session, visibility, version)


def carry_over(session: Session, earlier_id: str, version_id: str) -> None:
    """Let the passages of a restored version be as suspicious as those that it was made from."""
    earlier, passage = aliased(Passage), aliased(Passage)
    query = (
        select(Suspicion, passage.id)
        .outerjoin(earlier, earlier.id == Suspicion.passage_id)
        .outerjoin(
            passage, (passage.version_id == version_id) & (passage.ordinal == earlier.ordinal)
        )
        .where(Suspicion.version_id == earlier_id)
    )
    kept = ("content_hash", "kind", "start", "end", "quote", "state", "decided_by", "decided_at")
    for suspicion, passage_id in session.execute(query).all():
        fields = {name: getattr(suspicion, name) for name in kept}
        session.add(Suspicion(version_id=version_id, passage_id=passage_id, **fields))
    session.flush()


def held(session: Session, scope: Scope, version_id: str | None = None) -> list[Held]:
    """Return what is suspicious in current documents that may be shown, the undecided first.

    With a version it is all of that version; else what was released is left out.
    """
    query = (
        select(Suspicion, Document, Version, Passage)
        .join(Version, Version.id == Suspicion.version_id)
        .join(Document, Document.id == Version.document_id)
        .outerjoin(Passage, Passage.id == Suspicion.passage_id)
        # What came last is what an owner is asked about first.
        .order_by(Suspicion.state.desc(), Suspicion.created_at.desc(), Suspicion.id)
        .options(defer(Version.text))
    )
    if version_id is not None:
        query = query.where(Version.id == version_id)
    else:
        waits = Suspicion.state != SuspicionState.RELEASED
        query = query.where(Version.status == VersionStatus.CURRENT, waits)
    found: dict[tuple[str, str], Held] = {}
    for suspicion, document, version, passage in session.execute(query):
        if scope.permits_version(document, version):
            key = (version.id, suspicion.content_hash)
            found.setdefault(key, Held(document, version, passage, []))
            found[key].suspicions.append(suspicion)
    return list(found.values())


def is_seen(session: Session, scope: Scope, suspicion_id: str) -> bool:
    """Tell whether a suspicion is there, in a document that may be shown."""
    query = (
        select(Document, Version)
        .join(Version, Version.document_id == Document.id)
        .join(Suspicion, Suspicion.version_id == Version.id)
        .where(Suspicion.id == suspicion_id)
        .options(defer(Version.text))
    )
    row = session.execute(query).first()
    return row is not None and scope.permits_version(*row)


def decide(session: Session, suspicion_id: str, state: SuspicionState, actor: str) -> None:
    """Release a suspicious text, or keep it out; that counts for the same text in this version."""
    suspicion = session.get_one(Suspicion, suspicion_id)
    version = session.get_one(Version, suspicion.version_id, options=[defer(Version.text)])
    document = session.get_one(Document, version.document_id)
    if is_current := version.status == VersionStatus.CURRENT:
        searchable.dismiss(session, document.visibility, version)
    session.execute(
        update(Suspicion)
        .where(Suspicion.version_id == version.id)
        .where(Suspicion.content_hash == suspicion.content_hash)
        .values(state=state, decided_by=actor, decided_at=now())
    )
    if is_current:
        searchable.admit(session, document.visibility, version)
    detail = {"version": version.number, "passage": suspicion.passage_id}
    record(session, actor, f"suspicion:{ACTIONS[state]}", document.id, detail)


def _suspicious(
    passages: Mapping[int, Sequence[Sign]], names: Mapping[str, Sequence[Sign]]
) -> Inspection:
    return Inspection(
        {ordinal: signs for ordinal, signs in passages.items() if signs},
        {name: signs for name, signs in names.items() if signs},
    )


def _row(version_id: str, passage_id: str | None, key: str, text: str, sign: Sign) -> Suspicion:
    return Suspicion(
        version_id=version_id,
        passage_id=passage_id,
        content_hash=key,
        kind=sign.kind,
        start=sign.start,
        end=sign.end,
        quote=sign.hidden or text[sign.start : sign.end],
    )


def _decided(session: Session, hashes: set[str]) -> dict[str, Suspicion]:
    """Return by content hash the latest decisions."""
    query = (
        select(Suspicion)
        .where(Suspicion.content_hash.in_(hashes), Suspicion.decided_at.is_not(None))
        .order_by(Suspicion.decided_at)
    )
    return {suspicion.content_hash: suspicion for suspicion in session.scalars(query)}
