"""Reading BEIR folders as they lie about in the world."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.services import Services
from ingest import sources
from ingest.sources import Upload
from rag.errors import EvaluationError
from rag.evaluate import corpus_lines, embedded_tokens, read_collection, score

HEADER = "query-id\tcorpus-id\tscore\n"
THREE = "q1\td1\t1\nq2\td2\t2\nq2\td1\t0\n"
FOUR = "q1\t0\td1\t1\nq2\t0\td2\t2\nq2\t0\td1\t0\n"
JUDGED = {"q1": {"d1": 1}, "q2": {"d2": 2, "d1": 0}}
QUERIES = [
    {"_id": "q2", "text": "second"},
    {"_id": "q1", "text": "first"},
    {"_id": "q3", "text": "not judged"},
]
CORPUS = [
    {"_id": "d1", "title": "One", "text": "plain"},
    {"_id": "d2", "title": "Two", "text": "loses", "html": "<p>wins</p>"},
    {"_id": 3, "text": "no title"},
]


def _folder(
    folder: Path,
    qrels: str = THREE,
    name: str = "qrels.tsv",
    queries: Sequence[Any] = QUERIES,
    corpus: Sequence[Any] = CORPUS,
) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(qrels, encoding="utf-8")
    for file, rows in (("queries", queries), ("corpus", corpus)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{file}.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["qrels.tsv", "qrels/test.tsv", "qrels/dev.tsv"])
@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize("rows", [THREE, FOUR])
def test_judgements_are_read_wherever_and_however_they_stand(
    tmp_path: Path, name: str, header: str, rows: str
) -> None:
    collection = read_collection(_folder(tmp_path, header + rows, name), None)

    assert collection.judgements == JUDGED
    assert collection.queries == {"q2": "second", "q1": "first"}


def test_the_test_split_wins_over_others_and_qrels_tsv_over_both(tmp_path: Path) -> None:
    _folder(tmp_path, "q3\td1\t1\n", "qrels/dev.tsv")
    _folder(tmp_path, THREE, "qrels/test.tsv")
    assert read_collection(tmp_path, None).judgements == JUDGED

    _folder(tmp_path, "q1\td2\t1\n", "qrels.tsv")
    assert read_collection(tmp_path, None).judgements == {"q1": {"d2": 1}}


def test_a_limit_takes_the_first_judged_queries_of_the_file(tmp_path: Path) -> None:
    collection = read_collection(_folder(tmp_path), 1)

    assert collection.queries == {"q2": "second"}
    assert collection.judgements == {"q2": JUDGED["q2"]}


def test_a_quotation_mark_in_an_identifier_swallows_nothing(tmp_path: Path) -> None:
    queries = [{"_id": '"q1', "text": "first"}, {"_id": "q2", "text": "second"}]

    collection = read_collection(
        _folder(tmp_path, '"q1\td1\t1\nq2\td2\t1\n', queries=queries), None
    )

    assert collection.judgements == {'"q1': {"d1": 1}, "q2": {"d2": 1}}


def test_html_wins_over_text_and_the_id_stands_in_for_a_title(tmp_path: Path) -> None:
    assert corpus_lines(_folder(tmp_path) / "corpus.jsonl") == [
        {"id": "d1", "title": "One", "text": "plain"},
        {"id": "d2", "title": "Two", "html": "<p>wins</p>"},
        {"id": "3", "title": "no title", "text": "no title"},
    ]


def test_scores_are_means_over_all_judged_queries_those_without_an_answer_included(
    tmp_path: Path,
) -> None:
    collection = read_collection(_folder(tmp_path), None)

    scores = score({"q1": ["d2", "d1"]}, collection)

    assert scores["recall@5"] == scores["recall@10"] == 0.5
    assert scores["mrr@10"] == 0.25
    assert scores["ndcg@10"] == pytest.approx(0.5 / 1.5849625007)


@pytest.mark.parametrize(
    ("qrels", "reason"),
    [
        ("q1\td1\t1\nq2\td2\n", "line 2 is no judgement"),
        ("q1\td1\t1\nq2\td2\tgood\n", "line 2 is no judgement"),
        ("q1\td1\t1\nq2 d2 1\n", "line 2 is no judgement"),
        ("other\td1\t1\n", "no query has a judgement"),
        ("", "no query has a judgement"),
    ],
)
def test_bad_judgements_are_named(tmp_path: Path, qrels: str, reason: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        read_collection(_folder(tmp_path, qrels), None)

    assert raised.value.fields["reason"] == reason


@pytest.mark.parametrize("missing", ["qrels.tsv", "queries.jsonl", "corpus.jsonl"])
def test_a_missing_file_is_an_error_that_names_the_place(tmp_path: Path, missing: str) -> None:
    (_folder(tmp_path) / missing).unlink()

    with pytest.raises(EvaluationError) as raised:
        read_collection(tmp_path, None)

    assert str(tmp_path) in str(raised.value)


def test_two_files_of_judgements_without_a_test_split_are_ambiguous(tmp_path: Path) -> None:
    _folder(tmp_path, name="qrels/dev.tsv")
    _folder(tmp_path, name="qrels/train.tsv")

    with pytest.raises(EvaluationError, match="no judgements"):
        read_collection(tmp_path, None)


@pytest.mark.parametrize("queries", [[{"_id": "q1"}], [{"text": "first"}], ["q1"], [["_id"]]])
def test_a_query_without_id_or_text_is_an_error(tmp_path: Path, queries: list[Any]) -> None:
    with pytest.raises(EvaluationError, match="a line has no _id or no text"):
        read_collection(_folder(tmp_path, queries=queries), None)


def test_a_corpus_that_is_not_json_lines_is_an_error(tmp_path: Path) -> None:
    corpus = _folder(tmp_path) / "corpus.jsonl"
    corpus.write_text("<html>\n", encoding="utf-8")

    with pytest.raises(EvaluationError, match="not JSON lines"):
        corpus_lines(corpus)


def test_tokens_are_those_that_the_model_sees_each_text_once(services: Services) -> None:
    texts = ["Press the lever.", "Press the lever.", "pump " * 100]
    items = [Upload(f"{n}.txt", "Note.txt", text.encode()) for n, text in enumerate(texts)]
    ids = sources.submit(services.database, services.files, items, "owner")
    services.worker.finish(ids, lambda _: None)

    tokens = embedded_tokens(services.ingestion)

    title, special = len(["note"]), len(["[CLS]", "[SEP]"])
    assert tokens == (special + title + len(["press", "the", "lever", "."])) + (
        special + title + 100
    )
