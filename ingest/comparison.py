"""Each new version is held once against the current versions of all other documents."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from ingest import likeness, pairs
from ingest.db import Database, now
from ingest.findings import Key, settled_keys
from ingest.likeness import Shelf
from ingest.pairs import Stretch, Text, Texts
from ingest.tables import Finding, FindingKind, Passage, Version

MIN_SHARE = 0.6
# Less than this is a heading or a legal notice that many documents share.
MIN_DUPLICATE_CHARACTERS = 200
# Who sees five will open both documents; more would bury what else there is.
MAX_CONFLICTS = 5
QUERY_SIZE = 1_000


class _OvertakenError(Exception):
    """Somebody else compared the versions, or they are gone: what is loaded is out of date."""


def never() -> bool:
    """Interrupt nothing."""
    return False


def compare(database: Database, model: str, *, interrupted: Callable[[], bool] = never) -> int:
    """Hold each version that is new against the other documents; return how many were.

    Each transaction holds the findings of a few versions and the note that they were compared,
    so that nothing is lost or found twice when it ends in between, or when `interrupted` says so.
    """
    with database.read() as session:
        if not likeness.is_pending(session, model):
            return 0
        shelf = likeness.load_shelf(session, model)
    done = 0
    for versions in shelf.batches():
        if interrupted() or not _compare_versions(database, shelf, versions):
            break
        done += len(versions)
    return done


def _compare_versions(database: Database, shelf: Shelf, versions: range) -> bool:
    """Write what is found of some versions; tell whether they were still to be compared."""
    rows = likeness.resembling(shelf, versions)
    with database.read() as session:
        found = list(_found(session, shelf, rows))
    try:
        with database.write() as session:
            _take(session, shelf.version_ids[versions.start : versions.stop])
            settled = settled_keys(session, {document for _, key in found for document, _ in key})
            session.add_all(finding for finding, key in found if key not in settled)
    except _OvertakenError:
        return False
    return True


def _take(session: Session, version_ids: list[str]) -> None:
    """Note that versions were compared, in the transaction that writes their findings."""
    taken = session.scalars(
        update(Version)
        .where(Version.id.in_(version_ids), Version.compared_at.is_(None))
        .values(compared_at=now())
        .returning(Version.id)
    )
    if len(taken.all()) < len(version_ids):
        raise _OvertakenError


def _found(
    session: Session, shelf: Shelf, rows: list[tuple[int, int]]
) -> Iterator[tuple[Finding, Key]]:
    texts = _texts(session, {shelf.passage_ids[row] for pair in rows for row in pair})
    meetings: dict[tuple[int, int], list[tuple[Text, Text]]] = defaultdict(list)
    for row, other in rows:
        ours, theirs = (texts.get(shelf.passage_ids[place]) for place in (row, other))
        if ours is not None and theirs is not None:
            meetings[int(shelf.owners[row]), int(shelf.owners[other])].append((ours, theirs))
    for (owner, other), alike in meetings.items():
        documents = shelf.document_ids[owner], shelf.document_ids[other]
        versions = shelf.version_ids[owner], shelf.version_ids[other]
        if (duplicate := _duplicate(session, versions, alike)) is not None:
            yield duplicate, frozenset((document, "") for document in documents)
        for stretches in islice(pairs.conflicts(alike), MAX_CONFLICTS):
            key = zip(documents, (stretch.text for stretch in stretches), strict=True)
            yield _finding(FindingKind.NUMBER_CONFLICT, versions, stretches), frozenset(key)


def _texts(session: Session, passage_ids: set[str]) -> dict[str, Text]:
    texts: dict[str, Text] = {}
    wanted = list(passage_ids)
    for begin in range(0, len(wanted), QUERY_SIZE):
        query = (
            select(Passage.id, Passage.start, Passage.text, Passage.heading_path, Version.title)
            .join(Version, Version.id == Passage.version_id)
            .where(Passage.id.in_(wanted[begin : begin + QUERY_SIZE]))
        )
        for passage_id, start, text, heading_path, title in session.execute(query):
            texts[passage_id] = pairs.read_text(start, text, " | ".join([title, *heading_path]))
    return texts


def _duplicate(session: Session, versions: tuple[str, str], texts: Texts) -> Finding | None:
    """Return the finding that two versions are nearly one text, from the one that is so more."""
    repeated = pairs.repeated(texts)
    same = [{side.start: len(side.text) for side in sides} for sides in zip(*repeated, strict=True)]
    if not same or max(sum(lengths.values()) for lengths in same) < MIN_DUPLICATE_CHARACTERS:
        return None
    shares = [
        sum(lengths.values()) / session.scalars(_length(version)).one()
        for lengths, version in zip(same, versions, strict=True)
    ]
    if max(shares) < MIN_SHARE:
        return None
    step = 1 if shares[0] >= shares[1] else -1
    stretches = tuple(Stretch(side.start, side.text) for side in repeated[0])[::step]
    return _finding(FindingKind.NEAR_DUPLICATE, versions[::step], stretches, share=max(shares))


def _length(version_id: str) -> Select[int]:
    return select(func.length(Version.text)).where(Version.id == version_id)


def _finding(
    kind: FindingKind,
    versions: tuple[str, ...],
    stretches: tuple[Stretch, ...],
    *,
    share: float | None = None,
) -> Finding:
    (version, other_version), (stretch, other) = versions, stretches
    return Finding(
        kind=kind,
        version_id=version,
        start=stretch.start,
        end=stretch.end,
        other_version_id=other_version,
        other_start=other.start,
        other_end=other.end,
        share=share,
    )
