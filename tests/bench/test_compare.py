"""What the comparison derives from its measurements."""

import json
from pathlib import Path

from rag.evaluate import read_collection
from tests.bench import compare, speed


def test_operations_of_a_token_follow_from_the_models_shape() -> None:
    layer = 8 * 384**2 + 4 * 384 * 1_536 + 4 * 256 * 384

    assert speed.flops_per_token(256) == 6 * layer


def test_the_better_of_two_rates_counts_for_each_precision() -> None:
    first = speed.Processor({"float32": 1.0, "bfloat16": 4.0}, "bfloat16")
    second = speed.Processor({"float32": 2.0, "bfloat16": 3.0}, "bfloat16")

    assert first.best_of(second).peaks == {"float32": 2.0, "bfloat16": 4.0}


def test_a_smoke_run_keeps_the_documents_that_answer_its_queries(tmp_path: Path) -> None:
    documents = [{"_id": f"d{n}", "title": "", "html": ""} for n in range(9)]
    queries = [{"_id": f"q{n}", "text": ""} for n in range(5)]
    for name, rows in (("corpus", documents), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    judged = "".join(f"q{n}\td{8 - n}\t1\n" for n in range(5))
    (tmp_path / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")

    compare._cut(tmp_path, 3)

    collection = read_collection(tmp_path, None)
    kept = [json.loads(line)["_id"] for line in collection.corpus.read_text().splitlines()]
    assert list(collection.queries) == ["q0", "q1", "q2"]
    assert kept == ["d8", "d7", "d6"]
