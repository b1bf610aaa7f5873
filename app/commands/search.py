"""The search command."""

import time
from typing import Any

from app import accounts, console
from app.services import Services
from ingest.access import Scope
from rag.retrieve import Hit


def search(services: Services, query: str, k: int, email: str | None) -> None:
    """Print the best passages for a query, as an account sees them."""
    scope = Scope.everything()
    if email is not None:
        with services.database.read() as session:
            scope = accounts.scope_of(accounts.by_email(session, email))
    begun = time.perf_counter()
    hits = services.retriever.search(query, k, scope)
    document = {
        "query": query,
        "seconds": round(time.perf_counter() - begun, 4),
        "hits": [_row(hit) for hit in hits],
    }
    console.show(document, [_line(hit) for hit in hits] or ["Nothing found."])


def _row(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "document_id": hit.document.id,
        "title": hit.version.title,
        "source": hit.document.source,
        "first_page": hit.passage.first_page,
        "last_page": hit.passage.last_page,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "text": hit.passage.text,
        "why": hit.why,
    }


def _line(hit: Hit) -> str:
    page = f", page {hit.passage.first_page}" if hit.passage.first_page else ""
    text = " ".join(hit.passage.text.split())[:160]
    return f"{hit.rank:>2}  {hit.score:.3f}  {hit.version.title}{page}\n      {text}"
