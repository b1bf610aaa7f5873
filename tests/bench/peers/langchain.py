"""LangChain: BeautifulSoup's text, the recursive splitter, Chroma, the indexing API."""

# The stacks are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Sequence
from pathlib import Path

from bs4 import BeautifulSoup
from langchain_chroma import Chroma
from langchain_classic.indexes import SQLRecordManager
from langchain_core.documents import Document
from langchain_core.indexing import index
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from tests.bench.peers import model
from tests.bench.peers.collection import Article

# As many as Chroma accepts at once. The default of 100 is slower: texts are sorted by length
# within a batch, so small batches are padded more.
BATCH = 5_000


class LangChain:
    """The guides' 1,000 characters with 200 of overlap; all else at its default.

    Chroma's space is Euclidean then, which ranks unit vectors as the cosine does.
    """

    def __init__(self, home: Path, dtype: str | None) -> None:
        options = {"model_kwargs": model.arguments(dtype)} if dtype else {}
        embeddings = HuggingFaceEmbeddings(model_name=model.folder(), model_kwargs=options)
        self._splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=200)
        self._store = Chroma("articles", embeddings, persist_directory=str(home / "chroma"))
        self._records = SQLRecordManager("articles", db_url=f"sqlite:///{home / 'records.db'}")
        self._records.create_schema()

    def ingest(self, articles: Sequence[Article]) -> int:
        """Split and index, as the guide of the indexing API shows."""
        # What BSHTMLLoader makes of a file: `get_text()` of the parsed page.
        pages = [
            Document(
                BeautifulSoup(article.page, "lxml").get_text(), metadata={"source": article.id}
            )
            for article in articles
        ]
        passages = self._splitter.split_documents(pages)
        index(
            passages,
            self._records,
            self._store,
            cleanup="incremental",
            source_id_key="source",
            batch_size=BATCH,
            key_encoder="sha256",
        )
        return len(passages)

    def ingest_again(self, articles: Sequence[Article]) -> None:
        """Split again; the records tell which passages are known."""
        self.ingest(articles)

    def search(self, query: str, depth: int) -> list[str]:
        """Ask Chroma for the nearest passages."""
        found = self._store.similarity_search(query, k=depth)
        return [str(page.metadata["source"]) for page in found]


open_stack = LangChain
