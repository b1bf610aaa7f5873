"""Quality, speed and memory beside other stacks: same articles, tickets and model, in one run.

usage: python -m tests.bench.compare PYTHON_OF_THE_PEERS [--peers a,b] [--limit N]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import speed, sumo
from tests.bench.stacks import Figures, StackFailedError, measure_ours, measure_peer

PEERS = ("langchain", "llamaindex", "haystack", "txtai")
COLUMNS: dict[str, Callable[[Figures], str]] = {
    "": lambda row: row.name,
    "documents": lambda row: f"{row.documents}",
    "passages": lambda row: f"{row.passages}",
    "tokens": lambda row: f"{row.tokens}",
    "ingest s": lambda row: f"{row.seconds:.1f}",
    "passages/s": lambda row: f"{row.passages / row.seconds:.1f}",
    "tokens/s": lambda row: f"{row.tokens_per_second:.0f}",
    "peak MB": lambda row: f"{row.peak_mb:.0f}",
    "again s": lambda row: f"{row.again_seconds:.2f}",
    "faster": lambda row: f"{row.seconds / row.again_seconds:.1f}x",
    "recall@5": lambda row: f"{row.recall:.3f}",
    "nDCG@10": lambda row: f"{row.ndcg:.3f}",
    "p50 ms": lambda row: f"{row.p50:.1f}",
    "p95 ms": lambda row: f"{row.p95:.1f}",
}
NOTES = """\
Ingest: from HTML pages to a searchable store on disk; in every row the model was loaded before.
Tokens: those that entered the network in the first ingest, after its cut at 256, [CLS] and [SEP]
counted, padding not. Again: the same pages once more, as each stack offers it, and how many times
faster than at first. Peak: proportional set size of the whole process tree, from its start to its
end, sampled twice a second; only ours has child processes. Search: one query with its embedding,
50 passages deep.
"""


def main() -> int:
    """Measure one stack after the other and print the table."""
    options = _options()
    processor = speed.measure()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            sumo.build(folder, "en")
        except sumo.DataAbsentError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        if options.limit:
            _cut(folder, options.limit)
        tasks = _tasks(options, processor, folder)
        rows = list(filter(None, (_attempt(title, task) for title, task in tasks.items())))
    processor = processor.best_of(speed.measure())
    sys.stdout.write("\n".join(_table(rows)) + f"\n\n{NOTES}\n")
    sys.stdout.write("\n".join([*_shares(rows, processor), *_ratios(rows)]) + "\n")
    return 0 if len(rows) == len(tasks) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("python", help="the interpreter of the peers' environment")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS))
    parser.add_argument("--limit", type=int, help="documents, and queries, of a smoke run")
    return parser.parse_args()


def _tasks(
    options: argparse.Namespace, processor: speed.Processor, folder: Path
) -> dict[str, Callable[[], Figures]]:
    tasks: dict[str, Callable[[], Figures]] = {
        "ours": partial(measure_ours, "ours", processor.fast, folder, forced=False)
    }
    if processor.fast != "float32":
        name = "ours, float32"
        tasks[name] = partial(measure_ours, name, "float32", folder, forced=True)
    for dtype in (None, "bfloat16"):
        for stack in options.peers:
            task = partial(measure_peer, options.python, stack, dtype, folder)
            tasks[f"{stack}, {dtype or 'as shipped'}"] = task
    return tasks


def _attempt(title: str, task: Callable[[], Figures]) -> Figures | None:
    """Run a stack; one that fails says why and costs the others nothing."""
    begun = time.perf_counter()
    try:
        row = task()
    except StackFailedError as error:
        sys.stderr.write(f"{title} failed:\n{error}\n")
        return None
    sys.stderr.write(f"{title}: measured in {time.perf_counter() - begun:.0f} s\n")
    return row


def _cut(folder: Path, limit: int) -> None:
    """Keep the first queries, and as many documents, those that answer them among these."""
    queries, corpus = (_lines(folder / f"{name}.jsonl") for name in ("queries", "corpus"))
    kept = dict(list(queries.items())[:limit])
    pairs = [line.split("\t") for line in (folder / "qrels.tsv").read_text().splitlines()[1:]]
    answers = [document for query, document, _ in pairs if query in kept]
    chosen = list(dict.fromkeys([*answers, *corpus]))[:limit]
    for name, lines in (("queries", kept.values()), ("corpus", (corpus[one] for one in chosen))):
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def _lines(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8") as lines:
        return {json.loads(line)["_id"]: line for line in lines}


def _table(rows: list[Figures]) -> Iterator[str]:
    cells = [list(COLUMNS), *([cell(row) for cell in COLUMNS.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *others in cells:
        padded = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *padded])


def _shares(rows: list[Figures], processor: speed.Processor) -> Iterator[str]:
    for dtype, peak in processor.peaks.items():
        yield f"matrix peak, {speed.SIZE} cubed, {dtype}: {peak / 1e9:.0f} GFLOP/s"
    yield speed.FORMULA
    for row in rows:
        length = row.tokens / row.passages
        flops = speed.flops_per_token(length)
        share = flops * row.tokens_per_second / processor.peaks[row.dtype]
        yield (
            f"{row.name}: {length:.0f} tokens a passage, {flops / 1e6:.1f} MFLOP a token,"
            f" {share:.1%} of the {row.dtype} peak"
        )


def _ratios(rows: list[Figures]) -> Iterator[str]:
    ours = [row for row in rows if row.name == "ours"]
    peers: list[Figures] = [row for row in rows if not row.name.startswith("ours")]
    groups: dict[str, list[Any]] = {
        "as shipped": [row for row in peers if row.dtype == "float32"],
        "with bfloat16": [row for row in peers if row.dtype == "bfloat16"],
    }
    for title, group in groups.items():
        if ours and group:
            best = max(group, key=lambda row: row.tokens_per_second)
            ratio = ours[0].tokens_per_second / best.tokens_per_second
            yield f"ours, tokens/s over the fastest peer's {title} ({best.name}): {ratio:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
