"""Share of real questions whose cited page is among the pages of the first five passages.

usage: python -m tests.bench.northwind [HOME]     (a home that has the PDFs already is reused)
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from app.services import Services
from app.settings import Settings
from ingest import sources
from ingest.access import Scope
from rag.retrieve import Hit

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "northwind"
CITED = re.compile(r"\[([^\]]+\.pdf)#page=(\d+)\]")
FIRST = 5


def main() -> None:
    """Ingest the PDFs, ask every question, print the share."""
    if not DATA.is_dir():
        sys.exit(f"{DATA} is absent: this benchmark needs the shared data folder.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        services = Services(Settings(home=home))
        ids = sources.submit(
            services.database, services.files, sources.uploads([DATA / "pdf"], {}), "benchmark"
        )
        services.worker.finish(ids, lambda _: None)
        rows = [json.loads(line) for line in (DATA / "qa.jsonl").read_text().splitlines()]
        found = [row for row in rows if _is_found(services, row)]
        services.database.close()
    sys.stdout.write(f"{len(found)} of {len(rows)}: {len(found) / len(rows):.3f}\n")


def _is_found(services: Services, row: dict[str, str]) -> bool:
    gold = {(file, int(page)) for file, page in CITED.findall(row["truth"])}
    hits = services.retriever.search(row["question"], FIRST, Scope.everything())
    return any(page in gold for hit in hits for page in _pages(hit))


def _pages(hit: Hit) -> list[tuple[str, int]]:
    first, last = hit.passage.first_page or 0, hit.passage.last_page or 0
    return [(hit.document.source, page) for page in range(first, last + 1)]


if __name__ == "__main__":
    main()
