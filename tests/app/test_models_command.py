"""The list of routes as people and programs see it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import console
from app.commands.models import models
from app.services import Services
from app.settings import Settings
from rag import llm
from tests.openai_server import Reply, ScriptedServer

LOAD = (20_000, 3_000, 400)
Listed = Callable[..., dict[str, Any]]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def listed(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Listed:
    """Return a function that runs the command with some settings, and reads what it printed."""
    monkeypatch.setattr(console, "options", console.Options(as_json=True))

    def run(**settings: Any) -> dict[str, Any]:
        wanted = Settings(home=services.home, **settings)
        models(Services(wanted), *LOAD)
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


def test_every_route_is_listed_with_what_one_chooses_by(listed: Listed) -> None:
    document = listed()

    rows = {row["name"]: row for row in document["routes"]}
    assert (document["tickets"], document["prompt_tokens"]) == (20_000, 3_000)
    assert len(rows) == 13
    fireworks = rows["mixtral-8x7b-fireworks"]
    # 20,000 x (3,000 x 0.40 + 400 x 1.60) / 1,000,000
    assert fireworks["month_usd"] == 36.80
    # 20,000 x (3,000 + 400) x 0.54 / 1,000,000
    assert rows["mixtral-8x7b-openrouter"]["month_usd"] == 36.72
    assert rows["mixtral-8x7b-ollama"]["month_usd"] == 0
    assert rows["mixtral-8x7b-proxy"]["month_usd"] is None
    assert (fireworks["input_usd"], fireworks["output_usd"]) == (0.40, 1.60)
    assert fireworks["price_read"] == "2026-11-20"
    assert (fireworks["window_tokens"], fireworks["region"]) == (32_768, "us")
    assert (fireworks["json_mode"], fireworks["tools"]) == (True, False)
    assert fireworks["probe"] == "not asked"
    assert rows["mixtral-8x7b-groq"]["probe"] == "retired"


def test_the_cheapest_comes_first_and_the_retired_last(listed: Listed) -> None:
    names = [row["name"] for row in listed()["routes"]]

    assert names[:2] == ["mixtral-8x7b-ollama", "mixtral-8x7b-vllm"]
    assert names[-1] == "mixtral-8x7b-groq"


def test_without_a_model_nobody_is_asked(listed: Listed) -> None:
    assert listed()["desk"] == {"model": "extractive", "probe": "works"}


def test_the_desks_own_route_is_asked_for_one_token(listed: Listed, server: ScriptedServer) -> None:
    server.enqueue(Reply("yes", finish_reason="length"))

    document = listed(model="mixtral-8x7b-vllm", model_url=server.url)

    [request] = server.requests
    assert request.body["max_tokens"] == 1
    assert document["desk"] == {"model": "mixtral-8x7b-vllm", "probe": "works"}
    probes = {row["name"]: row["probe"] for row in document["routes"]}
    assert probes["mixtral-8x7b-vllm"] == "works"
    assert probes["mixtral-8x7b-ollama"] == "not asked"


def test_a_route_that_does_not_work_is_listed_with_the_reason(
    listed: Listed, server: ScriptedServer
) -> None:
    server.enqueue(Reply("no", status=401))

    state = listed(model="openai/mine", model_url=server.url)["desk"]["probe"]

    assert state.endswith("the API key is missing or wrong.")


def test_a_desk_on_a_retired_route_is_told_so(listed: Listed) -> None:
    state = listed(model="mixtral-8x7b-groq")["desk"]["probe"]

    assert "Groq ended it on 20 March 2025" in state


def test_an_answer_that_breaks_off_is_no_answer(
    listed: Listed, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)
    server.enqueue(Reply("yes", finish_reason="content_filter"))

    state = listed(model="openai/mine", model_url=server.url)["desk"]["probe"]

    assert state == "The answer broke off (cut)."


def test_people_see_a_table_that_says_what_it_assumes(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "options", console.Options())

    models(services, *LOAD)

    lines = capsys.readouterr().out.splitlines()
    [fireworks] = [line for line in lines if line.startswith("mixtral-8x7b-fireworks")]
    assert fireworks.split() == [
        *("mixtral-8x7b-fireworks", "32768", "0.40", "1.60", "json", "us", "36.80"),
        *("not", "asked"),
    ]
    assert any("retired: Groq ended it on 20 March 2025." in line for line in lines)
    assert any("3000 prompt and 400 reply tokens each" in line for line in lines)
