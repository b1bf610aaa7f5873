"""The command that drafts the queue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import console
from app.commands.waiting import draft_waiting
from rag import llm, provider
from rag.tables import Ticket, TicketStatus
from tests.openai_server import Reply, ScriptedServer
from tests.rag.desk import TestDesk
from tests.rag.test_house_rules import SAID, TRIAGED
from tests.rag.test_pipeline import E17, QUESTION


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    provider.load()
    with ScriptedServer() as running:
        yield running


@pytest.fixture(autouse=True)
def as_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "options", console.Options(as_json=True))
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)


def _queue(desk: TestDesk, *names: str) -> None:
    desk.publish("errors", E17)
    for name in names:
        desk.ticket(QUESTION, id=name)


def _run(desk: TestDesk, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    draft_waiting(desk, None)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_each_open_ticket_without_a_draft_gets_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = TestDesk(tmp_path / "home")
    _queue(desk, "T-1", "T-2", "T-3")
    with desk.database.write() as session:
        session.get_one(Ticket, "T-3").status = TicketStatus.SOLVED

    first, second = _run(desk, capsys), _run(desk, capsys)

    assert [(row["ticket"], row["status"]) for row in first["tickets"]] == [
        ("T-1", "ready"),
        ("T-2", "ready"),
    ]
    assert {row["model"] for row in first["tickets"]} == {"extractive"}
    assert (second["waiting"], second["tickets"]) == (0, [])
    desk.database.close()


def test_a_small_model_sorts_them_first_and_failures_stop_nothing(
    tmp_path: Path, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"model_url": server.url, "triage_url": server.url}
    names = {"model": "openai/large", "triage_model": "openai/small"}
    desk = TestDesk(tmp_path / "home", model_window=8_192, **here, **names)
    _queue(desk, "T-1", "T-2")

    def respond(body: dict[str, Any]) -> Reply:
        if body["model"] == "small":
            return Reply(TRIAGED)
        return Reply(SAID)

    server.responder = respond
    server.enqueue(Reply("bad key", status=401), Reply("bad key", status=401))

    document = _run(desk, capsys)

    unsorted, fine = document["tickets"]
    assert (unsorted["sorted"], unsorted["status"], unsorted["model"], unsorted["reason"]) == (
        *(False, "ready", "extractive", "failed"),
    )
    assert (fine["sorted"], fine["status"], fine["model"]) == (True, "ready", "openai/large")
    with desk.database.read() as session:
        triages = [session.get_one(Ticket, name).triage for name in ("T-1", "T-2")]
    assert [triage.get("urgency") for triage in triages] == [None, "high"]
    desk.database.close()
