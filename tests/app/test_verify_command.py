"""`support-copilot verify`: every line comes back, with a verdict or with what is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import cli, console
from tests.rag.desk import TestDesk

Run = Callable[..., "Ended"]
EVIDENCE = "The tank holds 1.8 litres. Never use vinegar."


class Ended:
    """What a run of the program left."""

    def __init__(self, status: int, out: str) -> None:
        self.status = status
        self.out = out

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(console, "services", lambda: TestDesk(tmp_path / "home"))

    def run_here(*arguments: str) -> Ended:
        monkeypatch.setattr(console, "options", console.Options())
        try:
            status = console.run(cli.app, arguments)
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return Ended(status, capsys.readouterr().out)

    return run_here


def write(file: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_lines_keep_their_order_and_keys_and_get_a_verdict(run: Run, tmp_path: Path) -> None:
    file = write(
        tmp_path / "claims.jsonl",
        {"id": 1, "claim": "The tank holds 1.8 litres.", "evidence": EVIDENCE, "extra": "é"},
        {"id": 2, "claim": "The tank holds 2.8 litres.", "evidence": EVIDENCE},
    )

    printed = run("verify", str(file)).out

    first, second = (json.loads(line) for line in printed.splitlines())
    assert list(first) == ["id", "claim", "evidence", "extra", "verdict"]
    assert first["verdict"] == {
        "label": "SUPPORTED",
        "probability": 1.0,
        "reasons": ["word for word"],
    }
    assert second["verdict"]["label"] == "REFUTED"
    assert second["verdict"]["reasons"] == ["the passage says 1.8 litres, not 2.8 litres"]


def test_a_line_that_cannot_be_judged_says_why_and_the_others_are(run: Run, tmp_path: Path) -> None:
    file = write(
        tmp_path / "claims.jsonl",
        "no JSON",
        [1],
        {"id": 3, "claim": "x"},
        {"id": 4, "claim": "Never use vinegar.", "evidence": EVIDENCE},
    )
    out = tmp_path / "out.jsonl"

    report = run("verify", str(file), "--out", str(out), "--json").json

    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row.get("error") for row in rows] == [
        "This line is not JSON.",
        "This line is not a JSON object.",
        "This line has no text under “evidence”.",
        None,
    ]
    assert rows[3]["verdict"]["label"] == "SUPPORTED"
    assert (report["rows"], report["judged"]) == (4, 1)
    assert report["rows_per_second"] > 0
    assert report["peak_mb"] > 0
    assert list(tmp_path.glob("*.part")) == []


def test_json_needs_a_file_to_write_to(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "claims.jsonl", {"claim": "x", "evidence": "y"})

    ended = run("verify", str(file), "--json")

    assert ended.status == 2
    assert "--out" in ended.json["error"]["message"]


def test_a_missing_file_and_one_without_claims_are_failures(run: Run, tmp_path: Path) -> None:
    assert run("verify", str(tmp_path / "none.jsonl"), "--json", "--out", "x").status == 1
    empty = write(tmp_path / "claims.jsonl", "{}")

    assert run("verify", str(empty)).status == 1
