"""Questions with and without an answer in the documents, and how close they are to what is found.

- northwind: questions about long PDFs; those without an answer are half absurd, and several of the
  others do have one, if another than was meant.
- nomiracl: each question with its own ten passages, all of them about its subject.
- withdrawn: a ticket that an article solved, with all articles there and with that one taken out.
  Often a related article answers too, or the right one is not found: the labels are noisy.
- desk: the sample desk's own questions.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import demo
from app.services import Services
from app.settings import PROJECT, Settings
from ingest import sources
from ingest.access import Scope
from rag import answerable
from rag.retrieve import Hit
from tests.rag.desk import hit, passage_encoder, query_encoder, share_encoders

DATA = PROJECT.parent / "shared" / "data"
DESK = "desk"
FITTED = ("northwind", "nomiracl", "withdrawn")
SETS = (*FITTED, DESK)
DEPTH = 40
# Deep enough that there are as many without the passages of one article.
DEPTH_BEFORE_WITHDRAWAL = 100


class AbsentDataError(Exception):
    """The shared data are not on this machine."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question: the cosine of its nearest passage, and of its nearest passage or sentence."""

    answerable: bool
    passage: float
    sentence: float
    votes: float

    def closeness(self, kind: str) -> float:
        """Return what the curve of this kind is about."""
        return self.passage if kind == "passages" else self.sentence


def read(name: str) -> list[Case]:
    """Search for the answers of a set of questions, in a throw-away home.

    Raises:
        AbsentDataError: Its data are not there.
    """
    readers = {
        "northwind": _northwind,
        "nomiracl": _nomiracl,
        "withdrawn": _withdrawn,
        DESK: _desk,
    }
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(home=Path(folder), database_url=""))
        share_encoders(services)
        try:
            return list(readers[name](services))
        finally:
            services.database.close()


def _northwind(services: Services) -> Iterator[Case]:
    folder = _present("northwind")
    _take_in(services, folder / "pdf")
    for file, is_answerable in (("qa.jsonl", True), ("qa_dontknows.jsonl", False)):
        for row in _rows(folder / file):
            yield _case(
                row["question"], _search(services, row["question"]), is_answerable=is_answerable
            )


def _nomiracl(_: Services) -> Iterator[Case]:
    folder = _present("nomiracl_en")
    for file, is_answerable in (("relevant.jsonl", True), ("non_relevant.jsonl", False)):
        rows = _rows(folder / file)
        texts = [text for row in rows for text in row["passages"]]
        vectors = iter(passage_encoder().encode(texts, lambda _: None))
        for row in rows:
            asked = query_encoder().encode(row["question"])
            scored = [(float(next(vectors) @ asked), text) for text in row["passages"]]
            hits = [
                hit(text, rank, score=score)
                for rank, (score, text) in enumerate(sorted(scored, reverse=True), start=1)
            ]
            yield _case(row["question"], hits, is_answerable=is_answerable)


def _withdrawn(services: Services) -> Iterator[Case]:
    folder = _present("sumo")
    export = services.home / "articles.jsonl"
    wanted = ("id", "title", "html")
    articles = ({name: row[name] for name in wanted} for row in _rows(folder / "kb.jsonl"))
    export.write_text("".join(json.dumps(article) + "\n" for article in articles))
    _take_in(services, export)
    for row in _rows(folder / "tickets_dev.jsonl"):
        if row["clean"] and row["locale"].startswith("en"):
            question = f"{row['subject']}\n{row['body']}"
            found = _search(services, question, DEPTH_BEFORE_WITHDRAWAL)
            rest = [hit for hit in found if hit.document.source not in row["documents"]]
            yield _case(question, found[:DEPTH], is_answerable=True)
            yield _case(question, rest[:DEPTH], is_answerable=False)


def _desk(services: Services) -> Iterator[Case]:
    demo.load(services)
    for row in _rows(PROJECT / "data" / "eval" / "questions.jsonl"):
        yield _case(
            row["question"], _search(services, row["question"]), is_answerable=row["answerable"]
        )


def _case(question: str, hits: Sequence[Hit], *, is_answerable: bool) -> Case:
    by_passage = answerable.evidence(question, hits, None)
    by_sentence = answerable.evidence(question, hits, query_encoder())
    return Case(is_answerable, by_passage.closeness, by_sentence.closeness, by_passage.votes)


def _search(services: Services, question: str, depth: int = DEPTH) -> list[Hit]:
    return services.retriever.search(question, depth, Scope.everything())


def _take_in(services: Services, path: Path) -> None:
    uploads = sources.uploads([path], {})
    ids = sources.submit(services.database, services.files, uploads, "benchmark")
    services.worker.finish(ids, lambda _: None)


def _present(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        message = f"{folder} is absent"
        raise AbsentDataError(message)
    return folder


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
