"""A key that repeats approves once: neither the same draft again nor the next ticket."""

from typing import Any

import pytest

from app import session
from app.components import verbs
from app.errors import ThreadMovedError
from app.workflow import approving, tickets
from app.workflow.access import Actor, actor_of
from app.workflow.drafts import DraftView
from rag.tables import DraftStatus
from tests.app.people import Desk


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Stand in for the browser session and for the clock, which is set by hand."""
    kept: dict[str, Any] = {}
    moment = [1_000.0]
    monkeypatch.setattr(session, "get", kept.get)
    monkeypatch.setattr(session, "put", kept.__setitem__)
    monkeypatch.setattr("app.components.verbs.monotonic", lambda: moment[0])
    return moment


def _actor(desk: Desk) -> Actor:
    with desk.services.database.read() as record:
        actor = actor_of(record, desk.agent)
    assert actor is not None
    return actor


def _view(desk: Desk, ticket: str) -> DraftView:
    view = tickets.read(desk.services, desk.agent, ticket).draft
    assert view is not None
    return view


@pytest.mark.parametrize(("seconds", "approved"), [(0.0, False), (0.79, False), (0.81, True)])
def test_a_repeated_key_cannot_approve_the_next_ticket_within_800_milliseconds(
    desk: Desk, clock: list[float], seconds: float, approved: bool
) -> None:
    desk.draft(ticket=desk.add_ticket("T-2"))
    desk.draft()
    verbs._approve(desk.services, _actor(desk), _view(desk, "T-1"))
    following = _view(desk, "T-2")

    clock[0] += seconds
    verbs._approve(desk.services, _actor(desk), following)

    assert _view(desk, "T-1").draft.status == DraftStatus.APPROVED
    status = _view(desk, "T-2").draft.status
    assert (status == DraftStatus.APPROVED) == approved


def test_a_repeated_key_on_the_same_draft_is_no_problem_to_tell_of(
    desk: Desk, clock: list[float]
) -> None:
    desk.draft()
    view = _view(desk, "T-1")
    verbs._approve(desk.services, _actor(desk), view)

    verbs._approve(desk.services, _actor(desk), view)

    assert session.get(session.PROBLEM) is None


def test_an_approval_that_was_refused_may_be_tried_again_at_once(
    desk: Desk, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.draft()
    view = _view(desk, "T-1")

    def refuse(*_: object) -> None:
        raise ThreadMovedError

    with monkeypatch.context() as patch:
        patch.setattr(approving, "approve", refuse)
        verbs._approve(desk.services, _actor(desk), view)
    verbs._approve(desk.services, _actor(desk), view)

    assert _view(desk, "T-1").draft.status == DraftStatus.APPROVED
