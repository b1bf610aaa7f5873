"""txtai: its own HTML reader, paragraphs and index; Chroma is not among its stores."""

# The stacks are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from txtai import Embeddings
from txtai.pipeline import Textractor

from tests.bench.peers import model
from tests.bench.peers.collection import Article


class Txtai:
    """All at its default; paragraphs are passages, as its guide to document search has it."""

    def __init__(self, home: Path, dtype: str | None) -> None:
        self._folder = home / "embeddings"
        self._textractor = Textractor(paragraphs=True)
        options = {"vectors": model.arguments(dtype)} if dtype else {}
        self._embeddings = Embeddings(path=model.folder(), content=True, **options)
        self._embeddings.index(["warm up"])

    def ingest(self, articles: Sequence[Article]) -> int:
        """Index all paragraphs and save the index."""
        rows = list(self._rows(articles))
        self._embeddings.index(rows)
        self._embeddings.save(str(self._folder))
        return len(rows)

    def ingest_again(self, articles: Sequence[Article]) -> None:
        """Put the same paragraphs under the same identifiers once more."""
        self._embeddings.upsert(self._rows(articles))
        self._embeddings.save(str(self._folder))

    def search(self, query: str, depth: int) -> list[str]:
        """Ask for the nearest paragraphs."""
        return [str(hit["id"]).rpartition("#")[0] for hit in self._embeddings.search(query, depth)]

    def _rows(self, articles: Sequence[Article]) -> Iterator[tuple[str, str, Any]]:
        for article in articles:
            for number, paragraph in enumerate(self._textractor(article.page)):
                yield f"{article.id}#{number}", paragraph, None


open_stack = Txtai
