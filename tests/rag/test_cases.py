"""Solved tickets vote for the documents that solved them, and only as they may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from ingest.access import Scope
from ingest.db import now
from ingest.life import withdraw_document
from ingest.tables import Visibility
from rag import cases
from rag.memory import Memory, Question
from rag.tables import Case, CaseState, TicketDocument
from rag.tickets import TicketLine, save
from rag.votes import read
from tests.rag.desk import TestDesk

CLEANING = "# Milk system\n\nRinse the milk frother with warm water after each use."
BILLING = "# Invoices\n\nInvoices are sent on the first working day of each month."
ASKED = "The frother only makes hot milk, no foam comes out any more"
LONG_AGO = "2024-05-03 10:00:00 +0000"


def solve(desk: TestDesk, number: int, *documents: str, **fields: Any) -> str:
    line = TicketLine.model_validate(
        {
            "id": f"S-{number}",
            "subject": "No foam",
            "body": ASKED,
            "locale": "en",
            "created": LONG_AGO,
            "replies": ["See the article."],
            "documents": documents,
            **fields,
        }
    )
    with desk.database.write() as session:
        save(session, line)
    cases.complete(desk.database, desk.ingestion.embedder)
    return line.id


def memory(desk: TestDesk) -> Memory:
    with desk.database.read() as session:
        return read(session, desk.weights.fingerprint)


def votes(desk: TestDesk) -> dict[str, float]:
    known = memory(desk)
    pairs = zip(known.documents.tolist(), known.weights.tolist(), strict=True)
    totals: dict[str, float] = {}
    for document, weight in pairs:
        name = known.document_ids[document]
        totals[name] = round(totals.get(name, 0.0) + weight, 4)
    return totals


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few cases count as much as thousands."""
    monkeypatch.setattr("rag.fusion.HALF_TRUST", 1e-6)


@pytest.fixture
def cleaning(desk: TestDesk) -> str:
    return desk.publish("cleaning", CLEANING)


@pytest.fixture
def billing(desk: TestDesk) -> str:
    return desk.publish("billing", BILLING)


@pytest.mark.usefixtures("trusting")
def test_a_solved_ticket_points_to_its_document(
    desk: TestDesk, cleaning: str, billing: str
) -> None:
    solve(desk, 1, "billing")

    hits = desk.retriever.search(ASKED, 5, Scope.everything())

    assert hits[0].document.id == billing
    assert hits[0].why == "1 similar solved ticket used this"
    assert hits[0].votes == pytest.approx(1.0)
    assert [hit.document.id for hit in hits[1:]] == [cleaning]


def test_a_ticket_has_one_vote_to_give(desk: TestDesk, cleaning: str, billing: str) -> None:
    solve(desk, 1, "billing", "cleaning")

    assert votes(desk) == {billing: 0.5, cleaning: 0.5}


def test_a_case_counts_half_after_a_year(desk: TestDesk, cleaning: str, billing: str) -> None:
    solve(desk, 1, "billing", created="2023-05-04 10:00:00 +0000")
    solve(desk, 2, "cleaning", created="2024-05-03 10:00:00 +0000")

    assert votes(desk) == pytest.approx({billing: 0.5, cleaning: 1.0})


def test_a_ticket_solved_yesterday_waits(desk: TestDesk, cleaning: str) -> None:
    solve(desk, 1, "cleaning", created=(now() - timedelta(days=6)).isoformat())
    assert votes(desk) == {}

    solve(desk, 2, "cleaning", created=(now() - timedelta(days=8)).isoformat())
    assert votes(desk) == {cleaning: 1.0}


def test_a_ticket_that_was_opened_again_votes_no_more(desk: TestDesk, cleaning: str) -> None:
    solve(desk, 1, "cleaning")
    line = TicketLine.model_validate(
        {
            "id": "S-1",
            "subject": "No foam",
            "body": ASKED,
            "thread": [
                {"author": "agent", "body": "See the article."},
                {"author": "customer", "body": "That did not help."},
            ],
        }
    )
    with desk.database.write() as session:
        save(session, line)

    assert votes(desk) == {}


