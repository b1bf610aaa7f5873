"""The articles and tickets that every stack is given, as a help centre would serve them."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Article:
    """One web page; `page` is its whole HTML, the title in its head."""

    id: str
    page: str


class Stack(Protocol):
    """A retrieval stack whose model is loaded and whose store is empty."""

    def ingest(self, articles: Sequence[Article]) -> int:
        """Make articles searchable, on disk too, and return the number of passages."""
        ...

    def ingest_again(self, articles: Sequence[Article]) -> None:
        """Take the same articles in once more, in the way this stack offers for that."""
        ...

    def search(self, query: str, depth: int) -> list[str]:
        """Return the article ids of the best passages, best first, with repetitions."""
        ...


def read_articles(folder: Path) -> list[Article]:
    """Read the corpus of a BEIR folder."""
    return [Article(row["_id"], _page(row)) for row in _rows(folder / "corpus.jsonl")]


def read_queries(folder: Path) -> dict[str, str]:
    """Read the queries of a BEIR folder."""
    return {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}


def _page(row: dict[str, Any]) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(row["title"])}</title>'
    body = row.get("html") or _paragraphs(row["text"])
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n") if part.strip())


def _rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
