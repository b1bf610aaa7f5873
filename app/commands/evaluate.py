"""The evaluation commands."""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app import console
from app.commands.learn import import_history
from app.services import Services
from app.settings import read_settings
from ingest import sources
from ingest.access import Scope
from ingest.tables import Job, Outcome
from rag import cases, evaluate
from rag.errors import TooFewCasesError
from rag.evaluate import Collection
from rag.metrics import percentile

# Enough passages to name ten documents, even where each fills several of the first places.
PASSAGES_PER_QUERY = 50
ACTOR = "evaluation"
ERRORS_SHOWN = 5


def retrieval(folder: Path, limit: int | None, history: Path | None, *, learn: bool) -> None:
    """Take a collection in as the product does, ask its queries, print the scores.

    With a history of solved tickets, these are known and learnt from as in the product.
    """
    collection = evaluate.read_collection(folder, limit)
    with tempfile.TemporaryDirectory(prefix="copilot-evaluation-") as home:
        services = _throwaway(Path(home))
        names, ingested = _ingest(services, collection.corpus, Path(home))
        learnt = _remember(services, collection, history, learn=learn) if history else {}
        rankings, latencies = _ask(services, collection.queries, names)
        services.database.close()
    scores = evaluate.score(rankings, collection)
    document = {
        "queries": len(collection.queries),
        "documents": ingested.pop("documents"),
        "passages": ingested.pop("passages"),
        **{name: round(value, 4) for name, value in scores.items()},
        "latency_ms": {
            "p50": round(percentile(latencies, 0.50), 2),
            "p95": round(percentile(latencies, 0.95), 2),
        },
        "ingest": ingested,
        **learnt,
    }
    console.show(document, [f"{name}: {value}" for name, value in document.items()])


def _throwaway(home: Path) -> Services:
    # The desk's own database must not be touched, whatever the environment says.
    return Services(
        read_settings().model_copy(update={"home": home, "database_url": "", "index": ""})
    )


def _ingest(
    services: Services, corpus: Path, home: Path
) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return the corpus ids of each document (twins share one), and how ingestion went."""
    export = home / "corpus.jsonl"
    lines = evaluate.corpus_lines(corpus)
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    # A running worker has its model and libraries loaded; what is measured is the documents' time.
    services.ingestion.embedder.encode(["warm up"], lambda _: None)
    services.worker.reindex()
    ids, seconds = _take_in(services, export)
    _, again_seconds = _take_in(services, export)
    names, passages = _outcome(services, ids)
    tokens = evaluate.embedded_tokens(services.ingestion)
    return names, {
        "documents": len(lines),
        "passages": passages,
        "tokens": tokens,
        "seconds": round(seconds, 2),
        "passages_per_second": round(passages / seconds, 1),
        "tokens_per_second": round(tokens / seconds),
        "again_seconds": round(again_seconds, 2),
        "peak_mb": round(_peak_mb()),
    }


def _remember(
    services: Services, collection: Collection, history: Path, *, learn: bool
) -> dict[str, Any]:
    """Make cases of a history, learn from them, and say what came of it."""
    begun = time.perf_counter()
    texts = collection.queries.values()
    errors = import_history(services, history, known=frozenset({*collection.queries, *texts}))
    cases.complete(services.database, services.ingestion.embedder)
    remembered = time.perf_counter() - begun
    lesson: dict[str, Any] = {"promoted": False}
    if learn:
        try:
            found = services.learner.learn(ACTOR)
            lesson = {"promoted": found.promoted, **found.card}
        except TooFewCasesError as error:
            lesson |= {"reason": str(error)}
    return {
        "history": {
            "seconds": round(remembered, 2),
            "refused": len(errors),
            "errors": errors[:ERRORS_SHOWN],
            "learnt": lesson,
        }
    }


def _take_in(services: Services, export: Path) -> tuple[list[str], float]:
    """Return the jobs of an export, and the seconds until its documents were searchable."""
    begun = time.perf_counter()
    ids = sources.submit(services.database, services.files, sources.uploads([export], {}), ACTOR)
    services.worker.finish(ids, lambda done: console.progress(f"{done} of {len(ids)} documents"))
    seconds = time.perf_counter() - begun
    console.progress("")
    return ids, seconds


def _outcome(services: Services, ids: Sequence[str]) -> tuple[dict[str, list[str]], int]:
    """Return the corpus ids of each document, and the number of passages."""
    names: dict[str, list[str]] = {}
    passages = 0
    with services.database.read() as session:
        for job_id in ids:
            job = session.get_one(Job, job_id)
            if job.document_id is not None:
                names.setdefault(job.document_id, []).append(job.source)
            passages += job.passages if job.outcome == Outcome.INDEXED else 0
    return names, passages


def _ask(
    services: Services, queries: dict[str, str], names: dict[str, list[str]]
) -> tuple[dict[str, list[str]], Sequence[float]]:
    """Return the ranking of corpus ids for each query, and each query's milliseconds."""
    services.retriever.search("warm up", 1, Scope.everything())
    rankings, latencies = {}, []
    for number, (query, text) in enumerate(queries.items(), start=1):
        begun = time.perf_counter()
        hits = services.retriever.search(text, PASSAGES_PER_QUERY, Scope.everything())
        latencies.append(1_000 * (time.perf_counter() - begun))
        documents = dict.fromkeys(hit.document.id for hit in hits)
        rankings[query] = [name for document in documents for name in names[document]]
        console.progress(f"{number} of {len(queries)} queries")
    console.progress("")
    return rankings, latencies


def _peak_mb() -> float:
    """Return the peak memory of this process or of its largest child, whichever is larger.

    The two are not added up: a child counts its parent's pages until it starts its own program.
    """
    unit = 1_024**2 if sys.platform == "darwin" else 1_024
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / unit
