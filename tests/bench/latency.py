"""How long a search takes on a big desk that remembers much, beside other stacks.

Made-up passages and solved tickets with made-up vectors, as in `scale`; questions are real tickets.
Every stack embeds each question with the real encoder, as it does at work, and then asks with the
question's made-up vector, under the same access filter.

usage: python -m tests.bench.latency [--documents 10000] [--cases 50000] [--home DIR]
           [--peers PYTHON]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select
from threadpoolctl import threadpool_limits

from app.settings import Settings
from ingest import backbone, lexical
from ingest.db import now
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Embedding, Passage, Version
from rag.head import HeadWeights
from rag.memory import Question
from rag.retrieve import Retriever
from rag.spelling import DIMENSIONS as SPELLING_DIMENSIONS
from rag.spelling import Spelling
from rag.tables import (
    Case,
    CaseOrigin,
    Head,
    HeadState,
    Ticket,
    TicketDocument,
    TicketStatus,
)
from tests.bench.compare import PEERS
from tests.bench.scale import SCOPE, Bench, build_services
from tests.bench.scale_texts import DIMENSIONS, LABELS, Vocabulary, WordVectors, articles, questions

PASSAGES_PER_DOCUMENT = 10
WORDS_A_TICKET = 60
QUERIES, WARM_UP = 500, 20
FOUND, POOL = 10, 100
BATCH = 5_000
KNOWN_DOCUMENTS = 3_000
SPELT_TICKETS = 2_000
SEED = 11


class RealCost(QueryEncoder):
    """Embeds with the real model, and answers with the vector made up for the question."""

    def __init__(self, encoder: QueryEncoder, embedder: WordVectors, asked: Sequence[str]) -> None:
        self._encoder = encoder
        self._made_up = embedder
        self._vectors = {text: embedder.embed(text) for text in asked}

    @property
    def fingerprint(self) -> str:
        return self._made_up.fingerprint

    def encode(self, text: str) -> NDArray[np.float32]:
        self._encoder.encode(text)
        return self._vectors[text]


def remember(bench: Bench, count: int) -> None:
    """Add solved tickets, each of which points to a document, and a head."""
    services, embedder = bench.services, bench.embedder
    chance = np.random.default_rng(SEED)
    with services.database.read() as session:
        documents = list(session.scalars(select(Document.id).order_by(Document.id)))
        if session.scalar(select(func.count()).select_from(Case)):
            return
    texts = [" ".join(bench.vocabulary.draw(WORDS_A_TICKET)) for _ in range(count)]
    spelling = Spelling.fit(texts[:SPELT_TICKETS])
    for begin in range(0, count, BATCH):
        some = texts[begin : begin + BATCH]
        numbers = range(begin, begin + len(some))
        names = [f"made-up-{number}" for number in numbers]
        spelt = spelling.vectors(some)
        chosen = chance.choice(documents, len(some))
        with services.database.write() as session:
            session.execute(insert(Ticket), [_ticket(name) for name in names])
            session.execute(insert(Case), [_case(*one) for one in zip(names, some, strict=True)])
            session.execute(
                insert(TicketDocument),
                [
                    {"ticket_id": name, "document_id": str(document), "content_hash": None}
                    for name, document in zip(names, chosen, strict=True)
                ],
            )
            for model, rows in (
                (embedder.fingerprint, np.stack([embedder.embed(text) for text in some])),
                (spelling.fingerprint, spelt),
            ):
                vectors = [row.astype("<f4").tobytes() for row in rows]
                session.execute(
                    insert(Embedding),
                    [
                        {"content_hash": name, "model": model, "vector": vector}
                        for name, vector in zip(names, vectors, strict=True)
                    ],
                )
    with services.database.write() as session:
        session.add(_head(spelling, embedder.fingerprint, documents[:KNOWN_DOCUMENTS], chance))


def _ticket(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "subject": name,
        "language": "en",
        "status": TicketStatus.SOLVED,
        "created_at": now(),
        "customer": {},
    }


def _case(name: str, question: str) -> dict[str, Any]:
    return {
        "ticket_id": name,
        "origin": CaseOrigin.IMPORTED,
        "question": question,
        "content_hash": name,
        "solved_at": now() - timedelta(days=30),
        "changed_at": now(),
    }


def _head(
    spelling: Spelling, encoder: str, documents: Sequence[str], chance: np.random.Generator
) -> Head:
    def drawn(*shape: int) -> NDArray[np.float32]:
        return chance.normal(0, 0.01, shape).astype(np.float32)

    count = len(documents)
    weights = HeadWeights(
        5.0,
        drawn(DIMENSIONS, DIMENSIONS),
        tuple(documents),
        drawn(count, DIMENSIONS),
        drawn(count),
        spelling,
        drawn(count, SPELLING_DIMENSIONS),
        drawn(count),
    )
    return Head(encoder=encoder, state=HeadState.SERVING, weights=weights.to_bytes(), card={})


def measure_ours(bench: Bench, asked: Sequence[str]) -> dict[str, list[float]]:
    """Return the milliseconds of each question: whole searches, then each part alone."""
    services = bench.services
    encoder = RealCost(services.query_encoder, bench.embedder, asked)
    retriever = Retriever(services.database, encoder, services.index)
    retriever.search(asked[0], FOUND, SCOPE)
    memory = retriever._memory.current()
    head = memory.head
    assert head is not None
    vectors = {text: bench.embedder.embed(text) for text in asked}
    spelt = {text: head.spelling.vectors([text])[0] for text in asked}
    counts = lexical.Counts()

    def by_encoder(text: str) -> None:
        with backbone.one_core_left():
            services.query_encoder.encode(text)

    def by_meaning(text: str) -> None:
        with backbone.one_core_left():
            retriever._holdings.current().shelf(SCOPE).nearest(vectors[text], POOL)

    def by_words(text: str) -> None:
        with services.database.read() as session:
            lexical.search(session, text, POOL // 2, SCOPE.visibilities, counts)

    def by_cases(text: str) -> None:
        with backbone.one_core_left():
            memory.ask(Question(vectors[text], "en", None, spelt[text]))

    actions: dict[str, Callable[[str], object]] = {
        "ours": lambda text: retriever.search(text, FOUND, SCOPE),
        "  its encoder alone": by_encoder,
        "  dense alone": by_meaning,
        "  full text alone": by_words,
        "  cases alone": by_cases,
        "  dense, by generation": lambda text: services.index.search(
            vectors[text], POOL, SCOPE.visibilities
        ),
    }
    return {name: _timed(action, asked) for name, action in actions.items()}


def _timed(action: Callable[[str], object], asked: Sequence[str]) -> list[float]:
    milliseconds = []
    for text in [*asked[:WARM_UP], *asked]:
        begun = time.perf_counter()
        action(text)
        milliseconds.append(1e3 * (time.perf_counter() - begun))
    return milliseconds[WARM_UP:]


def export(bench: Bench, asked: Sequence[str], folder: Path) -> None:
    """Write what the other stacks are to search."""
    columns = (Passage.id, Passage.text, Document.visibility, Document.labels, Embedding.vector)
    query = (
        select(*columns)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .join(Embedding, Embedding.content_hash == Passage.content_hash)
        .where(Embedding.model == bench.embedder.fingerprint)
    )
    vectors = []
    with bench.services.database.read() as session, (folder / "passages.jsonl").open("w") as file:
        for name, text, visibility, labels, vector in session.execute(query):
            row = {"id": name, "text": text, "visibility": visibility, "label": labels[0]}
            file.write(json.dumps(row) + "\n")
            vectors.append(np.frombuffer(vector, "<f4"))
    np.save(folder / "passages.npy", np.stack(vectors))
    lines = [json.dumps({"text": text}) + "\n" for text in asked]
    (folder / "queries.jsonl").write_text("".join(lines))
    np.save(folder / "queries.npy", np.stack([bench.embedder.embed(text) for text in asked]))


def measure_peer(python: str, stack: str, folder: Path) -> list[float]:
    """Return the milliseconds of each question in another stack."""
    command = [python, "-m", "tests.bench.peers.latency", str(folder), stack]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output)
    if not found["allowed"]:
        message = f"{stack} returned passages that the filter forbids"
        raise AssertionError(message)
    milliseconds: list[float] = found["milliseconds"]
    return milliseconds


def show(name: str, milliseconds: Sequence[float]) -> None:
    """Print a row."""
    p50, p95 = np.percentile(milliseconds, [50, 95])
    sys.stdout.write(f"{name:24s} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms\n")
    sys.stdout.flush()


def main() -> None:
    """Build a desk, or take one that is there; measure; print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--home", type=Path, help="where to build; a throw-away folder if absent")
    parser.add_argument("--peers", help="the interpreter that has the other stacks")
    options = parser.parse_args()
    # As the product's own commands have it: see `app.console`.
    with ExitStack() as stack, threadpool_limits(1, "blas"):
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vocabulary = Vocabulary(articles())
        embedder = WordVectors(vocabulary.counts)
        services = build_services(Settings(home=home), embedder)
        bench = Bench(services, embedder, vocabulary, PASSAGES_PER_DOCUMENT)
        if not bench.passages():
            bench.measure_ingest(options.documents)
            bench.measure_rebuilds()
        remember(bench, options.cases)
        asked = questions(vocabulary, QUERIES)
        sys.stdout.write(
            f"{bench.passages():,} passages, {options.cases:,} cases; staff with the label"
            f" {LABELS[0]}; {len(asked)} questions, {FOUND} passages\n"
        )
        for name, milliseconds in measure_ours(bench, asked).items():
            show(name, milliseconds)
        if options.peers:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            export(bench, asked, folder)
            for peer in PEERS:
                show(peer, measure_peer(options.peers, peer, folder))
        services.database.close()


if __name__ == "__main__":
    main()
