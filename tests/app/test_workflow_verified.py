"""A claim that a reviewer has confirmed carries the name, until its passage changes."""

import pytest
from sqlalchemy import select

from app.roles import Role
from app.tables import User
from app.workflow import audits, checking, documents, verified
from app.workflow.verified import Mark
from ingest.db import now
from rag.tables import Label
from tests.app.people import SOURCE, Desk

CLAIM = "Error E17 means that no water flows through the brew group [1]."
OTHER = "Fill it with water and press the button named reset [1]."


def _judge(desk: Desk, label: Label = Label.SUPPORTED, who: str | None = None) -> None:
    reviewer = who or desk.people[Role.REVIEWER]
    view = audits.next_citation(desk.services, reviewer)
    assert view is not None
    audits.judge(desk.services, reviewer, view.cited.citation.id, label, "")


def _marks(desk: Desk, text: str, ticket: str = "T-2") -> dict[int, Mark]:
    draft = desk.draft(text, ticket=desk.add_ticket(ticket))
    claims = checking.check(desk.services, desk.agent, draft.id, text).claims
    return verified.marks(desk.services, desk.agent, claims)


def _count(desk: Desk) -> int:
    return verified.count(desk.services, desk.people[Role.REVIEWER])


@pytest.fixture(autouse=True)
def sent(desk: Desk) -> None:
    desk.send(desk.draft(CLAIM), CLAIM)
    with desk.services.database.write() as session:
        query = select(User).where(User.id == desk.people[Role.REVIEWER])
        session.scalars(query).one().name = "Rae"


def test_a_confirmed_claim_carries_who_and_when_in_later_drafts(desk: Desk) -> None:
    assert _marks(desk, CLAIM) == {}
    _judge(desk)

    marks = _marks(
        desk, f"{OTHER} Error  E17 means that no water flows through the  BREW group[1]."
    )

    assert {place: (mark.by, mark.on.date()) for place, mark in marks.items()} == {
        1: ("Rae", now().date())
    }
    assert _count(desk) == 1


def test_another_claim_about_the_passage_is_not_confirmed_by_it(desk: Desk) -> None:
    _judge(desk)

    assert _marks(desk, OTHER) == {}
    assert _marks(desk, "Error E17 means that water flows through the brew group [1].", "T-3") == {}


def test_it_expires_when_the_passage_changes_and_holds_again_when_it_is_restored(
    desk: Desk,
) -> None:
    _judge(desk)
    desk.publish("errors", f"{SOURCE} Call us.")
    assert (_marks(desk, CLAIM), _count(desk)) == ({}, 0)

    documents.restore(desk.services, desk.people[Role.OWNER], f"{desk.document}.1")

    assert list(_marks(desk, CLAIM, "T-3")) == [0]


def test_it_does_not_hold_for_a_draft_that_still_cites_the_passage_that_changed(desk: Desk) -> None:
    _judge(desk)
    draft = desk.draft(CLAIM, ticket=desk.add_ticket("T-2"))
    desk.publish("errors", f"{SOURCE} Call us.")

    claims = checking.check(desk.services, desk.agent, draft.id, CLAIM).claims

    assert verified.marks(desk.services, desk.agent, claims) == {}


@pytest.mark.parametrize("label", [Label.REFUTED, Label.NOT_ENOUGH_INFO])
def test_a_later_verdict_to_the_contrary_ends_it(desk: Desk, label: Label) -> None:
    second = desk.add_person("rita", Role.REVIEWER)
    _judge(desk)

    _judge(desk, label, second)

    assert (_marks(desk, CLAIM), _count(desk)) == ({}, 0)


def test_the_machines_own_verdict_confirms_nothing(desk: Desk) -> None:
    assert (_marks(desk, CLAIM), _count(desk)) == ({}, 0)


def test_a_claim_is_verified_only_if_each_of_its_citations_is(desk: Desk) -> None:
    _judge(desk)
    desk.publish("more", f"More about the brew group. {SOURCE}")

    assert _marks(desk, CLAIM.replace("[1]", "[1][2]")) == {}