def test_a_withdrawn_document_loses_its_votes(desk: TestDesk, cleaning: str, billing: str) -> None:
    solve(desk, 1, "billing")
    solve(desk, 2, "cleaning")
    with desk.database.write() as session:
        withdraw_document(session, billing, "Olu")

    assert votes(desk) == {cleaning: 1.0}
    hits = desk.retriever.search(ASKED, 5, Scope.everything())
    assert {hit.document.id for hit in hits} == {cleaning}


def test_a_case_votes_half_when_its_passage_reads_otherwise_until_it_is_rechecked(
    desk: TestDesk, cleaning: str
) -> None:
    solve(desk, 1, "cleaning")
    desk.publish("cleaning", CLEANING.replace("warm", "cold"))
    assert votes(desk) == {cleaning: 0.5}

    with desk.database.write() as session:
        session.execute(update(TicketDocument).values(content_hash=None))
    cases.complete(desk.database, desk.ingestion.embedder)
    assert votes(desk) == {cleaning: 1.0}


@pytest.mark.parametrize("state", [CaseState.OFF, CaseState.REMOVED])
def test_what_an_owner_took_out_stays_out_when_it_is_imported_again(
    desk: TestDesk, cleaning: str, state: CaseState
) -> None:
    solve(desk, 1, "cleaning")
    with desk.database.write() as session:
        session.get_one(Case, "S-1").state = state

    solve(desk, 1, "cleaning")

    assert votes(desk) == {}


def test_cases_of_another_product_have_no_say(desk: TestDesk, cleaning: str, billing: str) -> None:
    solve(desk, 1, "billing", product="office")
    solve(desk, 2, "cleaning", product="home")
    asked = Question(desk.query_encoder.encode(ASKED), "en")

    at_home = memory(desk).ask(replace(asked, product="home"))
    assert at_home.shares == {cleaning: pytest.approx(1.0)}
    assert set(memory(desk).ask(asked).shares) == {cleaning, billing}


@pytest.mark.usefixtures("trusting")
def test_a_restricted_document_is_not_found_by_votes(desk: TestDesk, cleaning: str) -> None:
    secret = desk.publish("secret", BILLING, visibility=Visibility.RESTRICTED, labels=["finance"])
    for number in range(5):
        solve(desk, number, "secret")

    staff = desk.retriever.search(ASKED, 5, Scope.of_staff(frozenset()))
    finance = desk.retriever.search(ASKED, 5, Scope.of_staff(frozenset({"finance"})))

    assert [(hit.document.id, hit.votes, hit.why) for hit in staff] == [
        (cleaning, 0.0, "close in meaning")
    ]
    assert finance[0].document.id == secret


def test_votes_for_what_one_may_not_see_take_nothing_from_the_others(
    desk: TestDesk, cleaning: str
) -> None:
    desk.publish("secret", BILLING, visibility=Visibility.RESTRICTED, labels=["finance"])
    solve(desk, 1, "secret")
    solve(desk, 2, "cleaning")

    [hit] = desk.retriever.search(ASKED, 5, Scope.of_staff(frozenset()))

    assert hit.document.id == cleaning
    assert hit.votes == pytest.approx(1.0)


def test_the_ticket_itself_is_never_a_source(desk: TestDesk, cleaning: str) -> None:
    solve(desk, 1, "cleaning")

    hits = desk.retriever.search(ASKED, 20, Scope.everything())

    assert {hit.document.id for hit in hits} == {cleaning}
    assert not any(ASKED in hit.passage.text for hit in hits)


@pytest.mark.usefixtures("trusting")
def test_a_running_search_notices_new_cases(desk: TestDesk, cleaning: str, billing: str) -> None:
    before = desk.retriever.search(ASKED, 5, Scope.everything())
    solve(desk, 1, "billing")
    after = desk.retriever.search(ASKED, 5, Scope.everything())

    assert before[0].document.id == cleaning
    assert after[0].document.id == billing


def test_the_passage_that_solved_it_is_noted(desk: TestDesk, cleaning: str) -> None:
    solve(desk, 1, "cleaning")

    with desk.database.read() as session:
        link = session.scalars(select(TicketDocument)).one()
    assert link.document_id == cleaning
    assert link.content_hash is not None
