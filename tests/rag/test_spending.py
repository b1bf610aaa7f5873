"""A month's limit on what language models may cost."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest.db import Database
from rag.models import Model
from rag.spending import may_spend, spent_usd
from rag.tables import Draft, DraftStatus, ModelCall
from rag.writing import Writer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, QUESTION, ROUTE, STAFF, Saying

FREE = Model("own", "x/own", 8_192, "mistral-v1", 0.0, 0.0)
IN_MAY = datetime(2026, 5, 20, tzinfo=UTC)


def pay(database: Database, cost_usd: float | None, at: datetime) -> None:
    with database.write() as session:
        session.add(ModelCall(model="m", outcome="complete", seconds=1.0, cost_usd=cost_usd, at=at))


def test_only_this_months_known_costs_count(desk: TestDesk) -> None:
    pay(desk.database, 4.0, datetime(2026, 4, 30, 23, 59, tzinfo=UTC))
    pay(desk.database, 1.5, datetime(2026, 5, 1, tzinfo=UTC))
    pay(desk.database, None, IN_MAY)
    pay(desk.database, 0.25, IN_MAY)

    with desk.database.read() as session:
        assert spent_usd(session, IN_MAY) == pytest.approx(1.75)


@pytest.mark.parametrize(
    ("route", "limit_usd", "allowed"),
    [(ROUTE, 0.0, True), (ROUTE, 3.0, True), (ROUTE, 2.0, False), (FREE, 2.0, True)],
)
def test_a_route_that_costs_money_stops_at_the_limit(
    desk: TestDesk, route: Model, limit_usd: float, *, allowed: bool
) -> None:
    pay(desk.database, 2.0, datetime.now(UTC))

    with desk.database.read() as session:
        assert may_spend(session, route, limit_usd) is allowed


def test_beyond_the_limit_the_embedded_drafter_takes_over_and_says_so(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    ticket = desk.ticket(QUESTION)
    chat = Saying(["Fill the tank [1]."])
    drafter = replace(desk.drafter, spending_limit_usd=0.0001)

    drafts = []
    for _ in range(2):
        stream = drafter.draft(ticket, "ann@example.com", STAFF, Writer(ROUTE, chat))
        "".join(stream)
        with desk.database.read() as session:
            drafts.append(session.get_one(Draft, stream.draft_id))

    assert len(chat.asked) == 1
    assert [draft.model for draft in drafts] == ["mixtral", "extractive"]
    assert [draft.status for draft in drafts] == [DraftStatus.READY] * 2
    assert [draft.reason for draft in drafts] == [None, "spent"]
