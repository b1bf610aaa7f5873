"""Embedded Chroma: one folder a generation, one collection a visibility class.

Chroma rewrites its files in place and can be lost in a kill, so a generation is written once by one
process, sealed, probed by another, and only read from then on. Chroma itself notices few damages:
some make it answer wrongly and some crash it, so the seal is checked before a generation is opened.
"""

import hashlib
import shutil
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ingest.index.protocol import GenerationError, Neighbour, Rows, Vector
from ingest.tables import Visibility

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as Opened

BATCH_SIZE = 5_000
OPEN_GENERATIONS = 2
PROBE_SECONDS = 60
DATABASE = "chroma.sqlite3"
SEAL = "seal"


class ChromaIndex:
    """Generations under one folder."""

    engine = "chroma"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._lock = threading.Lock()

    def build(self, generation: str, rows: Iterable[Rows]) -> None:
        """Write a generation into a folder of its own, and close it."""
        folder = self._folder / generation
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        client = _open(folder)
        try:
            for part in rows:
                _write(client, part)
        finally:
            client.close()
        (folder / SEAL).write_text(_digest(folder))

    def holds(self, generation: str) -> bool:
        """Tell whether the generation's folder has a finished database in it."""
        folder = self._folder / generation
        return (folder / SEAL).is_file() and (folder / DATABASE).is_file()

    def probe(self, generation: str, passages: int) -> bool:
        """Open and query the generation in a child: a broken one may kill its reader."""
        command = [sys.executable, "-m", __name__, str(self._folder / generation), str(passages)]
        try:
            child = subprocess.run(  # noqa: S603 (our own interpreter and module)
                command, check=False, capture_output=True, timeout=PROBE_SECONDS
            )
        except subprocess.TimeoutExpired:
            return False
        return child.returncode == 0

    def search(
        self, generation: str, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> list[Neighbour]:
        """Return up to k nearest passages in each visibility class, best first.

        Raises:
            GenerationError: Its files are not as they were built, or Chroma cannot read them.
        """
        try:
            names = {visibility.value for visibility in visibilities}
            present = self._client(generation).list_collections()
            wanted = [collection for collection in present if collection.name in names]
            hits = [hit for collection in wanted for hit in _query(collection, vector, k)]
        except Exception as error:  # Chroma raises many unrelated classes
            raise GenerationError(generation) from error
        return sorted(hits, key=lambda hit: -hit.score)

    def drop(self, generation: str) -> None:
        """Delete the generation's folder."""
        with self._lock:
            client = self._clients.pop(generation, None)
            if client is not None:
                client.close()
        shutil.rmtree(self._folder / generation, ignore_errors=True)

    def strays(self, published: Collection[str]) -> list[str]:
        """Name the folders of generations that were never published, or are not any more."""
        return [path.name for path in self._folder.glob("*/") if path.name not in published]

    def _client(self, generation: str) -> "Client":
        with self._lock:
            if generation not in self._clients:
                folder = self._folder / generation
                if not self.holds(generation) or (folder / SEAL).read_text() != _digest(folder):
                    raise GenerationError(generation)
                self._clients[generation] = _open(folder)
                while len(self._clients) > OPEN_GENERATIONS:
                    self._clients.popitem(last=False)[1].close()
            return self._clients[generation]


def _digest(folder: Path) -> str:
    """Return SHA-256 over the persisted graphs.

    SQLite's file changes whenever it is opened, and so does a graph of one passage, which Chroma
    never persists: it is made anew from SQLite.
    """
    total = hashlib.sha256()
    for graph in sorted(folder.glob("*/index_metadata.pickle")):
        for path in sorted(graph.parent.iterdir()):
            with path.open("rb") as file:
                part = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{path.relative_to(folder)} {part}\n".encode())
    return total.hexdigest()


def _open(folder: Path) -> "Client":
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    return cast("Client", chromadb.PersistentClient(path=str(folder), settings=settings))


def _write(client: "Client", part: Rows) -> None:
    count = len(part.passage_ids)
    collection = client.create_collection(
        part.visibility.value,
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                "max_neighbors": 32,
                "ef_construction": 200,
                "ef_search": 200,
                # One persist, at the last batch: until then the rows wait in Chroma's log.
                "sync_threshold": max(count, 2),
                "batch_size": max(min(count, 1_000), 2),
            }
        },
    )
    for begin in range(0, count, BATCH_SIZE):
        end = begin + BATCH_SIZE
        collection.add(ids=part.passage_ids[begin:end], embeddings=part.vectors[begin:end])


def _query(collection: "Opened", vector: Vector, k: int) -> list[Neighbour]:
    answer = collection.query(query_embeddings=vector[None, :], n_results=k, include=["distances"])
    distances = (answer["distances"] or [[]])[0]
    return [
        Neighbour(passage_id, 1.0 - distance)
        for passage_id, distance in zip(answer["ids"][0], distances, strict=True)
    ]


def _probe(folder: Path, passages: int) -> bool:
    client = _open(folder)
    found = 0
    for collection in client.list_collections():
        found += collection.count()
        sample = collection.peek(1)
        vectors = sample["embeddings"]
        if vectors is None or not len(vectors):
            return False
        nearest = collection.query(query_embeddings=vectors[:1], n_results=3)
        if sample["ids"][0] not in nearest["ids"][0]:
            return False
    return found == passages


if __name__ == "__main__":
    sys.exit(0 if _probe(Path(sys.argv[1]), int(sys.argv[2])) else 1)
