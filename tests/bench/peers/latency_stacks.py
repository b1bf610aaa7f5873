"""The four stacks over passages whose vectors are given, with who may read them as metadata.

A query costs what it costs in the stack as shipped: its own embedder runs, and only then is the
vector exchanged for the given one. All else is at its default, as in the file of each stack.
"""

# The stacks are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.peers import model

# From a query to the ids of its passages.
Search = Callable[[str], list[str]]

# Passages asked for per query.
DEPTH = 10
# Close to as many as Chroma accepts at once.
BATCH = 5_000
# Who asks may read these, and what is restricted to this label.
OPEN = ["public", "internal"]
LABEL = "alpha"


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage; `vector` has length 1."""

    id: str
    text: str
    visibility: str
    label: str
    vector: NDArray[np.float32]

    @property
    def metadata(self) -> dict[str, str]:
        """Return what the filter looks at."""
        return {"visibility": self.visibility, "label": self.label}

    @property
    def floats(self) -> list[float]:
        """Return the vector as the stacks that take no arrays want it."""
        return [float(number) for number in self.vector]

    @property
    def allowed(self) -> bool:
        """Tell whether the filter lets this passage through."""
        return self.visibility in OPEN or (self.visibility, self.label) == ("restricted", LABEL)


@dataclass(frozen=True, slots=True)
class Given:
    """What there is to search, and the vector of every query's text."""

    passages: list[Passage]
    queries: dict[str, list[float]]

    def batches(self) -> Iterator[list[Passage]]:
        """Yield the passages in as many as a store is given at once."""
        for start in range(0, len(self.passages), BATCH):
            yield self.passages[start : start + BATCH]


def langchain(home: Path, given: Given) -> Search:
    """Fill Chroma through LangChain."""
    from langchain_chroma import Chroma
    from langchain_huggingface import HuggingFaceEmbeddings

    vectors = {passage.text: passage.vector for passage in given.passages}

    class GivenEmbeddings(HuggingFaceEmbeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [vectors[text].tolist() for text in texts]

        def embed_query(self, text: str) -> list[float]:
            super().embed_query(text)
            return given.queries[text]

    embeddings = GivenEmbeddings(model_name=model.folder())
    store = Chroma("passages", embeddings, persist_directory=str(home))
    for batch in given.batches():
        store.add_texts(
            [passage.text for passage in batch],
            [passage.metadata for passage in batch],
            [passage.id for passage in batch],
        )
    restricted = {"$and": [{"visibility": {"$eq": "restricted"}}, {"label": {"$eq": LABEL}}]}
    readable = {"$or": [{"visibility": {"$in": OPEN}}, restricted]}
    return lambda text: [
        page.id for page in store.similarity_search(text, k=DEPTH, filter=readable)
    ]


def llamaindex(home: Path, given: Given) -> Search:
    """Fill Chroma through LlamaIndex, whose filters belong to a retriever: one a query."""
    import chromadb
    from llama_index.core import VectorStoreIndex
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    class GivenEmbedding(HuggingFaceEmbedding):  # type: ignore[misc]
        def _get_query_embedding(self, query: str) -> list[float]:
            super()._get_query_embedding(query)
            return given.queries[query]

    client = chromadb.PersistentClient(str(home))
    store = ChromaVectorStore(client.get_or_create_collection("passages"))
    for batch in given.batches():
        store.add(
            [
                TextNode(id_=row.id, text=row.text, metadata=row.metadata, embedding=row.floats)
                for row in batch
            ]
        )
    embedding = GivenEmbedding(model_name=model.folder())
    index = VectorStoreIndex.from_vector_store(store, embed_model=embedding)
    readable = _llamaindex_filters()

    def search(text: str) -> list[str]:
        retriever = index.as_retriever(similarity_top_k=DEPTH, filters=readable)
        return [hit.node.node_id for hit in retriever.retrieve(text)]

    return search


def _llamaindex_filters() -> Any:
    from llama_index.core.vector_stores import (
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
    )

    restricted = MetadataFilters(
        filters=[
            MetadataFilter(key="visibility", value="restricted"),
            MetadataFilter(key="label", value=LABEL),
        ],
        condition=FilterCondition.AND,
    )
    unrestricted = MetadataFilter(key="visibility", value=OPEN, operator=FilterOperator.IN)
    return MetadataFilters(filters=[unrestricted, restricted], condition=FilterCondition.OR)


def haystack(home: Path, given: Given) -> Search:
    """Fill Haystack's Chroma, many passages at once: its own writer takes them one by one."""
    from haystack import Pipeline, component
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
    from haystack_integrations.document_stores.chroma import ChromaDocumentStore

    class GivenEmbedder(SentenceTransformersTextEmbedder):  # type: ignore[misc]
        @component.output_types(embedding=list[float])  # type: ignore[untyped-decorator]
        def run(self, text: str) -> dict[str, Any]:
            super().run(text)
            return {"embedding": given.queries[text]}

    store = ChromaDocumentStore("passages", persist_path=str(home))
    store._ensure_initialized()
    collection = store._collection
    for batch in given.batches():
        collection.add(
            ids=[row.id for row in batch],
            documents=[row.text for row in batch],
            metadatas=[row.metadata for row in batch],
            embeddings=[row.floats for row in batch],
        )
    querying = Pipeline()
    querying.add_component("embedder", GivenEmbedder(model=model.folder(), progress_bar=False))
    querying.add_component("retriever", ChromaEmbeddingRetriever(store))
    querying.connect("embedder.embedding", "retriever.query_embedding")
    options = {"top_k": DEPTH, "filters": _haystack_filters()}

    def search(text: str) -> list[str]:
        found = querying.run({"embedder": {"text": text}, "retriever": options})
        return [page.id for page in found["retriever"]["documents"]]

    return search


def _haystack_filters() -> dict[str, Any]:
    restricted = {
        "operator": "AND",
        "conditions": [
            {"field": "meta.visibility", "operator": "==", "value": "restricted"},
            {"field": "meta.label", "operator": "==", "value": LABEL},
        ],
    }
    unrestricted = {"field": "meta.visibility", "operator": "in", "value": OPEN}
    return {"operator": "OR", "conditions": [unrestricted, restricted]}


def txtai(home: Path, given: Given) -> Search:
    """Fill txtai's index and database; its filter sees only the index's best candidates.

    Their number is its default, ten times the passages asked for.
    """
    from txtai import Embeddings

    vectors = {passage.text: passage.vector for passage in given.passages}
    shipped = Embeddings(path=model.folder())

    # It is not told whether it is given a query or a batch of passages.
    def transform(texts: list[str]) -> Any:
        if len(texts) == 1 and texts[0] in given.queries:
            shipped.batchtransform(texts)
            return [given.queries[texts[0]]]
        return np.stack([vectors[text] for text in texts])

    embeddings = Embeddings(method="external", transform=transform, content=True)
    embeddings.index((row.id, {"text": row.text, **row.metadata}, None) for row in given.passages)
    embeddings.save(str(home))
    unrestricted = ", ".join(f"'{visibility}'" for visibility in OPEN)
    readable = (
        "select id, text, score, visibility, label from txtai where similar(:text) and "
        f"(visibility in ({unrestricted}) or (visibility = 'restricted' and label = '{LABEL}'))"
    )
    return lambda text: [
        hit["id"] for hit in embeddings.search(readable, DEPTH, parameters={"text": text})
    ]


STACKS = {"langchain": langchain, "llamaindex": llamaindex, "haystack": haystack, "txtai": txtai}
