"""Audits: what the machine doubts comes first, and nobody judges twice."""

import pytest
from sqlalchemy import select

from app.errors import AlreadySettledError, NotFoundError
from app.roles import Role
from app.workflow import approving, audits, documents
from ingest.access import Scope
from ingest.tables import Event, Visibility
from rag.tables import MACHINE, Label, Verdict
from tests.app.people import QUESTION, SOURCE, Desk

SURE = "Error E17 means that no water flows through the brew group [1]."
UNSURE = "Fill it with water and press the button named reset [1]."
DOUBTED = "Wait for 99 seconds before that [1]."


def _approve(desk: Desk, text: str, ticket: str = "T-1") -> str:
    draft = desk.draft(text, ticket=ticket)
    desk.send(draft, text)
    return draft.id


def _next(desk: Desk, who: str | None = None) -> audits.AuditView | None:
    return audits.next_citation(desk.services, who or desk.people[Role.REVIEWER])


def _judge(desk: Desk, citation_id: str, who: str | None = None) -> None:
    person = who or desk.people[Role.REVIEWER]
    audits.judge(desk.services, person, citation_id, Label.SUPPORTED, "  looks right ")


def test_only_what_was_sent_is_audited(desk: Desk) -> None:
    waiting = desk.draft(SURE, ticket=desk.add_ticket("T-2"))
    approving.approve(desk.services, desk.agent, waiting.id, 1, SURE)
    desk.draft(SURE)
    rejected = desk.draft(SURE)
    approving.reject(desk.services, desk.agent, rejected.id, 1, "wrong")

    assert _next(desk) is None


def test_the_least_probable_come_first(desk: Desk) -> None:
    _approve(desk, f"{SURE} {UNSURE} {DOUBTED}")
    order = []

    while (view := _next(desk)) is not None:
        assert view.cited.machine is not None
        order.append((view.claim.text, view.waiting, view.cited.machine.score))
        _judge(desk, view.cited.citation.id)

    scores = [score or 0.0 for _, _, score in order]
    assert scores == sorted(scores)
    assert [waiting for _, waiting, _ in order] == [3, 2, 1]
    assert order[-1] == (SURE, 1, 1.0)
    assert {text for text, _, _ in order} == {DOUBTED, UNSURE, SURE}


def test_a_reviewer_sees_question_reply_claim_and_source(desk: Desk) -> None:
    _approve(desk, SURE)

    view = _next(desk)

    assert view is not None
    assert (view.question, view.reply) == (f"E17\n{QUESTION}", SURE)
    assert view.reply[view.claim.start : view.claim.end] == view.claim.text
    assert view.cited.citation.quote in view.cited.version.text
    assert view.cited.machine is not None
    assert view.cited.machine.judge == MACHINE


def test_a_verdict_is_kept_beside_the_machines_and_recorded(desk: Desk) -> None:
    _approve(desk, SURE)
    view = _next(desk)
    assert view is not None

    _judge(desk, view.cited.citation.id)

    with desk.services.database.read() as session:
        verdicts = {verdict.judge: verdict for verdict in session.scalars(select(Verdict))}
        claimed = {
            judge: verdict
            for judge, verdict in verdicts.items()
            if verdict.citation_id == view.cited.citation.id
        }
        event = session.scalar(select(Event).order_by(Event.id.desc()).limit(1))
    assert set(claimed) == {MACHINE, "reviewer@example.com"}
    assert claimed["reviewer@example.com"].note == "looks right"
    assert event is not None
    assert (event.action, event.subject, event.detail) == (
        "citation:judge",
        view.cited.citation.id,
        {"label": "SUPPORTED"},
    )


def test_nobody_judges_a_citation_twice_but_two_people_may_each_do_so_once(desk: Desk) -> None:
    _approve(desk, SURE)
    second = desk.add_person("rita", Role.REVIEWER)
    view = _next(desk)
    assert view is not None
    _judge(desk, view.cited.citation.id)

    with pytest.raises(AlreadySettledError) as raised:
        _judge(desk, view.cited.citation.id)
    assert raised.value.fields == {"who": "reviewer@example.com"}

    assert _next(desk) is None
    assert _next(desk, second) is not None
    _judge(desk, view.cited.citation.id, second)
    assert _next(desk, second) is None


def test_a_citation_that_is_not_there_cannot_be_judged(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="There is no such citation"):
        _judge(desk, "none")


def test_the_question_is_the_one_that_the_draft_answered(desk: Desk) -> None:
    _approve(desk, SURE)
    desk.add_ticket(desk.ticket, QUESTION, ("customer", "Where is my parcel?"))

    view = _next(desk)

    assert view is not None
    assert view.question == f"E17\n{QUESTION}"


def test_a_citation_of_a_document_one_may_not_see_is_not_served(desk: Desk) -> None:
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)
    desk.publish("secret", f"Engineers only. {SOURCE}", Visibility.RESTRICTED, "engineers")
    engineer = desk.add_person("engineer", Role.AGENT, "engineers")
    reviewer = desk.add_person("chief", Role.REVIEWER, "engineers")
    draft = desk.draft(SURE, scope=Scope.of_staff(frozenset({"engineers"})))
    desk.send(draft, SURE, engineer)

    view = _next(desk, reviewer)

    assert view is not None
    assert (view.claim.text, view.waiting) == (SURE, 1)
    assert _next(desk) is None
    with pytest.raises(NotFoundError):
        _judge(desk, view.cited.citation.id)
