"""Measures how long one stack takes to answer a query with an access filter, as JSON.

usage: python -m tests.bench.peers.latency FOLDER STACK

FOLDER holds `passages.jsonl` (id, text, visibility, label) and `queries.jsonl` (text), and beside
each the vectors of its lines: a float32 matrix of unit rows in `passages.npy` and `queries.npy`.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.peers.__main__ import PAUSE_SECONDS, QUIET
from tests.bench.peers.latency_stacks import STACKS, Given, Passage, Search

# Queries asked before the clock starts.
WARM_UP = 20


def main() -> None:
    """Measure the stack that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("stack", choices=STACKS)
    options = parser.parse_args()
    os.environ.update(QUIET)
    texts, given = _read(options.folder)
    with tempfile.TemporaryDirectory(prefix="peer-") as home:
        search = STACKS[options.stack](Path(home), given)
        result = {"stack": options.stack, "passages": len(given.passages)}
        result |= _measure(search, texts, given)
    sys.stdout.write(json.dumps(result) + "\n")


def _read(folder: Path) -> tuple[list[str], Given]:
    passages = [
        Passage(**row, vector=vector)
        for row, vector in zip(*_rows_and_vectors(folder, "passages"), strict=True)
    ]
    rows, vectors = _rows_and_vectors(folder, "queries")
    texts = [row["text"] for row in rows]
    return texts, Given(passages, dict(zip(texts, vectors.tolist(), strict=True)))


def _rows_and_vectors(folder: Path, name: str) -> tuple[list[dict[str, Any]], Any]:
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return rows, np.load(folder / f"{name}.npy")


def _measure(search: Search, texts: list[str], given: Given) -> dict[str, Any]:
    time.sleep(PAUSE_SECONDS)
    for text in itertools.islice(itertools.cycle(texts), WARM_UP):
        search(text)
    milliseconds, answers = [], []
    for text in texts:
        begun = time.perf_counter()
        answers.append(search(text))
        milliseconds.append(1_000 * (time.perf_counter() - begun))
    readable = {passage.id for passage in given.passages if passage.allowed}
    return {
        "milliseconds": milliseconds,
        "allowed": all(readable.issuperset(answer) for answer in answers),
        "found": sum(map(len, answers)) / len(answers),
    }


if __name__ == "__main__":
    main()
