"""Reading test collections and scoring rankings against them."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from sqlalchemy import select

from ingest import vectors
from ingest.pipeline import Ingestion
from ingest.query_encoder import MAX_TOKENS
from ingest.tables import Passage, Version
from rag.errors import EvaluationError
from rag.metrics import Judgements, ndcg, recall, reciprocal_rank

QUERY = frozenset({"_id", "text"})
CORPUS = frozenset({"_id"})
TITLE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Collection:
    """A BEIR folder: its corpus file, judged queries by id, and judgements by query."""

    corpus: Path
    queries: dict[str, str]
    judgements: dict[str, Judgements]


def read_collection(folder: Path, limit: int | None) -> Collection:
    """Read a BEIR folder, the first `limit` judged queries of it.

    Raises:
        EvaluationError: A file is absent or not in the layout.
    """
    judgements = _judgements(_qrels_file(folder))
    texts = {str(row["_id"]): str(row["text"]) for row in _rows(folder / "queries.jsonl", QUERY)}
    queries = {query: text for query, text in texts.items() if query in judgements}
    chosen = dict(list(queries.items())[:limit])
    if not chosen:
        raise EvaluationError(path=folder, reason="no query has a judgement")
    corpus = folder / "corpus.jsonl"
    if not corpus.is_file():
        raise EvaluationError(path=corpus, reason="there is no such file")
    return Collection(corpus, chosen, {query: judgements[query] for query in chosen})


def corpus_lines(corpus: Path) -> list[dict[str, str]]:
    """Return a corpus as lines of a help-centre export; HTML wins over text.

    What has no title goes by its first line: titles are embedded, and an id says nothing.
    """
    lines = []
    for row in _rows(corpus, CORPUS):
        title = row.get("title") or _first_line(row.get("text") or "") or row["_id"]
        line = {"id": str(row["_id"]), "title": str(title)}
        if row.get("html"):
            line["html"] = str(row["html"])
        else:
            line["text"] = str(row.get("text", ""))
        lines.append(line)
    return lines


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return next((line[:TITLE_CHARACTERS] for line in lines if line), "")


def score(rankings: Mapping[str, Sequence[str]], collection: Collection) -> dict[str, float]:
    """Return the mean of each measure over the judged queries."""
    pairs = [(rankings.get(query, []), judged) for query, judged in collection.judgements.items()]
    return {
        "recall@5": fmean(recall(ranking, judged, 5) for ranking, judged in pairs),
        "recall@10": fmean(recall(ranking, judged, 10) for ranking, judged in pairs),
        "ndcg@10": fmean(ndcg(ranking, judged, 10) for ranking, judged in pairs),
        "mrr@10": fmean(reciprocal_rank(ranking, judged, 10) for ranking, judged in pairs),
    }


def embedded_tokens(ingestion: Ingestion) -> int:
    """Count the tokens that the model saw of all passages, each different text once.

    They are cut at the model's window; the two special tokens of a text are counted.
    """
    tokenizer = ingestion.tokenizer
    columns = (
        Passage.content_hash,
        Version.title,
        Passage.heading_path,
        Passage.text,
        Passage.table_header,
    )
    with ingestion.database.read() as session:
        texts = {
            row.content_hash: vectors.embedded_text(
                tokenizer, row.title, row.heading_path, row.text, row.table_header
            )
            for row in session.execute(select(*columns).join(Version))
        }
    encoded = tokenizer.encode_batch(list(texts.values()))
    return sum(min(len(one.ids), MAX_TOKENS) for one in encoded)


def _qrels_file(folder: Path) -> Path:
    for candidate in (folder / "qrels.tsv", folder / "qrels" / "test.tsv"):
        if candidate.is_file():
            return candidate
    only = sorted((folder / "qrels").glob("*.tsv"))
    if len(only) != 1:
        raise EvaluationError(path=folder, reason="there are no judgements in it")
    return only[0]


def _judgements(file: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        for number, row in enumerate(reader, start=1):
            # Three columns (query, document, grade), or TREC's four with a constant second.
            match row:
                case [query, document, grade] | [query, _, document, grade] if _is_grade(grade):
                    judgements.setdefault(query, {})[document] = int(grade)
                case _ if row and number > 1:
                    raise EvaluationError(path=file, reason=f"line {number} is no judgement")
    return judgements


def _is_grade(text: str) -> bool:
    return text.strip().removeprefix("-").isdecimal()


def _rows(file: Path, required: frozenset[str]) -> list[dict[str, Any]]:
    try:
        with file.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
    except OSError as error:
        raise EvaluationError(path=file, reason=error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise EvaluationError(path=file, reason="it is not JSON lines") from error
    if not all(isinstance(row, dict) and row.keys() >= required for row in rows):
        raise EvaluationError(path=file, reason=f"a line has no {' or no '.join(sorted(required))}")
    return rows
