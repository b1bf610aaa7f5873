"""Drafts of judged tickets: made by the product, judged, and kept nowhere."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from ingest.access import Scope
from ingest.db import Base
from rag.evaluate_drafts import JudgedTicket, Outcome, evaluate
from rag.models import Model
from rag.prompt import NO_ANSWER
from rag.tables import DraftStatus
from rag.writing import Writer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, OFFICE, QUESTION, Saying

ROUTE = Model("mixtral", "x/mixtral", 8_192, "mistral-v1", 0.5, 1.0)
STAFF = Scope.of_staff(frozenset())
MEANING = "Error E17 means that no water flows through the brew group of the Aria 700"


def ticket(**fields: Any) -> JudgedTicket:
    known = {"id": "D-1", "subject": "E17", "body": QUESTION, "locale": "en", "answerable": True}
    return JudgedTicket.model_validate({**known, **fields})


def outcome(desk: TestDesk, said: str | None = None, **fields: Any) -> Outcome:
    writer = None if said is None else Writer(ROUTE, Saying([said]))
    return evaluate(desk.drafter, ticket(**fields), STAFF, writer)


def rows(desk: TestDesk) -> dict[str, int]:
    """Count the rows of every table."""
    with desk.database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_a_quoted_draft_is_supported_and_nothing_of_it_is_kept(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    before = rows(desk)

    found = outcome(desk, must=["no water flows"], must_not=["grinder"])

    assert (found.status, found.model, found.prompt_version) == (
        DraftStatus.READY,
        "extractive",
        None,
    )
    assert (found.citation_precision, found.citation_recall, found.groundedness) == (1.0, 1.0, 1.0)
    assert (found.must_met, list(found.forbidden), list(found.numbers_wrong)) == (1.0, [], [])
    assert rows(desk) == before


def test_an_abstention_is_no_gap_of_the_desk(desk: TestDesk) -> None:
    desk.publish("office", OFFICE)
    before = rows(desk)

    found = outcome(desk, body="Which exhaust pipe fits a motorcycle from 1974?", answerable=False)

    assert found.is_abstained
    assert (found.reason, found.citation_precision, found.must_met) == ("no_source", None, None)
    assert rows(desk) == before


def test_a_model_is_judged_by_what_it_cites(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    before = rows(desk)

    found = outcome(
        desk,
        f"{MEANING} [1]. The repair costs 45 euros [1]. Fill the tank and press the reset button "
        "for 10 seconds to clear error E17.",
        must=["no water flows", "warranty"],
        must_not=["45 euros", "5 euros"],
    )

    assert (found.model, found.is_drafted) == ("mixtral", True)
    assert found.prompt_version is not None
    # What stands in the passage got the citation that the model had left out.
    assert found.citation_recall == pytest.approx(2 / 3)
    assert found.citation_precision == pytest.approx(2 / 3)
    assert found.groundedness == pytest.approx(2 / 3)
    assert (found.must_met, list(found.missing)) == (0.5, ["warranty"])
    # 5 euros do not stand in 45 euros; numbers are looked for in what their own sentence cites.
    assert list(found.forbidden) == ["45 euros"]
    assert list(found.numbers_wrong) == ["45"]
    assert rows(desk) == before


def test_a_model_that_declines_abstains(desk: TestDesk) -> None:
    desk.publish("errors", E17)

    found = outcome(desk, NO_ANSWER, answerable=False)

    assert found.is_abstained
    assert (found.model, found.reason) == ("mixtral", "model_declined")


def test_replies_of_a_solved_ticket_are_not_read(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    chat = Saying([f"{MEANING} [1]."])

    evaluate(desk.drafter, ticket(replies=["Buy a new zebra."]), STAFF, Writer(ROUTE, chat))

    assert QUESTION in chat.asked[0][-1]["content"]
    assert "zebra" not in chat.asked[0][-1]["content"]


@pytest.mark.parametrize(
    ("fact", "met"),
    [
        ("NO WATER  flows", 1.0),
        ("0 seconds", 0.0),
        ("10 seconds", 1.0),
        (["ten seconds", "10 seconds"], 1.0),
        (["ten seconds", "a moment"], 0.0),
        (f"{MEANING}.", 1.0),
    ],
)
def test_a_fact_is_met_in_any_of_its_wordings(
    desk: TestDesk, fact: str | list[str], met: float
) -> None:
    desk.publish("errors", E17)

    found = outcome(desk, f"{MEANING} [1]. Press the reset button for 10 seconds [1].", must=[fact])

    assert found.must_met == met


def test_a_line_without_a_verdict_is_refused() -> None:
    with pytest.raises(ValidationError, match="answerable"):
        JudgedTicket.model_validate({"id": "D-1", "subject": "E17", "body": QUESTION})
    with pytest.raises(ValidationError, match="must"):
        ticket(must=[[]])


def test_the_judge_takes_passages_together(desk: TestDesk) -> None:
    supports = desk.verifier.supports

    assert supports("The tank is full.", ["The pump is loud.", "The tank is full."])
    assert not supports("The tank is full.", ["The pump is loud."])
    assert not supports("The tank holds 3 litres.", ["The tank holds 2 litres."])
