"""The index as it is searched: the published generation, plus what changed since."""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import numpy as np
from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.orm import Session

from ingest.db import Database
from ingest.index.exact import nearest
from ingest.index.protocol import (
    GenerationError,
    IndexBuildError,
    Neighbour,
    Rows,
    Vector,
    VectorIndex,
)
from ingest.quarantine import is_free
from ingest.tables import (
    Document,
    Embedding,
    Generation,
    IndexOperation,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)

logger = logging.getLogger(__name__)
FETCH_SIZE = 2_000
# Threads on which classes beside the first are searched.
THREADS = 4


@dataclass(frozen=True, slots=True)
class IndexState:
    """What is served now; `delta` counts passages added or removed since the generation."""

    engine: str
    generation: str | None
    model: str
    passages: int
    delta: int


@dataclass
class Delta:
    """Changes after a generation, up to and including `sequence`."""

    generation: str | None
    sequence: int
    removed: set[str] = field(default_factory=set)
    rows: dict[Visibility, Rows] = field(default_factory=dict)


class ServedIndex:
    """Searches and renews the index of one embedding model; safe to share between threads."""

    def __init__(self, database: Database, engine: VectorIndex, model: str) -> None:
        self._database = database
        self._engine = engine
        self._model = model
        self._lock = threading.Lock()
        self._delta: Delta | None = None
        self._damaged: set[str] = set()
        self._threads = ThreadPoolExecutor(THREADS, "index")

    def search(
        self, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> list[Neighbour]:
        """Return the nearest passages among those committed by now, best first.

        At least k are found where there are k; access by label is the caller's to check.
        """
        delta, hits = self._search_generation(vector, k, visibilities)
        for visibility in visibilities:
            if (part := delta.rows.get(visibility)) is not None:
                hits += nearest(part.passage_ids, part.vectors, vector, k)
        return sorted(hits, key=lambda hit: -hit.score)[:k]

    def state(self) -> IndexState:
        """Describe what is served."""
        with self._database.read() as session:
            generation = self._readable(session)
            sequence = generation.sequence if generation else 0
            changed = select(func.count(IndexOperation.passage_id.distinct())).where(
                IndexOperation.sequence > sequence
            )
            current = (
                select(func.count())
                .select_from(Passage)
                .join(Version)
                .where(Version.status == VersionStatus.CURRENT, is_free())
            )
            return IndexState(
                self._engine.engine,
                generation.id if generation else None,
                self._model,
                session.scalar(current) or 0,
                session.scalar(changed) or 0,
            )

    def sequence(self) -> int:
        """Return the number of the newest change of what is searchable."""
        with self._database.read() as session:
            return session.scalar(select(func.max(IndexOperation.sequence))) or 0

    def rebuild(self) -> IndexState:
        """Build, probe and publish a generation of all current passages; then drop older ones."""
        generation = uuid4().hex
        with self._database.read() as session:
            sequence = session.scalar(select(func.max(IndexOperation.sequence))) or 0
            parts = list(_all_rows(session, self._model))
        passages = sum(len(part.passage_ids) for part in parts)
        self._engine.build(generation, parts)
        if not self._engine.probe(generation, passages):
            self._engine.drop(generation)
            raise IndexBuildError(generation)
        self._publish(generation, passages, sequence)
        return self.state()

    def _search_generation(
        self, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> tuple[Delta, list[Neighbour]]:
        """Search the newest generation that can be read, and say what changed since it."""
        while (delta := self._current_delta()).generation is not None:
            generation = delta.generation
            try:
                living = partial(self._living, generation, delta.removed, vector, k)
                # The first class here, so that a search never waits for a thread alone.
                first, others = list(visibilities)[:1], list(visibilities)[1:]
                beside = self._threads.map(living, others)
                return delta, [hit for part in (*map(living, first), *beside) for hit in part]
            except GenerationError:
                logger.warning("Index generation %s is damaged; run reindex.", generation)
                self._damaged.add(generation)
        return delta, []

    def _living(
        self, generation: str, removed: set[str], vector: Vector, k: int, visibility: Visibility
    ) -> list[Neighbour]:
        # A removed passage takes the place of a living one, so that more are asked for.
        wanted = k + min(len(removed), k)
        while True:
            found = self._engine.search(generation, vector, wanted, [visibility])
            living = [hit for hit in found if hit.passage_id not in removed]
            if len(living) >= k or len(found) < wanted:
                return living
            wanted *= 2

    def _publish(self, generation: str, passages: int, sequence: int) -> None:
        with self._database.write() as session:
            # The one before stays: other processes may be searching in it at this moment.
            old = [row.id for row in session.scalars(self._published().offset(1))]
            session.add(
                Generation(
                    id=generation,
                    engine=self._engine.engine,
                    model=self._model,
                    passages=passages,
                    sequence=sequence,
                )
            )
            session.execute(delete(Generation).where(Generation.id.in_(old)))
            session.flush()
            kept = set(session.scalars(select(Generation.id)))
        for outdated in {*old, *self._engine.strays(kept)}:
            self._engine.drop(outdated)

    def _published(self) -> Select[Generation]:
        """Select the generations of our model and engine, the newest state first."""
        return (
            select(Generation)
            .where(Generation.model == self._model, Generation.engine == self._engine.engine)
            .order_by(Generation.sequence.desc(), Generation.published_at.desc())
        )

    def _current_delta(self) -> Delta:
        with self._lock, self._database.read() as session:
            generation = self._readable(session)
            base = generation.sequence if generation else 0
            newest = session.scalar(select(func.max(IndexOperation.sequence))) or base
            known = self._delta
            name = generation.id if generation else None
            if known is None or known.generation != name:
                known = Delta(name, base)
            if known.sequence < newest:
                known = _extend(session, known, newest, self._model)
            self._delta = known
            return known

    def _readable(self, session: Session) -> Generation | None:
        """Return the newest generation of our engine that is still there.

        Without one everything counts as changed, and is scanned: slower, never wrong.
        """
        for generation in session.scalars(self._published()):
            if generation.id in self._damaged:
                continue
            if self._engine.holds(generation.id):
                return generation
            logger.warning("Index generation %s is gone; run reindex.", generation.id)
        return None


def _extend(session: Session, delta: Delta, newest: int, model: str) -> Delta:
    """Return the delta with the operations up to `newest` applied in order."""
    operations = session.execute(
        select(IndexOperation.passage_id, IndexOperation.adds)
        .where(IndexOperation.sequence > delta.sequence, IndexOperation.sequence <= newest)
        .order_by(IndexOperation.sequence)
    )
    changed = operations.all()
    last = dict(changed)
    added = [passage_id for passage_id, adds in last.items() if adds]
    # What was never removed came in after the generation, which cannot hold it.
    removed = delta.removed | {passage_id for passage_id, adds in changed if not adds}
    rows = {visibility: _without(part, set(last)) for visibility, part in delta.rows.items()}
    for part in _rows_of(session, added, model):
        rows[part.visibility] = _joined(rows.get(part.visibility), part)
    return Delta(delta.generation, newest, removed, rows)


def _without(part: Rows, gone: set[str]) -> Rows:
    kept = [index for index, passage_id in enumerate(part.passage_ids) if passage_id not in gone]
    if len(kept) == len(part.passage_ids):
        return part
    return Rows(part.visibility, [part.passage_ids[i] for i in kept], part.vectors[kept])


def _joined(first: Rows | None, second: Rows) -> Rows:
    if first is None or not first.passage_ids:
        return second
    return Rows(
        first.visibility,
        first.passage_ids + second.passage_ids,
        np.concatenate([first.vectors, second.vectors]),
    )


def _rows_of(session: Session, passage_ids: list[str], model: str) -> Iterator[Rows]:
    for begin in range(0, len(passage_ids), FETCH_SIZE):
        wanted = Passage.id.in_(passage_ids[begin : begin + FETCH_SIZE])
        yield from _by_visibility(session.execute(_vectors(model).where(wanted)).all())


def _all_rows(session: Session, model: str) -> Iterator[Rows]:
    return _by_visibility(session.execute(_vectors(model)).all())


def _vectors(model: str) -> Select[Visibility, str, bytes]:
    return (
        select(Document.visibility, Passage.id, Embedding.vector)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .join(Embedding, Embedding.content_hash == Passage.content_hash)
        .where(Embedding.model == model, Version.status == VersionStatus.CURRENT, is_free())
    )


def _by_visibility(rows: Sequence[Row[Visibility, str, bytes]]) -> Iterator[Rows]:
    for visibility in Visibility:
        chosen = [(row[1], row[2]) for row in rows if row[0] == visibility]
        if chosen:
            vectors = np.stack([np.frombuffer(vector, dtype="<f4") for _, vector in chosen])
            yield Rows(visibility, [passage_id for passage_id, _ in chosen], vectors)
