"""LlamaIndex: html2text, the sentence splitter, Chroma, the ingestion pipeline."""

# The stacks are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Sequence
from pathlib import Path

import chromadb
import html2text
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from tests.bench.peers import model
from tests.bench.peers.collection import Article

# Chroma takes 5,461 passages at once.
BATCH = 2_000


class LlamaIndex:
    """All at its default: nodes of 1,024 tokens, of which the model sees the first 256."""

    def __init__(self, home: Path, dtype: str | None) -> None:
        options = {"model_kwargs": model.arguments(dtype)} if dtype else {}
        self._embedding = HuggingFaceEmbedding(model_name=model.folder(), **options)
        client = chromadb.PersistentClient(str(home / "chroma"))
        self._store = ChromaVectorStore(client.get_or_create_collection("articles"))
        self._folder = home / "pipeline"
        self._pipeline = IngestionPipeline(
            transformations=[SentenceSplitter(), self._embedding],
            vector_store=self._store,
            docstore=SimpleDocumentStore(),
        )

    def ingest(self, articles: Sequence[Article]) -> int:
        """Run the pipeline and persist its document store and cache."""
        # What SimpleWebPageReader(html_to_text=True) makes of a page.
        pages = [
            Document(text=html2text.html2text(article.page), id_=article.id) for article in articles
        ]
        nodes = 0
        for start in range(0, len(pages), BATCH):
            nodes += len(self._pipeline.run(documents=pages[start : start + BATCH]))
        self._pipeline.persist(str(self._folder))
        return nodes

    def ingest_again(self, articles: Sequence[Article]) -> None:
        """Run the pipeline again; its document store tells which pages are known."""
        self.ingest(articles)

    def search(self, query: str, depth: int) -> list[str]:
        """Ask a retriever over Chroma."""
        index = VectorStoreIndex.from_vector_store(self._store, embed_model=self._embedding)
        found = index.as_retriever(similarity_top_k=depth).retrieve(query)
        return [str(hit.node.ref_doc_id) for hit in found]


open_stack = LlamaIndex
