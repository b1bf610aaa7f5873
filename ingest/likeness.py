"""Which passages of different documents resemble each other, by the vectors that are in SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from ingest.embed import Vectors
from ingest.tables import Embedding, Passage, Version, VersionStatus

# Below it hardly any two passages hold sentences that say the same.
MIN_COSINE = 0.70
MAX_NEIGHBOURS = 20
# A tile of scores takes 8 MB, and a few times that where everything resembles everything.
TILE_ROWS = 256
TILE_COLUMNS = 8_192
FETCH_SIZE = 2_000

Indices = NDArray[np.int64]
Hits = NDArray[np.void]
_HIT = np.dtype([("row", "i8"), ("other", "i8"), ("score", "f4")])


# Without slots: the places of passages are kept in it once they are asked for.
@dataclass(frozen=True)
class Shelf:
    """Passages of all current versions, those compared before first, then by age.

    `version_ids` and `document_ids` go by version; the rows of version i are `starts[i]` to
    `starts[i + 1]`. `passage_ids`, `owners` (a version's number) and `vectors` go by row.
    """

    version_ids: list[str]
    document_ids: list[str]
    compared: int
    starts: Indices
    passage_ids: list[str]
    owners: Indices
    vectors: Vectors

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Return the row of each passage, by its id."""
        return {passage_id: row for row, passage_id in enumerate(self.passage_ids)}

    def rows_of(self, versions: range) -> range:
        """Return the rows of versions that follow each other."""
        return range(int(self.starts[versions.start]), int(self.starts[versions.stop]))

    def batches(self) -> Iterator[range]:
        """Yield the versions to be compared, as many at once as fill a tile."""
        first = self.compared
        for last in range(first + 1, len(self.version_ids) + 1):
            is_full = self.starts[last] - self.starts[first] >= TILE_ROWS
            if is_full or last == len(self.version_ids):
                yield range(first, last)
                first = last


def is_pending(session: Session, model: str) -> bool:
    """Tell whether a current version was not compared yet and has all its vectors."""
    query = _versions(model).where(Version.compared_at.is_(None)).limit(1)
    return session.execute(query).first() is not None


def load_shelf(session: Session, model: str) -> Shelf:
    """Read the vectors of all current versions: 1.5 kB a passage of 384 dimensions."""
    by_age = (Version.compared_at.is_(None), Version.created_at, Version.id)
    versions = session.execute(_versions(model).order_by(*by_age)).all()
    counts = [version.passages for version in versions]
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    passage_ids, vectors = _rows(session, model, versions, starts)
    return Shelf(
        [version.id for version in versions],
        [version.document_id for version in versions],
        sum(version.is_compared for version in versions),
        starts,
        passage_ids,
        np.repeat(np.arange(len(versions)), counts),
        vectors,
    )


def resembling(shelf: Shelf, versions: range) -> Hits:
    """Return which rows of some versions resemble which rows of older documents.

    Returns:
        Records of `row`, `other` (the older one) and `score`, the best of each row.
    """
    rows = shelf.rows_of(versions)
    found = [np.empty(0, _HIT)]
    for first in rows[::TILE_ROWS]:
        last = min(first + TILE_ROWS, rows.stop)
        best = np.empty(0, _HIT)
        for left in range(0, last, TILE_COLUMNS):
            hits = _hits(shelf, range(first, last), range(left, min(left + TILE_COLUMNS, last)))
            best = _nearest(np.concatenate([best, hits]))
        found.append(best)
    return np.concatenate(found)


def _hits(shelf: Shelf, rows: range, columns: range) -> Hits:
    ours = shelf.vectors[rows.start : rows.stop]
    theirs = shelf.vectors[columns.start : columns.stop]
    scores = ours @ theirs.T
    row, other = np.nonzero(scores >= MIN_COSINE)
    # Of two documents the newer one asks, so that each pair is met once.
    is_older = shelf.owners[columns.start + other] < shelf.owners[rows.start + row]
    row, other = row[is_older], other[is_older]
    hits = np.empty(len(row), _HIT)
    hits["row"], hits["other"] = rows.start + row, columns.start + other
    hits["score"] = scores[row, other]
    return _nearest(hits)


def _nearest(hits: Hits) -> Hits:
    """Keep the best hits of each row."""
    ordered = hits[np.lexsort((-hits["score"], hits["row"]))]
    first = np.searchsorted(ordered["row"], ordered["row"])
    kept: Hits = ordered[np.arange(len(ordered)) - first < MAX_NEIGHBOURS]
    return kept


def _versions(model: str) -> Select[str, str, int, bool]:
    """Select the current versions whose vectors are all there."""
    found = (
        select(func.count())
        .select_from(Passage)
        .join(Embedding, Embedding.content_hash == Passage.content_hash)
        .where(Passage.version_id == Version.id, Embedding.model == model)
        .scalar_subquery()
    )
    return select(
        Version.id,
        Version.document_id,
        Version.passages,
        Version.compared_at.is_not(None).label("is_compared"),
    ).where(Version.status == VersionStatus.CURRENT, Version.passages == found)


def _rows(
    session: Session,
    model: str,
    versions: Sequence[Row[str, str, int, bool]],
    starts: Indices,
) -> tuple[list[str], Vectors]:
    # What is gone by now keeps a row of zeros, which resembles nothing.
    passage_ids = [""] * int(starts[-1])
    vectors = np.zeros((len(passage_ids), 0), dtype=np.float32)
    row_after = {version.id: int(start) for version, start in zip(versions, starts, strict=False)}
    query = (
        select(Passage.id, Passage.version_id, Embedding.vector)
        .join(Version, Version.id == Passage.version_id)
        .join(
            Embedding,
            and_(Embedding.content_hash == Passage.content_hash, Embedding.model == model),
        )
        .where(Version.status == VersionStatus.CURRENT)
        .execution_options(yield_per=FETCH_SIZE)
    )
    for passage_id, version_id, vector in session.execute(query):
        if version_id not in row_after:
            continue
        if not vectors.shape[1]:
            vectors = np.zeros((len(passage_ids), len(vector) // 4), dtype=np.float32)
        row = row_after[version_id]
        passage_ids[row], vectors[row] = passage_id, np.frombuffer(vector, dtype="<f4")
        row_after[version_id] += 1
    return passage_ids, vectors
