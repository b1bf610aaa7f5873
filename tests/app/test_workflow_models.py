"""Which route drafts, whether it works, what was spent, and what the start of the app says."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app.roles import Role
from app.services import Services
from app.settings import Settings
from app.workflow import models
from app.workflow.models import DeskRoute
from ingest.db import now
from rag import llm
from rag.errors import CatalogueError
from rag.probe import Probe
from rag.routes import read_routes
from rag.tables import ModelCall
from rag.vllm import ServerLoad
from tests.app.people import Desk
from tests.openai_server import Reply, ScriptedServer

KEY = "sk-our-own-key"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_has_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_asked", {})
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)


@pytest.fixture
def admin(desk: Desk) -> str:
    return desk.people[Role.ADMIN]


def with_settings(desk: Desk, **settings: Any) -> Services:
    """Return the desk's services with other settings, over the same record."""
    services = Services(Settings(home=desk.services.home, **settings))
    vars(services)["database"] = desk.services.database
    return services


def spend(desk: Desk, **values: Any) -> None:
    given = {"model": "mixtral-8x7b-together", "outcome": "complete", "seconds": 1.0, **values}
    with desk.services.database.write() as session:
        session.add(ModelCall(**given))


def test_the_embedded_drafter_needs_nobody_to_be_asked(desk: Desk, admin: str) -> None:
    view = models.overview(desk.services, admin)

    assert view.desk == DeskRoute("extractive")
    assert view.desk.is_embedded
    assert models.ask(desk.services, admin) == Probe(0.0, None)


def test_a_route_that_answers_works_and_the_result_is_kept(
    desk: Desk, admin: str, server: ScriptedServer
) -> None:
    services = with_settings(
        desk, model="openai/mine", model_url=server.url, model_window=8_192, model_key=KEY
    )
    server.enqueue(Reply("yes", finish_reason="length"))
    before = models.overview(services, admin).desk

    found = models.ask(services, admin)

    after = models.overview(services, admin).desk
    assert before.asked is None
    assert found.error is None
    assert after.asked is not None
    assert after.asked.probe == found
    assert timedelta(0) <= now() - after.asked.at < timedelta(minutes=1)
    assert (after.region, after.window_tokens) == ("yours", 8_192)
    [request] = server.requests
    assert request.body["max_tokens"] == 1
    assert request.prompt == "Say yes."


def test_a_refused_key_is_told_without_repeating_it_until_a_newer_answer_comes(
    desk: Desk, admin: str, server: ScriptedServer
) -> None:
    services = with_settings(desk, model="openai/mine", model_url=server.url, model_key=KEY)
    server.enqueue(Reply(f"invalid key {KEY}", status=401), Reply("yes"))

    refused = models.ask(services, admin)
    answered = models.ask(services, admin)

    assert refused.error == (
        "The provider of openai/mine refused the request: the API key is missing or wrong."
    )
    asked = models.overview(services, admin).desk.asked
    assert asked is not None
    assert asked.probe == answered
    assert answered.error is None


