"""Search quality, speed and memory beside LangChain with Chroma: same articles and model, one run.

usage: python -m tests.bench.compare PYTHON_OF_THE_PEERS
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import sumo

HERE = Path(__file__).parent
ROWS = {
    "recall@5": ("recall@5",),
    "recall@10": ("recall@10",),
    "nDCG@10": ("ndcg@10",),
    "MRR@10": ("mrr@10",),
    "passages": ("passages",),
    "ingest, seconds": ("ingest", "seconds"),
    "ingest, passages per second": ("ingest", "passages_per_second"),
    "peak memory, MB": ("ingest", "peak_mb"),
    "search p50, ms": ("latency_ms", "p50"),
    "search p95, ms": ("latency_ms", "p95"),
}


def main() -> None:
    """Measure both one after the other and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        collection = Path(folder)
        sumo.build(collection, "en")
        ours = _run(
            [sys.executable, "-c", "from app.cli import main; main()"],
            ["evaluate", "retrieval", folder, "--json"],
        )
        theirs = _run(
            [sys.argv[1], str(HERE / "peers.py")], [folder, "--peer", "langchain", "--json"]
        )
    sys.stdout.write(f"{'':<30}{'ours':>12}{'LangChain':>12}{'ratio':>8}\n")
    for name, path in ROWS.items():
        mine, other = _value(ours, path), _value(theirs, path)
        sys.stdout.write(f"{name:<30}{mine:>12.4g}{other:>12.4g}{mine / other:>8.2f}\n")


def _run(command: list[str], arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _value(document: dict[str, Any], path: tuple[str, ...]) -> float:
    found: Any = document
    for name in path:
        found = found[name]
    return float(found)


if __name__ == "__main__":
    main()
