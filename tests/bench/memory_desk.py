"""The help centre of the memory's benchmark: its tickets, and its articles asked in many ways."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.services import Services
from app.settings import Settings
from ingest import lexical, sources
from ingest.access import Scope
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Job, Passage, Version
from rag import evaluate
from rag.memory import Memory
from rag.memory_keeper import MemoryKeeper
from rag.retrieve import Retriever
from rag.votes import read
from tests.bench import sumo

LANGUAGES = ("en", "it", "nl", "es")
SCOPE = Scope.everything()
FOUND = 50
RRF_CONSTANT = 60

Ranking = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A ticket with the article that solved it."""

    id: str
    text: str
    language: str
    article: str


class Remembering(QueryEncoder):
    """Embeds each text once: the same questions are asked many times."""

    def __init__(self, encoder: QueryEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    def encode(self, text: str) -> NDArray[np.float32]:
        if text not in self._known:
            self._known[text] = self._encoder.encode(text)
        return self._known[text]


class Fixed:
    """A memory that does not change, in place of the one that follows the record."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def current(self) -> Memory:
        return self.memory


class Bench:
    """The help centre in a throw-away home, asked in many ways."""

    def __init__(self, services: Services, names: dict[str, str] | None = None) -> None:
        """Ask a desk; `names` are those of the articles, by document, that are here already."""
        self.services = services
        self._encoder = Remembering(services.query_encoder)
        self.names = names or {}

    @classmethod
    def at(cls, home: Path) -> Self:
        """Open a new home."""
        return cls(Services(Settings().model_copy(update={"home": home})))

    def take_in(self, folder: Path) -> None:
        """Ingest the articles."""
        self.services.home.mkdir(parents=True, exist_ok=True)
        export = self.services.home / "corpus.jsonl"
        lines = evaluate.corpus_lines(folder / "corpus.jsonl")
        export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        services = self.services
        uploads = sources.uploads([export], {})
        ids = sources.submit(services.database, services.files, uploads, "bench")
        services.worker.finish(ids, lambda _: None)
        with services.database.read() as session:
            self.names = dict(session.execute(select(Document.id, Document.source)).all())
            assert session.scalar(select(Job.id).limit(1)) is not None

    def memory(self) -> Memory:
        """Return the memory as the record has it."""
        with self.services.database.read() as session:
            return read(session, self.services.weights.fingerprint)

    def with_memory(self, memory: Memory) -> Ranking:
        """Return the product's ranking of articles, given a memory."""
        retriever = Retriever(self.services.database, self._encoder, self.services.index)
        retriever._memory = cast("MemoryKeeper", Fixed(memory))

        def ranking(text: str) -> list[str]:
            hits = retriever.search(text, FOUND, SCOPE)
            return list(dict.fromkeys(self.names[hit.document.id] for hit in hits))

        return ranking

    def dense(self, text: str) -> list[str]:
        """Rank by cosine alone."""
        near = self.services.index.search(self._encoder.encode(text), 100, SCOPE.visibilities)
        return self._articles([hit.passage_id for hit in near])

    def words(self, text: str) -> list[str]:
        """Rank by full text alone."""
        with self.services.database.read() as session:
            found = lexical.search(session, text, 100, SCOPE.visibilities)
        return self._articles([hit.passage_id for hit in found])

    def naive(self, text: str) -> list[str]:
        """Fuse the two by reciprocal rank, as frameworks do."""
        scores: Counter[str] = Counter()
        for found in (self.dense(text), self.words(text)):
            for place, name in enumerate(found, start=1):
                scores[name] += 1 / (RRF_CONSTANT + place)  # type: ignore[assignment]
        return [name for name, _ in scores.most_common()]

    def _articles(self, passage_ids: Sequence[str]) -> list[str]:
        if not hasattr(self, "_owners"):
            with self.services.database.read() as session:
                query = select(Passage.id, Version.document_id).join(Version)
                self._owners = dict(session.execute(query).all())
        return list(dict.fromkeys(self.names[self._owners[one]] for one in passage_ids))


def chosen(memory: Memory, kept: NDArray[np.int64]) -> Memory:
    """Return the memory of some cases only."""
    new = np.full(len(memory.vectors), -1)
    new[kept] = np.arange(len(kept))
    votes = new[memory.rows] >= 0
    return replace(
        memory,
        vectors=memory.vectors[kept],
        languages=[memory.languages[index] for index in kept],
        products=[memory.products[index] for index in kept],
        rows=new[memory.rows[votes]],
        documents=memory.documents[votes],
        weights=memory.weights[votes],
    )


def without(memory: Memory, document_id: str) -> Memory:
    """Return the memory as if a document had just been published."""
    if document_id not in memory.document_ids:
        return memory
    kept = memory.documents != memory.document_ids.index(document_id)
    head = memory.head
    if head is not None and document_id in head.document_ids:
        rest = [row for row, name in enumerate(head.document_ids) if name != document_id]
        head = replace(
            head,
            document_ids=tuple(head.document_ids[row] for row in rest),
            documents=head.documents[rest],
            biases=head.biases[rest],
            spelt=head.spelt[rest],
            spelt_biases=head.spelt_biases[rest],
        )
    return replace(
        memory,
        rows=memory.rows[kept],
        documents=memory.documents[kept],
        weights=memory.weights[kept],
        head=head,
    )


def questions() -> list[Question]:
    """Return the clean tickets of the later year."""
    return [
        Question(row["id"], f"{row['subject']}\n{row['body']}", language, row["documents"][0])
        for row in rows(sumo.SOURCE / "tickets_dev.jsonl")
        for language in LANGUAGES
        if row["clean"] and row["locale"].startswith(language)
    ]


def rows(file: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
