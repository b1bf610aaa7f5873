"""Runs one stack after the other, each in a process of its own, and measures its memory."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from rag import evaluate
from rag.metrics import percentile

SAMPLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of a stack came to; `tokens` are those of the first ingest."""

    name: str
    dtype: str
    documents: int
    passages: int
    tokens: int
    seconds: float
    again_seconds: float
    peak_mb: float
    recall: float
    ndcg: float
    p50: float
    p95: float

    @property
    def tokens_per_second(self) -> float:
        """Return the rate of the whole first ingest."""
        return self.tokens / self.seconds


class StackFailedError(Exception):
    """A stack's process ended with an error; the message is the end of what it said."""


def measure_ours(name: str, dtype: str, folder: Path, *, forced: bool) -> Figures:
    """Measure the product through its own command; `forced` makes it compute in float32."""
    start = "from app.cli import main; main()"
    command = ["-m", "tests.bench.float32"] if forced else ["-c", start]
    arguments = ["evaluate", "retrieval", str(folder), "--json"]
    found, peak_mb = _run([sys.executable, *command, *arguments])
    ingest = found["ingest"]
    return Figures(
        name=name,
        dtype=dtype,
        documents=found["documents"],
        passages=found["passages"],
        tokens=ingest["tokens"],
        seconds=ingest["seconds"],
        again_seconds=ingest["again_seconds"],
        peak_mb=peak_mb,
        recall=found["recall@5"],
        ndcg=found["ndcg@10"],
        p50=found["latency_ms"]["p50"],
        p95=found["latency_ms"]["p95"],
    )


def measure_peer(python: str, stack: str, dtype: str | None, folder: Path) -> Figures:
    """Measure another stack in its own environment; no dtype leaves it as shipped."""
    chosen = ["--dtype", dtype] if dtype else []
    command = [python, "-m", "tests.bench.peers", str(folder), stack, *chosen]
    found, peak_mb = _run(command)
    scores = evaluate.score(found["rankings"], evaluate.read_collection(folder, None))
    return Figures(
        name=f"{stack}, {dtype}" if dtype else stack,
        dtype=dtype or "float32",
        documents=found["documents"],
        passages=found["passages"],
        tokens=found["tokens"],
        seconds=found["seconds"],
        again_seconds=found["again_seconds"],
        peak_mb=peak_mb,
        recall=scores["recall@5"],
        ndcg=scores["ndcg@10"],
        p50=percentile(found["latencies"], 0.50),
        p95=percentile(found["latencies"], 0.95),
    )


def rankings_of_peer(
    python: str, stack: str, folder: Path, dtype: str | None = None
) -> dict[str, list[str]]:
    """Return how another stack ranks a collection's documents for each query."""
    chosen = ["--dtype", dtype] if dtype else []
    found, _ = _run([python, "-m", "tests.bench.peers", str(folder), stack, "--once", *chosen])
    rankings: dict[str, list[str]] = found["rankings"]
    return rankings


def _run(command: Sequence[str]) -> tuple[dict[str, Any], float]:
    """Return the JSON document that a command prints, and the peak memory of its process tree."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    memory = _Memory(child.pid)
    memory.start()
    output, errors = child.communicate()
    memory.join()
    if child.returncode != 0:
        raise StackFailedError(errors[-2_000:] or output[-2_000:])
    return json.loads(output), memory.peak_mb


class _Memory(threading.Thread):
    """Samples the memory of a process and its descendants until it ends.

    Proportional set sizes are added up: a page that several of them share counts once.
    """

    def __init__(self, process_id: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._process = psutil.Process(process_id)

    def run(self) -> None:
        """Sample; the caller waits for the process itself."""
        ended = threading.Event()
        while self._process.is_running() and not ended.wait(SAMPLE_SECONDS):
            with contextlib.suppress(psutil.NoSuchProcess):
                tree = [self._process, *self._process.children(recursive=True)]
                self.peak_mb = max(self.peak_mb, sum(map(_size_mb, tree)))


def _size_mb(process: psutil.Process) -> float:
    try:
        info = process.memory_full_info()
    except psutil.Error:
        return 0.0
    # Linux alone knows proportions; elsewhere only what a process has for itself is counted.
    return float(getattr(info, "pss", info.uss)) / 1_024**2
