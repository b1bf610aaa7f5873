"""Each new version is held once against the current versions of all other documents."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from ingest import likeness, mentions, pairs
from ingest.db import Database, now
from ingest.findings import Key, settled_keys
from ingest.likeness import Shelf
from ingest.pairs import Meeting, Meetings, Stretch, Text
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
    with database.read() as session:
        found = list(_found(session, shelf, _candidates(session, shelf, versions)))
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


def _candidates(session: Session, shelf: Shelf, versions: range) -> dict[tuple[int, int], float]:
    """Return the cosine of each pair of rows that resemble each other or speak of one thing."""
    scores = {
        (row, other): score for row, other, score in likeness.resembling(shelf, versions).tolist()
    }
    rows = shelf.rows_of(versions)
    for row, text in zip(rows, _texts(session, shelf, rows), strict=True):
        for passage_id in mentions.mentioning(session, text) if text else ():
            other = shelf.row_of.get(passage_id, row)
            if shelf.owners[other] < shelf.owners[row] and (row, other) not in scores:
                scores[row, other] = float(shelf.vectors[row] @ shelf.vectors[other])
    return scores


def _found(
    session: Session, shelf: Shelf, candidates: dict[tuple[int, int], float]
) -> Iterator[tuple[Finding, Key]]:
    rows = list({row for pair in candidates for row in pair})
    texts = dict(zip(rows, _texts(session, shelf, rows), strict=True))
    together: dict[tuple[int, int], list[Meeting]] = defaultdict(list)
    for (row, other), score in candidates.items():
        ours, theirs = texts[row], texts[other]
        if ours is not None and theirs is not None:
            owners = int(shelf.owners[row]), int(shelf.owners[other])
            together[owners].append(Meeting(ours, theirs, score))
    for (owner, other), meetings in together.items():
        documents = shelf.document_ids[owner], shelf.document_ids[other]
        versions = shelf.version_ids[owner], shelf.version_ids[other]
        if (duplicate := _duplicate(session, versions, meetings)) is not None:
            yield duplicate, frozenset((document, "") for document in documents)
        for stretches in islice(pairs.conflicts(meetings), MAX_CONFLICTS):
            key = zip(documents, (stretch.text for stretch in stretches), strict=True)
            yield _finding(FindingKind.NUMBER_CONFLICT, versions, stretches), frozenset(key)


def _texts(session: Session, shelf: Shelf, rows: Sequence[int]) -> list[Text | None]:
    """Return the passages of some rows; none where one is gone by now."""
    texts: dict[str, Text] = {}
    for begin in range(0, len(rows), QUERY_SIZE):
        some = [shelf.passage_ids[row] for row in rows[begin : begin + QUERY_SIZE]]
        query = (
            select(Passage.id, Passage.start, Passage.text, Passage.heading_path, Version.title)
            .join(Version, Version.id == Passage.version_id)
            .where(Passage.id.in_(some))
        )
        for passage_id, start, text, heading_path, title in session.execute(query):
            texts[passage_id] = Text(start, text, " | ".join([title, *heading_path]))
    return [texts.get(shelf.passage_ids[row]) for row in rows]


def _duplicate(session: Session, versions: tuple[str, str], meetings: Meetings) -> Finding | None:
    """Return the finding that two versions are nearly one text, from the one that is so more."""
    repeated = pairs.repeated(meetings)
    same = (
        sum({meeting.one.start: len(meeting.one.text) for meeting in repeated}.values()),
        sum({meeting.other.start: len(meeting.other.text) for meeting in repeated}.values()),
    )
    if max(same) < MIN_DUPLICATE_CHARACTERS:
        return None
    shares = [
        length / session.scalars(_length(version)).one()
        for length, version in zip(same, versions, strict=True)
    ]
    if max(shares) < MIN_SHARE:
        return None
    step = 1 if shares[0] >= shares[1] else -1
    first = repeated[0]
    stretches = tuple(Stretch(side.start, side.text) for side in (first.one, first.other))
    return _finding(FindingKind.NEAR_DUPLICATE, versions[::step], stretches[::step], max(shares))


def _length(version_id: str) -> Select[int]:
    return select(func.length(Version.text)).where(Version.id == version_id)


def _finding(
    kind: FindingKind,
    versions: tuple[str, ...],
    stretches: tuple[Stretch, ...],
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
