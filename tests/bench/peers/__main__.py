"""Measures one stack on a BEIR folder and prints what it found and how long it took, as JSON.

usage: python -m tests.bench.peers FOLDER STACK [--dtype bfloat16] [--once]
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.peers.collection import Stack, read_articles, read_queries

STACKS = ("langchain", "llamaindex", "haystack", "txtai")
# Passages asked for per query, before they are reduced to their articles.
DEPTH = 50
# Between ingest and queries, so that what the ingest left running is not timed.
PAUSE_SECONDS = 1.0
# The model is a folder on disk, and nobody is to be told of this run.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
}


def main() -> None:
    """Measure the stack that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("stack", choices=STACKS)
    parser.add_argument("--dtype")
    parser.add_argument("--once", action="store_true", help="do not ingest a second time")
    options = parser.parse_args()
    os.environ.update(QUIET)
    module = importlib.import_module(f"tests.bench.peers.{options.stack}")
    with tempfile.TemporaryDirectory(prefix="peer-") as home:
        stack: Stack = module.open_stack(Path(home), options.dtype)
        result = _measure(stack, options.folder, again=not options.once)
    sys.stdout.write(json.dumps(result) + "\n")


def _measure(stack: Stack, folder: Path, *, again: bool) -> dict[str, Any]:
    from tests.bench.peers.model import TokenCount

    articles, queries = read_articles(folder), read_queries(folder)
    stack.search("warm up", 1)  # what a model does only once is not the articles' time
    count = TokenCount()
    seconds, passages = _timed(lambda: stack.ingest(articles))
    tokens = count.tokens
    again_seconds, _ = _timed(lambda: stack.ingest_again(articles)) if again else (0.0, None)
    time.sleep(PAUSE_SECONDS)
    rankings, latencies = {}, []
    for query, text in queries.items():
        taken, found = _timed(lambda text=text: stack.search(text, DEPTH))  # type: ignore[misc]
        latencies.append(1_000 * taken)
        rankings[query] = list(dict.fromkeys(found))  # each article where its best passage stood
    return {
        "documents": len(articles),
        "passages": passages,
        "tokens": tokens,
        "seconds": seconds,
        "again_seconds": again_seconds,
        "rankings": rankings,
        "latencies": latencies,
    }


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = action()
    return time.perf_counter() - begun, result


if __name__ == "__main__":
    main()
