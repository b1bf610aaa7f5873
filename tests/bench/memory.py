"""What the memory of solved tickets is worth, on a help centre's real tickets of the year after.

History is `tickets_train.jsonl` of `shared/data/sumo` beside this repository, questions are the
clean ones of `tickets_dev.jsonl`; they are other people's writing and no part of this repository.

Usage: python -m tests.bench.memory [--peers PYTHON]
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.commands.learn import import_history
from app.services import Services
from app.settings import Settings
from ingest import lexical, sources
from ingest.access import Scope
from ingest.query_encoder import QueryEncoder
from ingest.tables import Document, Job
from rag import cases, evaluate
from rag.intervals import mean_interval
from rag.memory import Memory
from rag.memory_keeper import MemoryKeeper
from rag.metrics import ndcg, recall
from rag.retrieve import Retriever
from rag.votes import OWN_SUGGESTION, read
from tests.bench import stacks, sumo

LANGUAGES = ("en", "it", "nl", "es")
PEERS = ("langchain", "llamaindex", "haystack", "txtai")
SCOPE = Scope.everything()
DEPTH = 60
FOUND = 50
RRF_CONSTANT = 60
SIZES = (0, 50, 200, 1_000)
BUCKETS = {"0": (0, 0), "1-3": (1, 3), "4-20": (4, 20), "more": (21, 10**9)}
SEED = 0

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

    def __init__(self, home: Path) -> None:
        self.services = Services(Settings().model_copy(update={"home": home}))
        self._encoder = Remembering(self.services.query_encoder)
        self.names: dict[str, str] = {}

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
            from ingest.tables import Passage, Version

            with self.services.database.read() as session:
                query = select(Passage.id, Version.document_id).join(Version)
                self._owners = dict(session.execute(query).all())
        return list(dict.fromkeys(self.names[self._owners[one]] for one in passage_ids))


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the interpreter that has the other stacks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as home:
        folder = Path(home) / "beir"
        sumo.build(folder, "")
        measure(Bench(Path(home) / "desk"), folder, options.peers)


def measure(bench: Bench, folder: Path, peers: str | None) -> None:
    """Print every table."""
    asked = questions()
    history = sumo.SOURCE / "tickets_train.jsonl"
    solved = Counter(name for row in rows(history) for name in row["documents"])
    bench.take_in(folder)
    say(HEADER)
    show("full text (BM25)", bench.words, asked)
    show("dense", bench.dense, asked)
    show("naive fusion (RRF)", bench.naive, asked)
    show("ours, without history", bench.with_memory(bench.memory()), asked)
    import_history(bench.services, history, known=frozenset())
    cases.complete(bench.services.database, bench.services.ingestion.embedder)
    voting = bench.memory()
    show("ours, with cases", bench.with_memory(voting), asked)
    lesson = bench.services.learner.learn("bench")
    learnt = bench.memory()
    show("ours, with cases and head", bench.with_memory(learnt), asked)
    if peers:
        show_peers(peers, folder, asked)
    say(f"\nlearn: {json.dumps(lesson.card)}")
    english = [question for question in asked if question.language == "en"]
    show_frequency(bench, learnt, english, solved)
    show_cold_start(bench, voting, learnt, english)
    show_loop(bench, learnt, english)


HEADER = "recall@5 / recall@10 / nDCG@10 by language, with the 95 % interval of recall@5\n"


def show(name: str, ranking: Ranking, asked: Sequence[Question]) -> dict[str, list[str]]:
    """Print a row, and return the rankings."""
    found = {question.id: ranking(question.text)[:DEPTH] for question in asked}
    show_rankings(name, found, asked)
    return found


def show_rankings(name: str, found: dict[str, list[str]], asked: Sequence[Question]) -> None:
    """Print a row of figures."""
    cells = []
    for language in LANGUAGES:
        own = [question for question in asked if question.language == language]
        five = [recall(found.get(q.id, []), {q.article: 1}, 5) for q in own]
        ten = [recall(found.get(q.id, []), {q.article: 1}, 10) for q in own]
        gain = [ndcg(found.get(q.id, []), {q.article: 1}, 10) for q in own]
        sure = mean_interval(five)
        cells.append(
            f"{language} {sure.mean:.3f} [{sure.low:.3f}-{sure.high:.3f}]"
            f" {np.mean(ten):.3f} {np.mean(gain):.3f}"
        )
    say(f"{name:27s}" + "   ".join(cells))


def show_peers(python: str, folder: Path, asked: Sequence[Question]) -> None:
    """Print the rows of other stacks over the same articles and questions."""
    for stack in PEERS:
        found = stacks.rankings_of_peer(python, stack, folder)
        show_rankings(stack, found, asked)


def show_frequency(
    bench: Bench, memory: Memory, asked: Sequence[Question], solved: Counter[str]
) -> None:
    """Print recall@5 by how often the article solved a ticket before, and as if just published."""
    ranking = bench.with_memory(memory)
    ids = {name: document_id for document_id, name in bench.names.items()}
    say("\nrecall@5 of English tickets by how often their article occurs in the history")
    for name, (low, high) in BUCKETS.items():
        own = [question for question in asked if low <= solved[question.article] <= high]
        ours, plain = mean_recall(ranking, own), mean_recall(bench.dense, own)
        say(f"{name:>6s}: {len(own):4d} tickets, dense {plain:.3f}, ours {ours:.3f}")
    published = {
        article: bench.with_memory(without(memory, ids[article]))
        for article in {question.article for question in asked}
    }
    as_new = np.mean([found(published[q.article], q) for q in asked])
    plain = mean_recall(bench.dense, asked)
    say(f"as if just published: dense {plain:.3f}, ours {as_new:.3f}")


def show_cold_start(
    bench: Bench, voting: Memory, learnt: Memory, asked: Sequence[Question]
) -> None:
    """Print recall@5 against the number of solved tickets known."""
    say("\nrecall@5 of English tickets by the number of solved tickets known (drawn at random)")
    order = np.random.default_rng(SEED).permutation(len(voting.vectors))
    for size in SIZES:
        some = chosen(voting, np.sort(order[:size]))
        say(f"{size:6d}: {mean_recall(bench.with_memory(some), asked):.3f}")
    say(f"{len(order):6d}: {mean_recall(bench.with_memory(voting), asked):.3f}")
    say(f"{len(order):6d}: {mean_recall(bench.with_memory(learnt), asked):.3f} with the head")


def show_loop(bench: Bench, memory: Memory, asked: Sequence[Question]) -> None:
    """Print what is lost where the later half was labelled by our own first hits, unedited."""
    half = len(memory.vectors) // 2
    early = replace(memory.before(half), head=None)
    ranking = bench.with_memory(early)
    with bench.services.database.read() as session:
        from rag.tables import Case

        texts = session.scalars(
            select(Case.question).order_by(Case.solved_at, Case.ticket_id)
        ).all()
    place = {bench.names[name]: index for index, name in enumerate(memory.document_ids)}
    rows, documents, weights = [], [], []
    ages = np.zeros(len(memory.vectors), np.float32)
    np.maximum.at(ages, memory.rows, memory.weights)
    for row in range(half, len(memory.vectors)):
        first = next((name for name in ranking(texts[row]) if name in place), None)
        if first is not None:
            rows.append(row)
            documents.append(place[first])
            weights.append(ages[row] * OWN_SUGGESTION)
    known = memory.rows < half
    looped = replace(
        memory,
        rows=np.concatenate([memory.rows[known], np.array(rows)]),
        documents=np.concatenate([memory.documents[known], np.array(documents)]),
        weights=np.concatenate([memory.weights[known], np.array(weights, np.float32)]),
        head=None,
    )
    true, own = replace(memory, head=None), looped
    say("\nthe later half of the history labelled by our own first hits, never edited")
    for name, one in (("first half only", early), ("true labels", true), ("own labels", own)):
        found = bench.with_memory(one)
        rankings = [found(question.text)[:5] for question in asked]
        shown = {name for ranking_ in rankings for name in ranking_}
        hit = np.mean([q.article in r for q, r in zip(asked, rankings, strict=True)])
        say(f"{name:16s} recall@5 {hit:.3f}, {len(shown)} documents shown")


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


def mean_recall(ranking: Ranking, asked: Sequence[Question]) -> float:
    """Return recall@5."""
    return float(np.mean([found(ranking, question) for question in asked]))


def found(ranking: Ranking, question: Question) -> bool:
    """Tell whether the article is among the first five."""
    return question.article in ranking(question.text)[:5]


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


if __name__ == "__main__":
    main()
