"""Search and abstention on the sample desk's own questions.

usage: python -m tests.bench.sample
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from app import demo
from app.services import Services
from app.settings import PROJECT, Settings
from ingest.access import Scope
from rag.retrieve import Hit
from rag.tables import Draft, DraftStatus
from rag.tickets import TicketLine, save

QUESTIONS = PROJECT / "data" / "eval" / "questions.jsonl"
FIRST = 5


def main() -> None:
    """Load the sample desk into a throw-away home, ask everything, print the shares."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(home=Path(folder), database_url=""))
        demo.load(services)
        answerable = [row for row in rows if row["answerable"]]
        others = [row for row in rows if not row["answerable"]]
        found = sum(_is_found(services, row) for row in answerable)
        drafted = sum(_is_drafted(services, row) for row in answerable)
        abstained = sum(not _is_drafted(services, row) for row in others)
        services.database.close()
    _show(f"gold document and page among the first {FIRST} passages", found, len(answerable))
    _show("answerable questions drafted by the embedded drafter", drafted, len(answerable))
    _show("unanswerable questions left undrafted", abstained, len(others))


def _is_found(services: Services, row: dict[str, Any]) -> bool:
    hits = services.retriever.search(row["question"], FIRST, Scope.everything())
    return any(_is_gold(hit, gold) for hit in hits for gold in row["gold"])


def _is_gold(hit: Hit, gold: dict[str, Any]) -> bool:
    if hit.document.source != gold["source"]:
        return False
    first, last = hit.passage.first_page, hit.passage.last_page
    return gold["page"] is None or (first or 0) <= gold["page"] <= (last or 0)


def _is_drafted(services: Services, row: dict[str, Any]) -> bool:
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


def _show(what: str, count: int, total: int) -> None:
    sys.stdout.write(f"{what}: {count} of {total} ({count / total:.3f})\n")


if __name__ == "__main__":
    main()
