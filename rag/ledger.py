"""The ledger of a draft: each passage that was considered, in or out, and why."""

from typing import Any

from rag.retrieve import Hit


def entry(hit: Hit, reason: str, *, included: bool, tokens: int | None = None) -> dict[str, Any]:
    """Return a line of the ledger; tokens are None where none were counted."""
    return {
        "passage_id": hit.passage.id,
        "title": hit.version.title,
        "page": hit.passage.first_page,
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "tokens": tokens,
        "included": included,
        "reason": reason,
    }
