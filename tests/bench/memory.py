"""What the memory of solved tickets is worth, on a help centre's real tickets of the year after.

History is `tickets_train.jsonl` of `shared/data/sumo` beside this repository, questions are the
clean ones of `tickets_dev.jsonl`; they are other people's writing and no part of this repository.

Usage: python -m tests.bench.memory [--peers PYTHON] [--encoder EPOCHS]
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import select

from app.commands.learn import import_history
from ingest.tuner import Recipe
from rag import cases
from rag.intervals import mean_interval
from rag.memory import Memory
from rag.metrics import ndcg, recall
from rag.tables import Case
from rag.votes import OWN_SUGGESTION
from tests.bench import stacks, sumo
from tests.bench.compare import PEERS
from tests.bench.memory_desk import (
    LANGUAGES,
    Bench,
    Question,
    Ranking,
    chosen,
    questions,
    rows,
    without,
)
from tests.bench.memory_encoder import with_trained_encoder

DEPTH = 60
SIZES = (0, 50, 200, 1_000)
BUCKETS = {"0": (0, 0), "1-3": (1, 3), "4-20": (4, 20), "more": (21, 10**9)}
SEED = 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the interpreter that has the other stacks")
    parser.add_argument(
        "--encoder", type=int, default=0, help="train the encoder too, for so many epochs"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as home:
        folder = Path(home) / "beir"
        sumo.build(folder, "")
        measure(Bench.at(Path(home) / "desk"), folder, options.peers, options.encoder)


def measure(bench: Bench, folder: Path, peers: str | None, epochs: int) -> None:
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
    if epochs:
        trained = with_trained_encoder(bench, Recipe(epochs))
        show("ours, with learnt encoder", trained.with_memory(trained.memory()), asked)
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


def mean_recall(ranking: Ranking, asked: Sequence[Question]) -> float:
    """Return recall@5."""
    return float(np.mean([found(ranking, question) for question in asked]))


def found(ranking: Ranking, question: Question) -> bool:
    """Tell whether the article is among the first five."""
    return question.article in ranking(question.text)[:5]


if __name__ == "__main__":
    main()
