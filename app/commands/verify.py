"""The command that judges claims in a file against the evidence beside each."""

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import typer

from app import console
from app.errors import NotFoundError
from app.services import Services
from rag.judgement import Finding

# Judged together: enough to sort by length, few enough to see the first lines at once.
ROWS_AT_ONCE = 512
DECIMALS = 4


def verify(services: Services, file: Path, out: Path | None) -> None:
    """Add a verdict to each line of a file; a line that cannot be judged gets an error instead."""
    if console.options.as_json and out is None:
        raise typer.BadParameter("--json needs --out: both would write to standard output.")
    begun = time.perf_counter()
    rows = judged = 0
    with _lines(file) as lines, _output(out) as target:
        while some := list(islice(lines, ROWS_AT_ONCE)):
            for row in _judged(services, some):
                judged += "verdict" in row
                target.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += len(some)
            console.progress(f"{rows} lines")
    console.progress("")
    seconds = time.perf_counter() - begun
    if out is not None:
        _report(rows, judged, seconds)
    if not judged:
        raise SystemExit(1)


def _report(rows: int, judged: int, seconds: float) -> None:
    document = {
        "rows": rows,
        "judged": judged,
        "seconds": round(seconds, 3),
        "rows_per_second": round(rows / seconds, 1) if seconds else 0.0,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    line = f"{judged} of {rows} claims judged in {seconds:.1f} s, {document['rows_per_second']}/s"
    console.show(document, [line])


def _judged(services: Services, lines: Sequence[str]) -> list[dict[str, Any]]:
    rows = [_read(line) for line in lines]
    whole = [row for row in rows if "error" not in row]
    pairs = [(row["claim"], row["evidence"]) for row in whole]
    for row, finding in zip(whole, services.verifier.judge(pairs), strict=True):
        row["verdict"] = _verdict(finding)
    return rows


def _read(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return {"error": "This line is not JSON."}
    if not isinstance(row, dict):
        return {"error": "This line is not a JSON object."}
    row.pop("verdict", None)
    row.pop("error", None)
    missing = [name for name in ("claim", "evidence") if not isinstance(row.get(name), str)]
    if missing:
        row["error"] = f"This line has no text under “{missing[0]}”."
    return row


def _verdict(finding: Finding) -> dict[str, Any]:
    return {
        "label": finding.label,
        "probability": round(finding.probability, DECIMALS),
        "reasons": [reason.describe() for reason in finding.reasons],
    }


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    if not file.is_file():
        raise NotFoundError(what=f"file {file}")
    with file.open(encoding="utf-8", errors="replace") as stream:
        yield (line for line in stream if line.strip())


@contextmanager
def _output(out: Path | None) -> Iterator[TextIO]:
    """Yield where lines go; a file takes its name only when it is whole."""
    if out is None:
        yield sys.stdout
        return
    part = out.with_name(f"{out.name}.part")
    with part.open("w", encoding="utf-8") as stream:
        yield stream
    part.replace(out)
