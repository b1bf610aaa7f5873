"""Search and abstention on the sample desk's own questions, beside the run that was kept last.

usage: python -m tests.bench.sample [--keep]     (exit 1: a measure fell significantly)
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app import demo
from app.services import Services
from app.settings import PROJECT, Settings
from ingest import backbone
from ingest.access import Scope
from ingest.index import resident
from rag import fusion, runs
from rag.errors import EvaluationError
from rag.retrieve import Hit
from rag.runs import Run, Scores
from rag.tables import Draft, DraftStatus
from rag.tickets import TicketLine, save
from tests.bench.sample_report import DRAFTED, UNDRAFTED, Row, report

FOLDER = PROJECT / "data" / "eval"
QUESTIONS = FOLDER / "questions.jsonl"
LAST = FOLDER / "last_run.json"
DEPTH = 10


def main() -> int:
    """Load the sample desk into a throw-away home, ask everything, print and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true", help="make this run the last one")
    options = parser.parse_args()
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    try:
        last = runs.read(LAST)
    except EvaluationError as error:
        sys.exit(str(error))
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(home=Path(folder), database_url=""))
        demo.load(services)
        run = ask(services, rows)
        services.database.close()
    return conclude(run, last, rows, keep=options.keep)


def ask(services: Services, rows: Sequence[Row]) -> Run:
    """Search for and draft the answer to every question."""
    questions = {row["id"]: _scores(services, row) for row in rows}
    return Run(datetime.now(UTC), _fingerprint(services, rows), questions)


def conclude(run: Run, last: Run | None, rows: Sequence[Row], *, keep: bool) -> int:
    """Print a run beside the last one, and return the exit code.

    A run that is kept is thereby accepted, better or worse.
    """
    comparison = runs.compare(last, run) if last else None
    sys.stdout.write("\n".join(report(run, comparison, rows)) + "\n")
    if keep:
        runs.write(LAST, run)
    return int(bool(comparison and comparison.drops) and not keep)


def _scores(services: Services, row: Row) -> Scores:
    drafted = _is_drafted(services, row)
    if row["answerable"]:
        hits = services.retriever.search(row["question"], DEPTH, Scope.everything())
        places = [_place(gold) for gold in row["gold"]]
        judgements = dict.fromkeys(places, 1)
        values = runs.ranking_scores(_ranking(hits, row["gold"]), judgements)
        values[DRAFTED] = float(drafted)
    else:
        values = {UNDRAFTED: float(not drafted)}
    return Scores(row["locale"], runs.digest(row), values)


def _ranking(hits: Sequence[Hit], golds: Sequence[Row]) -> list[str]:
    """Name each passage by the wanted place that it is the first to show, others by their id."""
    ranking: list[str] = []
    for hit in hits:
        places = [_place(gold) for gold in golds if _is_gold(hit, gold)]
        unseen = [place for place in places if place not in ranking]
        ranking.append(unseen[0] if unseen else hit.passage.id)
    return ranking


def _place(gold: Row) -> str:
    return f"{gold['source']}#{gold['page']}"


def _is_gold(hit: Hit, gold: Row) -> bool:
    if hit.document.source != gold["source"]:
        return False
    first, last = hit.passage.first_page, hit.passage.last_page
    return gold["page"] is None or (first or 0) <= gold["page"] <= (last or 0)


def _is_drafted(services: Services, row: Row) -> bool:
    line = TicketLine(
        id=f"eval-{row['id']}", subject="", body=row["question"], locale=row["locale"]
    )
    with services.database.write() as session:
        save(session, line)
    stream = services.drafter.draft(line.id, "evaluation", Scope.everything(), None)
    for _ in stream:
        pass
    with services.database.read() as session:
        return session.get_one(Draft, stream.draft_id).status == DraftStatus.READY


def _fingerprint(services: Services, rows: Sequence[Row]) -> dict[str, str]:
    files = sorted((PROJECT / "data" / "kb").iterdir())
    return {
        "model": services.query_encoder.fingerprint,
        "precision": str(backbone.fast_dtype()).removeprefix("torch."),
        "index": services.settings.engine,
        "weights": f"words {fusion.WORDS_WEIGHT}, company {resident.SECOND_PASSAGE_WEIGHT}",
        "abstain below": f"{services.settings.abstain_below}",
        "documents": runs.digest([hashlib.sha256(file.read_bytes()).hexdigest() for file in files]),
        "questions": runs.digest(rows),
    }


if __name__ == "__main__":
    raise SystemExit(main())
