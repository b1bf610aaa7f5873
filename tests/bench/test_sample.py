"""The sample desk's evaluation fails where search got worse, and says in which questions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.services import Services
from ingest import sources
from ingest.access import Scope
from ingest.sources import Upload
from rag import runs
from rag.retrieve import Hit
from rag.runs import ALL, Run
from tests.bench import sample
from tests.rag.desk import hit

WORDS = ("anchor", "bellows", "candle", "dynamo", "engine", "funnel", "gasket", "hammer")


class Backwards:
    """A retriever that gives the least fitting of what was found first."""

    def __init__(self, services: Services) -> None:
        self._retriever = services.retriever

    @property
    def fingerprint(self) -> str:
        return self._retriever.fingerprint

    def search(self, question: str, k: int, scope: Scope, language: str | None = None) -> list[Hit]:
        return self._retriever.search(question, len(WORDS), scope, language)[::-1][:k]


def question(word: str, **fields: Any) -> dict[str, Any]:
    gold = [{"source": f"{word}.md", "page": None, "quote": ""}]
    row = {"question": f"What is the {word} for?", "locale": "en", "answerable": True, "gold": gold}
    return {"id": f"Q-{word}", **row, **fields}


ROWS = [
    *(question(word) for word in WORDS),
    question("zebra", answerable=False, gold=[], question="Quel zèbre ?", locale="fr"),
]


@pytest.fixture
def desk(services: Services) -> Services:
    """Return a desk that knows one page about each word."""
    uploads = [
        Upload(f"{word}.md", f"{word}.md", f"The {word} is there for the {word} alone.".encode())
        for word in WORDS
    ]
    ids = sources.submit(services.database, services.files, uploads, "owner")
    services.worker.finish(ids, lambda _: None)
    return services


@pytest.fixture
def last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the last run is kept; there is none yet."""
    monkeypatch.setattr(sample, "LAST", tmp_path / "last_run.json")
    return sample.LAST


def worsened(services: Services) -> Run:
    vars(services)["retriever"] = Backwards(services)
    return sample.ask(services, ROWS)


def test_a_page_found_first_scores_in_full_and_each_language_has_its_rows(desk: Services) -> None:
    run = sample.ask(desk, ROWS)

    assert {run.means()[ALL, measure].mean for measure in ("recall@5", "nDCG@10", "MRR@10")} == {1}
    assert run.questions["Q-zebra"].language == "fr"
    assert list(run.questions["Q-zebra"].values) == ["left undrafted"]


def test_the_same_search_passes_and_is_not_kept_unasked(
    desk: Services, last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = sample.ask(desk, ROWS), sample.ask(desk, ROWS)

    status = sample.conclude(second, first, ROWS, keep=False)

    printed = capsys.readouterr().out
    assert status == 0
    assert "gold document and page among the first 5 passages: 8 of 8 (1.000)" in printed
    assert "No question scored lower." in printed
    assert not last.exists()


def test_a_worse_search_fails_and_names_its_questions(
    desk: Services, last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sample.ask(desk, ROWS)

    status = sample.conclude(worsened(desk), first, ROWS, keep=False)

    printed = capsys.readouterr().out
    assert status == 1
    assert "MRR@10 FELL by more than chance explains. Lower in:" in printed
    assert "  Q-anchor  1.000 to 0.125  What is the anchor for?" in printed
    assert not last.exists()


def test_a_run_that_is_kept_is_the_one_to_compare_with(desk: Services, last: Path) -> None:
    first = sample.ask(desk, ROWS)
    worse = worsened(desk)

    assert sample.conclude(worse, first, ROWS, keep=True) == 0

    kept = runs.read(last)
    assert kept is not None
    assert kept.questions == worse.questions
    assert sample.conclude(worse, kept, ROWS, keep=False) == 0


def test_the_kept_run_can_be_read_and_has_questions_in_common_with_today() -> None:
    kept = runs.read(sample.LAST)

    text = sample.QUESTIONS.read_text(encoding="utf-8")
    assert kept is not None
    assert kept.questions.keys() & {json.loads(line)["id"] for line in text.splitlines()}


def test_one_question_lost_is_told_and_does_not_fail(
    desk: Services, last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sample.ask(desk, ROWS)
    lost = {**first.questions, "Q-anchor": worsened(desk).questions["Q-anchor"]}

    status = sample.conclude(replace(first, questions=lost), first, ROWS, keep=False)

    printed = capsys.readouterr().out
    assert status == 0
    assert "MRR@10 did not fall by more than chance explains. Lower in:\n  Q-anchor" in printed


def test_without_an_earlier_run_there_is_nothing_to_fail(
    desk: Services, last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = sample.ask(desk, ROWS[:2])

    assert sample.conclude(run, None, ROWS, keep=False) == 0
    assert "There is no earlier run to compare with." in capsys.readouterr().out


def test_what_differs_beside_the_scores_is_told_and_does_not_fail(
    desk: Services, last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sample.ask(desk, ROWS[:-1])
    old = replace(first, fingerprint={**first.fingerprint, "model": "another-model"})

    status = sample.conclude(sample.ask(desk, ROWS[1:]), old, ROWS, keep=False)

    printed = capsys.readouterr().out
    assert status == 0
    assert "Another model: hashed-words, then another-model." in printed
    assert "Left out, new since: Q-zebra" in printed
    assert "Left out, gone since: Q-anchor" in printed


def test_a_passage_shows_a_place_once_and_then_another() -> None:
    golds = [{"source": "manual.md", "page": page} for page in (3, 4)]
    hits = [hit("a", 1, page=9), hit("b", 2, page=3), hit("c", 3, page=3), hit("d", 4, page=4)]

    ranking = sample._ranking(hits, golds)

    assert ranking == [hits[0].passage.id, "manual.md#3", hits[2].passage.id, "manual.md#4"]
