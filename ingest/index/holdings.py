"""All current passages as they are searched in memory, and what one reader may see of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.access import Scope
from ingest.index.protocol import Neighbour, Vector
from ingest.index.resident import Compared, Resident, compare
from ingest.index.sketch import Sketch, widened

# Up to so many passages are scanned; of more, a published generation finds the nearest.
MAX_SCANNED = 200_000
# A block is made anew when so much of it has changed, or at least so many passages.
CHANGED_SHARE, CHANGED_PASSAGES = 0.05, 2_000
MAX_SHELVES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Documents whose passages are scanned together; document i's begin at row `starts[i]`."""

    documents: list[Resident]
    starts: NDArray[np.int64]
    vectors: NDArray[np.float16]
    sketch: Sketch

    @classmethod
    def of(cls, documents: Iterable[Resident]) -> Self:
        """Lay the vectors of documents out in one array, which they share from then on."""
        some = list(documents)
        ends = np.cumsum([len(document.passage_ids) for document in some], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
        vectors = np.concatenate([document.vectors for document in some])
        parts = np.split(vectors, ends[:-1])
        shared = [
            replace(document, vectors=part) for document, part in zip(some, parts, strict=True)
        ]
        return cls(shared, starts, vectors, Sketch(vectors))

    def rows(self, documents: Collection[Resident]) -> NDArray[np.bool_]:
        """Tell of each row whether it belongs to some of the documents."""
        known = set(map(id, documents))
        chosen = [id(document) in known for document in self.documents]
        return np.repeat(chosen, np.diff(self.starts, append=len(self.vectors)))

    def nearest(self, vector: Vector, count: int, rows: NDArray[np.bool_]) -> list[Neighbour]:
        """Return those of the rows that have the highest cosine, best first."""
        leaders = self.sketch.estimate(vector).leaders(count, rows)
        scores = widened(self.vectors[leaders]) @ vector
        best = np.argsort(-scores, kind="stable")[:count]
        return [
            Neighbour(self._passage_id(int(leaders[index])), float(scores[index])) for index in best
        ]

    def _passage_id(self, row: int) -> str:
        place = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.documents[place].passage_ids[row - int(self.starts[place])]


@dataclass(frozen=True, eq=False)
class Holdings:
    """The current documents by id, at one state of the record.

    `owners` names the document of each passage, of earlier states too. `blocks` hold all passages,
    and some that are no longer current; there are none where they are too many to be scanned.
    """

    documents: dict[str, Resident]
    owners: dict[str, str]
    blocks: tuple[Block, ...]
    _shelves: dict[tuple[Scope, str | None], "Shelf"] = field(default_factory=dict)

    @property
    def are_scanned(self) -> bool:
        """Tell whether the nearest passages can be found here."""
        return bool(self.blocks) or not self.documents

    def shelf(self, scope: Scope, language: str | None = None) -> "Shelf":
        """Return what a reader may see, in one language or in all."""
        key = scope, language
        if (known := self._shelves.get(key)) is not None:
            return known
        if len(self._shelves) >= MAX_SHELVES:
            self._shelves.clear()
        documents = {
            name: document
            for name, document in self.documents.items()
            if scope.allows(document.visibility, document.labels)
            and (language is None or language == document.language)
        }
        rows = [block.rows(documents.values()) for block in self.blocks]
        shelf = self._shelves[key] = Shelf(self, documents, rows)
        return shelf


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The documents that a reader may see; nothing else leaves it."""

    holdings: Holdings
    documents: dict[str, Resident]
    rows: list[NDArray[np.bool_]]

    def nearest(self, vector: Vector, count: int) -> list[Neighbour]:
        """Return the passages with the highest cosine, best first."""
        parts = zip(self.holdings.blocks, self.rows, strict=True)
        hits = [hit for block, rows in parts for hit in block.nearest(vector, count, rows)]
        return sorted(hits, key=lambda hit: -hit.score)[:count]

    def owners(self, passage_ids: Iterable[str]) -> dict[str, str]:
        """Return the document of each passage that is current and on the shelf."""
        found = {}
        for passage_id in passage_ids:
            name = self.holdings.owners.get(passage_id, "")
            document = self.documents.get(name)
            if document is not None and passage_id in document.passage_ids:
                found[passage_id] = name
        return found

    def compare(self, document_ids: Iterable[str], vector: Vector) -> dict[str, Compared]:
        """Compare those of the documents that are on the shelf with a question."""
        chosen = [self.documents[name] for name in document_ids if name in self.documents]
        if not chosen:
            return {}
        return {each.document.document_id: each for each in compare(chosen, vector)}


def arranged(
    documents: dict[str, Resident], blocks: Sequence[Block]
) -> tuple[dict[str, Resident], tuple[Block, ...]]:
    """Return documents with blocks that hold all of them, as many of the given ones as will do.

    The first block is kept while little has changed; what came after it is a second.
    """
    total = sum(len(document.passage_ids) for document in documents.values())
    if not total or total > MAX_SCANNED:
        return documents, ()
    base = blocks[0] if blocks else None
    if base is not None:
        kept = {id(document) for document in base.documents}
        fresh = [document for document in documents.values() if id(document) not in kept]
        added = sum(len(document.passage_ids) for document in fresh)
        gone = len(base.vectors) + added - total
        if added + gone <= max(CHANGED_PASSAGES, CHANGED_SHARE * total):
            if not fresh:
                return documents, (base,)
            second = Block.of(fresh)
            return documents | {each.document_id: each for each in second.documents}, (base, second)
    base = Block.of(documents.values())
    return {each.document_id: each for each in base.documents}, (base,)
