"""Whatever goes wrong, a person reads a sentence and what to do."""

import json
import tempfile
from pathlib import Path

import pytest

from app import cli, console


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    console.options = console.Options()
    status = console.run(cli.app, ["--json", *arguments])
    error: dict[str, str] = json.loads(capsys.readouterr().out)["error"]
    return status, error


def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COPILOT_REPLY_TOKENS", "many")

    status, error = run(capsys, "doctor")

    assert (status, error["code"]) == (1, "setting")
    assert "COPILOT_REPLY_TOKENS" in error["message"]


def test_a_home_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")

    status, error = run(capsys, "doctor", "--home", str(tmp_path / "file" / "home"))

    assert (status, error["code"]) == (1, "unavailable_database")


def test_a_database_out_of_reach_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql+psycopg://copilot:hunter2@127.0.0.1:9/desk"
    monkeypatch.setenv("COPILOT_DATABASE_URL", url)

    status, error = run(capsys, "doctor", "--home", str(tmp_path))

    assert (status, error["code"]) == (1, "unavailable_database")
    assert "copilot:***@127.0.0.1:9" in error["message"]
    assert "hunter2" not in json.dumps(error)


def test_a_fault_of_ours_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(services: object) -> dict[str, object]:
        message = "nobody thought of this"
        raise KeyError(message)

    monkeypatch.setattr("app.commands.index.report", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    status, error = run(capsys, "doctor", "--home", str(tmp_path / "home"))

    assert (status, error["code"]) == (1, "unexpected")
    assert "Traceback" not in json.dumps(error)
    [file] = tmp_path.glob("support-copilot-*.log")
    assert "nobody thought of this" in file.read_text()
