"""Builds a BEIR folder from the Firefox and Thunderbird help centre's real tickets.

The articles and tickets are other people's writing under CC BY-SA and are not part of this
repository: they are read from the folder `shared/data/sumo` beside it.

Usage: python tests/bench/sumo.py OUT [--locale en]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "data" / "sumo"


class DataAbsentError(Exception):
    """The shared data are not on this machine; the message says where they were looked for."""


def build(out: Path, locale: str = "en", source: Path = SOURCE) -> int:
    """Writes corpus, queries and judgements to `out` and returns the number of queries.

    Only clean tickets count: exactly one article was linked and the ticket does not name it.

    Args:
        out: The folder to write; files of an earlier build are replaced.
        locale: A prefix of the tickets' locale, so `en` takes en-US and en-GB.
        source: The folder with `kb.jsonl` and `tickets_dev.jsonl`.

    Raises:
        DataAbsentError: If `source` does not hold the two files.
    """
    articles, tickets = source / "kb.jsonl", source / "tickets_dev.jsonl"
    if not (articles.is_file() and tickets.is_file()):
        raise DataAbsentError(f"the help centre's data are not at {source}")
    out.mkdir(parents=True, exist_ok=True)
    _write_lines(out / "corpus.jsonl", (_document(row) for row in _rows(articles)))
    wanted = [row for row in _rows(tickets) if row["clean"] and row["locale"].startswith(locale)]
    _write_lines(out / "queries.jsonl", (_query(row) for row in wanted))
    judgements = [f"{row['id']}\t{document}\t1" for row in wanted for document in row["documents"]]
    header = "query-id\tcorpus-id\tscore"
    (out / "qrels.tsv").write_text("\n".join([header, *judgements]) + "\n", encoding="utf-8")
    return len(wanted)


def _document(row: Mapping[str, Any]) -> dict[str, str]:
    return {"_id": row["id"], "title": row["title"], "html": row["html"]}


def _query(row: Mapping[str, Any]) -> dict[str, str]:
    return {"_id": row["id"], "text": f"{row['subject']}\n{row['body']}"}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write_lines(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def main() -> int:
    """Builds the folder that the command line names."""
    parser = argparse.ArgumentParser(description="build a BEIR folder from help-centre tickets")
    parser.add_argument("out", type=Path)
    parser.add_argument("--locale", default="en")
    options = parser.parse_args()
    try:
        queries = build(options.out, options.locale)
    except DataAbsentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.out}: {queries} queries\n")
    return 0 if queries else 1


if __name__ == "__main__":
    raise SystemExit(main())
