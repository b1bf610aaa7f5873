"""Where the desk wants it, two people approve one text."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import (
    AlreadySettledError,
    ChangedMeanwhileError,
    InvalidInputError,
    PermissionDeniedError,
    SamePersonError,
    ThreadMovedError,
)
from app.roles import Role
from app.workflow import approving, dispatch, documents, drafts, rules, seconding
from app.workflow.drafts import DraftView
from ingest.db import now
from ingest.errors import CopilotError
from ingest.tables import Event
from rag.policy import Policy
from rag.tables import (
    Approval,
    ApprovalState,
    Author,
    ClaimKind,
    DraftStatus,
    Message,
    RecordQuote,
)
from rag.tickets import TicketLine, save
from tests.app.people import REPLY, Desk

WAIVED = "We will waive the fee."
TEXT = f"{REPLY}\n\n{WAIVED}"


@pytest.fixture
def ben(desk: Desk) -> str:
    policy = Policy(second_approver=frozenset({ClaimKind.CONCESSION}), undo_seconds=30)
    rules.save_policy(desk.services, desk.people[Role.ADMIN], policy)
    return desk.add_person("ben", Role.AGENT)


def _propose(desk: Desk) -> Approval:
    draft = desk.draft()
    approval = approving.approve(desk.services, desk.agent, draft.id, 1, TEXT, [WAIVED])
    return dispatch.state(desk.services, desk.agent, approval)


def _view(desk: Desk, approval: Approval) -> DraftView:
    with desk.services.database.read() as session:
        return drafts.read(session, approval.draft_id)


def _actions(desk: Desk) -> list[tuple[str, str]]:
    with desk.services.database.read() as session:
        query = select(Event).where(Event.action.like("draft:%")).order_by(Event.id)
        return [(event.actor, event.action) for event in session.scalars(query)]


def _sent(desk: Desk) -> int:
    dispatch.send_due(desk.services.database, now() + timedelta(hours=1), webhook=False)
    with desk.services.database.read() as session:
        return len(session.scalars(select(Message).where(Message.approval_id.is_not(None))).all())


def test_a_concession_waits_for_a_second_person_and_is_not_sent(desk: Desk, ben: str) -> None:
    approval = _propose(desk)

    assert (approval.state, approval.send_after) == (ApprovalState.WAITING, None)
    assert desk.draft_row(approval.draft_id).status == DraftStatus.WAITING
    assert _view(desk, approval).text == TEXT
    assert _sent(desk) == 0


def test_the_second_person_approves_exactly_the_text_of_the_first(desk: Desk, ben: str) -> None:
    approval = _propose(desk)

    seconding.second(desk.services, ben, approval.id)

    after = dispatch.state(desk.services, ben, approval.id)
    assert (after.state, after.sha256) == (ApprovalState.SEALED, approval.sha256)
    assert (after.decided_by, after.seconded_by) == ("agent@example.com", "ben@example.com")
    assert after.send_after is not None
    assert after.send_after > now() + timedelta(seconds=20)
    assert _sent(desk) == 1
    assert _actions(desk)[-3:] == [
        ("agent@example.com", "draft:propose"),
        ("ben@example.com", "draft:approve"),
        ("desk", "draft:send"),
    ]


def test_nobody_is_their_own_second_person(desk: Desk, ben: str) -> None:
    approval = _propose(desk)

    with pytest.raises(SamePersonError):
        seconding.second(desk.services, desk.agent, approval.id)
    with pytest.raises(PermissionDeniedError):
        seconding.second(desk.services, desk.people[Role.REVIEWER], approval.id)

    assert dispatch.state(desk.services, ben, approval.id).state == ApprovalState.WAITING


def test_a_reply_that_is_sent_back_is_edited_and_approved_anew(desk: Desk, ben: str) -> None:
    approval = _propose(desk)
    with pytest.raises(InvalidInputError):
        seconding.send_back(desk.services, ben, approval.id, " ")

    seconding.send_back(desk.services, ben, approval.id, "The fee is due.")

    view = _view(desk, approval)
    assert (view.draft.status, view.proposal) == (DraftStatus.READY, TEXT)
    assert view.decision is not None
    assert (view.decision.state, view.decision.reason) == (
        ApprovalState.RETURNED,
        "The fee is due.",
    )
    row = view.draft
    approving.approve(desk.services, desk.agent, row.id, row.version, REPLY)
    assert desk.draft_row(row.id).status == DraftStatus.APPROVED


@pytest.mark.parametrize("settle", ["approve", "reject", "second draft"])
def test_what_waits_for_a_second_person_is_settled_by_nobody_else(
    desk: Desk, ben: str, settle: str
) -> None:
    approval = _propose(desk)
    row = desk.draft_row(approval.draft_id)

    if settle == "second draft":
        row = desk.draft()

    def decide() -> None:
        if settle == "reject":
            approving.reject(desk.services, ben, row.id, row.version, "No.")
        else:
            approving.approve(desk.services, ben, row.id, row.version, REPLY)

    with pytest.raises(AlreadySettledError):
        decide()


def test_of_two_second_persons_one_decides(desk: Desk, ben: str) -> None:
    approval = _propose(desk)
    eve = desk.add_person("eve", Role.AGENT)
    start = threading.Barrier(2)

    def decide(who: str) -> str:
        start.wait()
        try:
            if who == ben:
                seconding.second(desk.services, who, approval.id)
            else:
                seconding.send_back(desk.services, who, approval.id, "No.")
        except CopilotError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, [ben, eve])) == ["already_settled", "done"]


def test_a_second_person_does_not_approve_what_has_moved(desk: Desk, ben: str) -> None:
    approval = _propose(desk)
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)

    with pytest.raises(ChangedMeanwhileError):
        seconding.second(desk.services, ben, approval.id)

    assert dispatch.state(desk.services, ben, approval.id).state == ApprovalState.WAITING


def test_a_second_person_does_not_approve_over_a_new_message(desk: Desk, ben: str) -> None:
    approval = _propose(desk)
    with desk.services.database.write() as session:
        session.add(
            Message(ticket_id=desk.ticket, ordinal=2, author=Author.CUSTOMER, body="Solved.")
        )

    with pytest.raises(ThreadMovedError):
        seconding.second(desk.services, ben, approval.id)


def test_other_kinds_need_one_person(desk: Desk, ben: str) -> None:
    draft = desk.draft()
    promise = "We will call you."

    approval = approving.approve(
        desk.services, desk.agent, draft.id, 1, f"{REPLY}\n\n{promise}", [promise]
    )

    assert dispatch.state(desk.services, ben, approval).state == ApprovalState.SEALED


def test_a_blank_keeps_a_reply_from_being_approved(desk: Desk) -> None:
    draft = desk.draft()

    with pytest.raises(InvalidInputError, match=r"\[delivery date\?\] is still to be filled in"):
        approving.approve(
            desk.services, desk.agent, draft.id, 1, f"{REPLY} It comes [delivery date?]."
        )


def test_what_a_claim_repeats_of_the_customer_is_kept(desk: Desk) -> None:
    line = {
        "id": "T-7",
        "subject": "E17",
        "body": "My order BK-884120 shows error E17: no water flows. How do I clear error E17?",
        "locale": "en",
        "customer": {"product": "Aria 300"},
    }
    with desk.services.database.write() as session:
        save(session, TicketLine.model_validate(line))
    draft = desk.draft(ticket="T-7")
    text = f"{REPLY}\n\nThis is about order BK-884120 and your Aria 300."

    approving.approve(desk.services, desk.agent, draft.id, 1, text)

    with desk.services.database.read() as session:
        kept = session.scalars(select(RecordQuote).order_by(RecordQuote.place)).all()
    assert ("customer:product", "Aria 300") in [(row.place, row.quote) for row in kept]
    assert any(row.place == "message:1" and "BK-884120" in row.quote for row in kept)


def test_only_an_administrator_changes_the_policy(desk: Desk) -> None:
    admin = desk.people[Role.ADMIN]

    with pytest.raises(PermissionDeniedError):
        rules.save_policy(desk.services, desk.agent, Policy(undo_seconds=0))
    for given in ({"undo_seconds": -1}, {"second_approver": ["fact"]}, {"refuted": "ignore"}):
        with pytest.raises(InvalidInputError):
            rules.policy_of(given)
    rules.save_policy(desk.services, admin, rules.policy_of({"refuted": "block"}))

    assert rules.read(desk.services, admin).policy == Policy(refuted="block")
    with pytest.raises(ChangedMeanwhileError):
        rules.save_policy(desk.services, admin, Policy(undo_seconds=5), seen=Policy())
