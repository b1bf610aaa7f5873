"""Tickets with and without an answer in the documents, and the documents that answer.

- desk: the sample desk's own tickets; `must` says what a reply has to state.
- northwind: questions about long PDFs, with the page that answers; several of those that are meant
  to have no answer do have one.
- sumo: tickets that an article of a help centre solved, with all articles there and with that one
  taken out. Often a related article answers too, or the right one is not found.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from app import demo
from app.services import Services
from app.settings import PROJECT
from ingest import sources
from rag.evaluate_drafts import JudgedTicket
from rag.pipeline import Drafter
from rag.retrieve import Hit, Retriever
from tests.bench.northwind import CITED
from tests.bench.northwind import DATA as NORTHWIND
from tests.bench.sumo import SOURCE as SUMO

DRAFTS = PROJECT / "data" / "eval" / "drafts.jsonl"
Place = tuple[str, int | None]
"""A document by its source, and its page; None where the whole document is meant."""


class AbsentDataError(Exception):
    """The shared data are not on this machine."""


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket, the places that answer it, and the document that is taken out before it is asked.

    Without `gold` nobody knows the places.
    """

    ticket: JudgedTicket
    gold: frozenset[Place] = frozenset()
    withdrawn: str | None = None

    def is_cited_by(self, hits: Sequence[Hit]) -> bool:
        """Tell whether one of the hits shows a place that answers."""
        return any(place in self.gold for hit in hits for place in _places(hit))


@dataclass(frozen=True, slots=True)
class CaseSet:
    """A set of cases, and how the documents get into a new desk."""

    load: Callable[[Services], None]
    cases: Callable[[], list[Case]]


def drafter_without(drafter: Drafter, source: str | None) -> Drafter:
    """Return a drafter that does not find one of the documents."""
    if source is None:
        return drafter
    return replace(drafter, retriever=cast("Retriever", _Without(drafter.retriever, source)))


class _Without:
    """Searches past a document that counts as withdrawn."""

    # One article has hardly more passages.
    SPARE = 40

    def __init__(self, retriever: Retriever, source: str) -> None:
        self._retriever = retriever
        self._source = source
        self.fingerprint = retriever.fingerprint

    def search(self, question: str, k: int, *details: Any) -> list[Hit]:
        found = self._retriever.search(question, k + self.SPARE, *details)
        return [hit for hit in found if hit.document.source != self._source][:k]


def _desk() -> list[Case]:
    return [Case(JudgedTicket.model_validate(row)) for row in _rows(DRAFTS)]


def _northwind() -> list[Case]:
    cases = []
    for name, answerable in (("qa", True), ("qa_dontknows", False)):
        for number, row in enumerate(_rows(NORTHWIND / f"{name}.jsonl"), start=1):
            gold = frozenset((file, int(page)) for file, page in CITED.findall(row["truth"]))
            ticket = _ticket(f"{name}-{number}", "", row["question"], answerable=answerable)
            cases.append(Case(ticket, gold if answerable else frozenset()))
    return cases


def _sumo() -> list[Case]:
    rows = _rows(SUMO / "tickets_dev.jsonl")
    clean = [row for row in rows if row["clean"] and row["locale"].startswith("en")]
    return [case for row in clean for case in _sumo_pair(row)]


def _sumo_pair(row: dict[str, Any]) -> Iterator[Case]:
    """Yield a ticket with its article there, and with it taken out."""
    for answerable in (True, False):
        ticket = _ticket(row["id"], row["subject"], row["body"], answerable=answerable)
        gold = frozenset((source, None) for source in row["documents"])
        yield Case(ticket, gold, None if answerable else row["documents"][0])


def _ticket(name: object, subject: str, body: str, *, answerable: bool) -> JudgedTicket:
    return JudgedTicket(
        id=f"{name}{'' if answerable else '-without'}",
        subject=subject,
        body=body,
        locale="en",
        answerable=answerable,
    )


def _load_northwind(services: Services) -> None:
    _take_in(services, NORTHWIND / "pdf")


def _load_sumo(services: Services) -> None:
    export = services.home / "articles.jsonl"
    services.home.mkdir(parents=True, exist_ok=True)
    wanted = ("id", "title", "html")
    articles = ({name: row[name] for name in wanted} for row in _rows(SUMO / "kb.jsonl"))
    export.write_text("".join(json.dumps(article) + "\n" for article in articles))
    _take_in(services, export)


def _take_in(services: Services, path: Path) -> None:
    uploads = sources.uploads([path], {"visibility": "public"})
    ids = sources.submit(services.database, services.files, uploads, "benchmark")
    services.worker.finish(ids, lambda _: None)


def _places(hit: Hit) -> list[Place]:
    first, last = hit.passage.first_page or 0, hit.passage.last_page or 0
    source = hit.document.source
    return [(source, None), *((source, page) for page in range(first, last + 1))]


def _rows(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        message = f"{file} is absent"
        raise AbsentDataError(message)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


SETS = {
    "desk": CaseSet(demo.load, _desk),
    "northwind": CaseSet(_load_northwind, _northwind),
    "sumo": CaseSet(_load_sumo, _sumo),
}
