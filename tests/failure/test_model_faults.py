"""A model that fails leaves the right state, in time, and nothing half that could be approved."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.access import Scope
from rag import llm
from rag.breaker import OPEN_SECONDS, Breakers
from rag.llm import HOSTED, Patience
from rag.tables import Draft
from tests.failure.model_faults import (
    CASES,
    END_SECONDS,
    FIRST_SIGN_SECONDS,
    TEXT,
    Case,
    faulty_desk,
    see,
    writer,
)
from tests.openai_server import Reply, ScriptedServer
from tests.rag.desk import TestDesk

Desk = tuple[TestDesk, ScriptedServer]
# What hosted routes are given, three times as fast.
SHORT = Patience(*(seconds / 3 for seconds in (HOSTED.first, HOSTED.next, HOSTED.total)))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with faulty_desk(tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_fault_leaves_the_state_that_it_should(desk: Desk, case: Case) -> None:
    seen = see(*desk, case, SHORT)

    assert seen.is_right(case), seen


def test_hosted_routes_are_given_no_more_time_than_people_have() -> None:
    assert HOSTED.first + 5 <= FIRST_SIGN_SECONDS
    assert HOSTED.total <= END_SECONDS


def test_while_every_provider_is_down_drafts_go_on_and_the_model_is_back_within_a_minute(
    tmp_path: Path,
) -> None:
    now = [0.0]
    breakers = Breakers(lambda: now[0])

    def draft(desk: TestDesk, server: ScriptedServer) -> Draft:
        drafter = replace(desk.drafter, breakers=breakers)
        stream = drafter.draft("T-1", "ann", Scope.everything(), writer(server, SHORT))
        list(stream)
        with desk.database.read() as session:
            return session.get_one(Draft, stream.draft_id)

    with faulty_desk(tmp_path) as (desk, server):
        server.responder = lambda _: Reply("down", status=503)
        down = []
        for minute in range(10):
            now[0] = 60.0 * minute
            down += [draft(desk, server) for _ in range(3)]
        asked = len(server.requests)
        server.responder = lambda _: Reply(TEXT)
        returned = now[0]
        while (last := draft(desk, server)).model == "extractive":
            now[0] += 5.0

    assert {(each.model, each.reason, each.status) for each in down} == {
        ("extractive", "failed", "ready")
    }
    # Two that fail shut the way; then one tries it each minute, with three requests.
    assert asked == 3 * (2 + 9)
    assert (last.model, last.reason) == ("own", None)
    assert now[0] - returned <= OPEN_SECONDS
