"""Haystack: trafilatura's text, the document splitter, Chroma, a writer that skips duplicates."""

# The stacks are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from haystack import Pipeline
from haystack.components.converters import HTMLToDocument
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import ByteStream
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
from haystack_integrations.document_stores.chroma import ChromaDocumentStore

from tests.bench.peers import model
from tests.bench.peers.collection import Article

# Chroma takes 5,461 passages at once.
BATCH = 2_000


class Haystack:
    """All at its default: 200 words a passage, no overlap, batches of 32."""

    def __init__(self, home: Path, dtype: str | None) -> None:
        options: dict[str, Any] = {"model": model.folder(), "progress_bar": False}
        if dtype:
            options["model_kwargs"] = model.arguments(dtype)
        self._store = ChromaDocumentStore("articles", persist_path=str(home))
        self._indexing = _chain(
            {
                "converter": HTMLToDocument(),
                "cleaner": DocumentCleaner(),
                "splitter": DocumentSplitter(),
                "embedder": SentenceTransformersDocumentEmbedder(**options),
                "writer": DocumentWriter(self._store, DuplicatePolicy.SKIP),
            }
        )
        self._indexing.warm_up()
        self._querying = Pipeline()
        self._querying.add_component("embedder", SentenceTransformersTextEmbedder(**options))
        self._querying.add_component("retriever", ChromaEmbeddingRetriever(self._store))
        self._querying.connect("embedder.embedding", "retriever.query_embedding")

    def ingest(self, articles: Sequence[Article]) -> int:
        """Run the indexing pipeline."""
        sources = [ByteStream(article.page.encode(), mime_type="text/html") for article in articles]
        meta = [{"source": article.id} for article in articles]
        written = 0
        for start in range(0, len(sources), BATCH):
            batch = slice(start, start + BATCH)
            given = {"sources": sources[batch], "meta": meta[batch]}
            done = self._indexing.run({"converter": given})
            written += int(done["writer"]["documents_written"])
        return written

    def ingest_again(self, articles: Sequence[Article]) -> None:
        """Run the pipeline again; only the writer, its last part, knows what is there."""
        self.ingest(articles)

    def search(self, query: str, depth: int) -> list[str]:
        """Run the query pipeline."""
        found = self._querying.run({"embedder": {"text": query}, "retriever": {"top_k": depth}})
        return [str(page.meta["source"]) for page in found["retriever"]["documents"]]


def _chain(components: dict[str, Any]) -> Pipeline:
    pipeline = Pipeline()
    for name, component in components.items():
        pipeline.add_component(name, component)
    for sender, receiver in pairwise(components):
        pipeline.connect(sender, receiver)
    return pipeline


open_stack = Haystack