def test_answers_of_many_at_once_are_kept(desk: Desk, admin: str, server: ScriptedServer) -> None:
    services = with_settings(desk, model="openai/mine", model_url=server.url)
    threads = [Thread(target=models.ask, args=(services, admin)) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 4
    assert len(models._asked) == 1


def test_a_route_that_is_set_and_cannot_be_used_is_told_with_what_to_do(
    desk: Desk, admin: str
) -> None:
    retired = with_settings(desk, model="mixtral-8x7b-groq")
    homeless = with_settings(desk, model="mixtral-8x7b-huggingface")

    for services, reason in ((retired, "20 March 2025"), (homeless, "COPILOT_MODEL_URL")):
        view = models.overview(services, admin).desk
        assert view.problem is not None
        assert reason in view.problem
        assert models.ask(services, admin).error is not None
    assert models._asked == {}


@pytest.mark.parametrize("works", [True, False])
def test_the_load_is_read_only_of_a_server_of_ones_own_that_answers(
    desk: Desk, admin: str, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    read: list[str] = []

    def load(url: str) -> ServerLoad:
        read.append(url)
        return ServerLoad(2, 1, 0.875, 0.9)

    monkeypatch.setattr(models, "read_load", load)
    services = with_settings(desk, model="mixtral-8x7b-vllm", model_url=server.url)
    server.enqueue(Reply("yes") if works else Reply("no", status=401))
    assert models.overview(services, admin).desk.load is None

    models.ask(services, admin)

    found = models.overview(services, admin).desk.load
    assert found == (ServerLoad(2, 1, 0.875, 0.9) if works else None)
    assert read == ([server.url] if works else [])


def test_the_load_of_a_hosted_route_is_never_asked_for(
    desk: Desk, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(models, "read_load", read.append)
    monkeypatch.setattr(models, "probe", lambda _: Probe(0.2, None))
    url = "https://gpu.example/v1"
    services = with_settings(desk, model="openai/mine", model_url=url, model_key=KEY)

    models.ask(services, admin)

    view = models.overview(services, admin).desk
    assert view.asked is not None
    assert view.region == "unknown"
    assert read == []


def test_the_month_counts_what_was_paid_and_what_nobody_knows(desk: Desk, admin: str) -> None:
    services = with_settings(desk, spending_limit=50.0)
    spend(desk, cost_usd=12.25)
    spend(desk, cost_usd=0.05)
    spend(desk, cost_usd=None)
    spend(desk, cost_usd=99.0, at=now() - timedelta(days=32))
    spend(desk, model="extractive", cost_usd=0.0)

    view = models.overview(services, admin).month

    assert view.spent_usd == pytest.approx(12.30)
    assert (view.limit_usd, view.requests, view.unpriced) == (50.0, 3, 1)
    assert not view.is_spent


def test_the_cheapest_usable_route_is_listed_first_and_the_retired_last(
    desk: Desk, admin: str
) -> None:
    names = [route.name for route in models.overview(desk.services, admin).routes]

    assert names[:2] == ["mixtral-8x7b-ollama", "mixtral-8x7b-vllm"]
    assert names[-1] == "mixtral-8x7b-groq"
    assert sorted(names) == sorted(read_routes())


def test_a_catalogue_that_cannot_be_read_is_told_and_not_hidden(
    desk: Desk, admin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "models.toml"
    broken.write_text("[mixtral")
    monkeypatch.setattr(models, "read_routes", lambda: read_routes(broken))

    with pytest.raises(CatalogueError) as raised:
        models.overview(desk.services, admin)
    assert "models.toml" in str(raised.value)


def test_the_start_says_in_one_line_that_the_route_works(
    desk: Desk, admin: str, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    services = with_settings(desk, model="openai/mine", model_url=server.url, model_key=KEY)

    with caplog.at_level(logging.INFO, "app.workflow.models"):
        models.probe_at_start(services)

    [line] = [record for record in caplog.records if record.name == "app.workflow.models"]
    assert line.levelname == "INFO"
    assert line.getMessage().startswith("openai/mine drafts replies: it answered within ")
    assert models.overview(services, admin).desk.asked is not None


def test_the_start_says_in_one_line_what_is_off_and_why_without_secrets(
    desk: Desk, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    services = with_settings(desk, model="openai/mine", model_url=server.url, model_key=KEY)
    server.enqueue(Reply(f"invalid key {KEY}", status=401))

    models.probe_at_start(services)

    [line] = [record for record in caplog.records if record.name == "app.workflow.models"]
    assert line.levelname == "WARNING"
    assert line.getMessage() == (
        "openai/mine does not draft: The provider of openai/mine refused the request: the API key"
        " is missing or wrong."
    )


def test_the_start_of_a_desk_without_a_model_asks_nobody(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.workflow.models"):
        models.probe_at_start(desk.services)

    assert caplog.messages == [
        "No language model is connected: the embedded drafter quotes the documents."
    ]
