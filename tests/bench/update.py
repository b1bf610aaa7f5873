"""How much is embedded again when one page of a 200-page PDF changes.

usage: python -m tests.bench.update
"""

import io
import random
import sys
import tempfile
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select

from app.services import Services
from app.settings import Settings
from ingest import sources
from ingest.pipeline import Ingestion
from ingest.sources import Upload
from ingest.tables import Passage
from tests.fakes import HashEmbedder

PAGES = 200
CHANGED = 100
LINES = 38
WORDS = [
    "machine",
    "water",
    "filter",
    "pressure",
    "valve",
    "lamp",
    "button",
    "display",
    "tank",
    "hose",
    "error",
    "service",
    "warranty",
    "customer",
    "refund",
    "order",
    "country",
    "month",
    "number",
    "table",
    "part",
    "spare",
    "clean",
    "descale",
    "heat",
    "steam",
    "coffee",
]


def main() -> None:
    """Print what is embedded at first and again."""
    first, again, of_page = measure()
    sys.stdout.write(
        f"{first} passages of {PAGES} pages embedded; one page changed: {again} embedded again,"
        f" where {of_page} passages touch that page\n"
    )


def measure() -> tuple[int, int, int]:
    """Take a PDF in, change one page, take it in again.

    Returns:
        Passages embedded at first, embedded again, and passages that touch the changed page.
    """
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(home=Path(folder)))
        embedder = HashEmbedder(services.weights.fingerprint)
        vars(services)["ingestion"] = Ingestion(
            services.database, services.files, embedder, services.index, services.weights
        )
        counts = []
        for changed in (None, CHANGED):
            item = Upload("manual.pdf", "manual.pdf", _pdf(changed))
            ids = sources.submit(services.database, services.files, [item], "benchmark")
            services.worker.finish(ids, lambda _: None)
            counts.append(len(embedder.embedded))
        of_page = _passages_of_page(services, CHANGED)
        services.database.close()
    return counts[0], counts[1] - counts[0], of_page


def _pdf(changed: int | None) -> bytes:
    """Draw headings and paragraphs of seeded words; one page may have others."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True)
    for page in range(1, PAGES + 1):
        words = random.Random(page if page != changed else PAGES + page)
        canvas.setFont("Helvetica-Bold", 15)
        canvas.drawString(60, 790, f"Chapter {page}: {' '.join(words.sample(WORDS, 3))}")
        canvas.setFont("Helvetica", 10.5)
        for line in range(LINES):
            text = " ".join(words.choices(WORDS, k=11))
            canvas.drawString(60, 765 - 18 * line, text + ("." if line % 3 == 2 else ""))
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _passages_of_page(services: Services, page: int) -> int:
    with services.database.read() as session:
        newest = Passage.version_id.like("%.2")
        query = select(func.count()).where(
            newest, Passage.first_page <= page, Passage.last_page >= page
        )
        return session.scalar(query) or 0


if __name__ == "__main__":
    main()
