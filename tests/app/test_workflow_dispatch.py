"""Between approving and sending: undo prevents it, and whatever has moved is refused and shown."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import AlreadySentError, AlreadySettledError, NotFoundError
from app.roles import Role
from app.workflow import approving, dispatch, documents, drafts, tickets, trail
from app.workflow.drafts import DraftView
from ingest.db import now
from ingest.events import broken_links
from ingest.life import Description
from ingest.tables import Event, Passage, Visibility
from rag.policy import NO_POLICY
from rag.seal import MovedKind
from rag.tables import (
    Approval,
    ApprovalState,
    Case,
    Claim,
    Draft,
    DraftStatus,
    Gap,
    Label,
    Message,
    Ticket,
    TicketStatus,
    Verdict,
)
from tests.app.people import QUESTION, REPLY, SENT, SOURCE, Desk

LATER = timedelta(seconds=NO_POLICY.undo_seconds)


def _approve(desk: Desk, draft: Draft | None = None, text: str = REPLY) -> Approval:
    found = draft or desk.draft()
    version = desk.draft_row(found.id).version
    approval_id = approving.approve(desk.services, desk.agent, found.id, version, text)
    return _approval(desk, approval_id)


def _approval(desk: Desk, approval_id: str) -> Approval:
    with desk.services.database.read() as session:
        return session.get_one(Approval, approval_id)


def _send_due(desk: Desk, after: timedelta = LATER) -> int:
    return dispatch.send_due(desk.services.database, now() + after, webhook=False)


def _view(desk: Desk) -> DraftView:
    view = tickets.read(desk.services, desk.agent, desk.ticket).draft
    assert view is not None
    return view


def _count(desk: Desk, kind: type[Message | Case | Claim]) -> int:
    with desk.services.database.read() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def _actions(desk: Desk) -> list[str]:
    with desk.services.database.read() as session:
        assert list(broken_links(session)) == []
        query = select(Event.action).where(Event.subject == desk.ticket).order_by(Event.id)
        return list(session.scalars(query))


def test_an_approved_reply_waits_and_nothing_is_answered_or_remembered_yet(desk: Desk) -> None:
    approval = _approve(desk)

    assert approval.state == ApprovalState.SEALED
    assert approval.send_after == approval.at + LATER
    assert _send_due(desk, LATER - timedelta(seconds=1)) == 0
    assert (_count(desk, Message), _count(desk, Case)) == (1, 0)
    view = _view(desk)
    assert view.decision is not None
    assert (view.text, view.decision.state) == (REPLY, ApprovalState.SEALED)


def test_when_its_time_has_come_the_reply_is_sent_once_and_the_case_joins_the_memory(
    desk: Desk,
) -> None:
    with desk.services.database.write() as session:
        session.add(Gap(ticket_id=desk.ticket, question=QUESTION, reason="no_source"))
    approval = _approve(desk)

    assert [_send_due(desk), _send_due(desk)] == [1, 0]

    with desk.services.database.read() as session:
        assert session.get_one(Ticket, desk.ticket).status == TicketStatus.ANSWERED
        assert session.get_one(Message, (desk.ticket, 2)).body == SENT
        assert session.get(Gap, desk.ticket) is None
        assert session.get_one(Case, desk.ticket).solved_at >= approval.at
        sent = session.get_one(Approval, approval.id)
        assert sent.sent_at is not None
        assert sent.sent_at >= approval.at
    assert _actions(desk) == ["draft:approve", "draft:send"]


def test_undo_leaves_nothing_sent_and_the_agents_text_to_go_on_with(desk: Desk) -> None:
    edited = f"{REPLY}\nYour desk"
    approval = _approve(desk, text=edited)

    dispatch.undo(desk.services, desk.agent, approval.id)

    assert _send_due(desk) == 0
    assert (_count(desk, Message), _count(desk, Case)) == (1, 0)
    view = _view(desk)
    assert (view.draft.status, view.text, view.proposal) == (DraftStatus.READY, REPLY, edited)
    assert [claim.claim.approval_id for claim in view.claims] == [None]
    assert _actions(desk) == ["draft:approve", "draft:undo"]


def test_what_was_undone_can_be_approved_again_and_rejected(desk: Desk) -> None:
    draft = desk.draft()
    first = _approve(desk, draft)
    dispatch.undo(desk.services, desk.agent, first.id)
    second = _approve(desk, draft, "Fill the tank [1].")
    dispatch.undo(desk.services, desk.agent, second.id)
    version = desk.draft_row(draft.id).version

    approving.reject(desk.services, desk.agent, draft.id, version, "wrong")

    view = _view(desk)
    assert view.decision is not None
    assert (view.decision.state, view.decision.reason) == (ApprovalState.REJECTED, "wrong")
    assert _count(desk, Claim) == 1


def test_undo_comes_too_late_once_the_reply_is_sent(desk: Desk) -> None:
    approval = _approve(desk)
    _send_due(desk)

    with pytest.raises(AlreadySentError):
        dispatch.undo(desk.services, desk.agent, approval.id)

    assert _count(desk, Message) == 2


def test_a_broken_off_draft_that_was_undone_still_cannot_go_as_it_is(desk: Desk) -> None:
    draft = desk.draft("Fill the tank and press [1]. Then", incomplete="cut")
    approval = _approve(desk, draft, "Fill the tank [1].")

    dispatch.undo(desk.services, desk.agent, approval.id)

    assert desk.draft_row(draft.id).status == DraftStatus.INCOMPLETE


def test_a_second_reply_to_the_ticket_cannot_be_approved_while_one_waits(desk: Desk) -> None:
    first, second = desk.draft(), desk.draft("Another draft [1].")
    _approve(desk, first)

    with pytest.raises(AlreadySettledError) as raised:
        _approve(desk, second)

    assert raised.value.fields == {"who": "agent@example.com"}


def _republish(desk: Desk, approval: Approval) -> None:
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))


def _withdraw(desk: Desk, approval: Approval) -> None:
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)


def _restrict(desk: Desk, approval: Approval) -> None:
    described = Description("Olu", Visibility.INTERNAL, [], None)
    documents.describe(desk.services, desk.people[Role.OWNER], desk.document, described)


def _write_again(desk: Desk, approval: Approval) -> None:
    desk.add_ticket(desk.ticket, QUESTION, ("customer", "It is error E18, sorry."))


def _change_a_byte(desk: Desk, approval: Approval) -> None:
    _set(desk, Approval, approval.id, final_text=REPLY.replace("10", "19"))


def _change_text_and_its_hash(desk: Desk, approval: Approval) -> None:
    _change_a_byte(desk, approval)
    _set(desk, Approval, approval.id, seal_sha256="0" * 64)


def _change_prompt(desk: Desk, approval: Approval) -> None:
    _set(desk, Draft, approval.draft_id, prompt=[{"role": "user", "content": "Something else"}])


def _change_verdict(desk: Desk, approval: Approval) -> None:
    with desk.services.database.write() as session:
        for verdict in session.scalars(select(Verdict)):
            verdict.label = Label.REFUTED


def _change_stored_passage(desk: Desk, approval: Approval) -> None:
    with desk.services.database.write() as session:
        for passage in session.scalars(select(Passage)):
            passage.text = passage.text.replace("10 seconds", "11 seconds")


def _change_claim(desk: Desk, approval: Approval) -> None:
    with desk.services.database.write() as session:
        query = select(Claim).where(Claim.approval_id == approval.id)
        session.scalars(query).one().text = "Something else."


def _set(desk: Desk, kind: type[Approval | Draft], row_id: str, **values: object) -> None:
    with desk.services.database.write() as session:
        row = session.get_one(kind, row_id)
        for name, value in values.items():
            setattr(row, name, value)


MOVES: dict[MovedKind, Callable[[Desk, Approval], None]] = {
    MovedKind.VERSION: _republish,
    MovedKind.WITHDRAWN: _withdraw,
    MovedKind.VISIBILITY: _restrict,
    MovedKind.THREAD: _write_again,
    MovedKind.TEXT: _change_a_byte,
    MovedKind.SEAL: _change_text_and_its_hash,
    MovedKind.DRAFT: _change_prompt,
    MovedKind.VERDICT: _change_verdict,
    MovedKind.PASSAGE: _change_stored_passage,
    MovedKind.CLAIMS: _change_claim,
}


@pytest.mark.parametrize("kind", MovedKind)
def test_whatever_moves_between_approving_and_sending_the_reply_is_refused_with_the_reason(
    desk: Desk, kind: MovedKind
) -> None:
    text = "Fill the tank and press the reset button for 10 seconds to clear error E17 [1]."
    approval = _approve(desk, desk.draft(text), text)

    MOVES[kind](desk, approval)
    assert _send_due(desk) == 1

    refused = _approval(desk, approval.id)
    assert refused.state == ApprovalState.REFUSED
    assert [each["kind"] for each in refused.moved] == [kind]
    assert _count(desk, Case) == 0
    with desk.services.database.read() as session:
        assert session.get_one(Ticket, desk.ticket).status == TicketStatus.OPEN
    assert desk.draft_row(approval.draft_id).status == DraftStatus.READY
    assert _actions(desk) == ["draft:approve", "draft:refuse"]
    assert [_send_due(desk), len(tickets.queue(desk.services, desk.agent, TicketStatus.OPEN))] == [
        0,
        1,
    ]


def test_a_refusal_shows_what_was_and_what_is(desk: Desk) -> None:
    approval = _approve(desk)
    _republish(desk, approval)
    _restrict(desk, approval)

    _send_due(desk)

    version, visibility = _approval(desk, approval.id).moved
    assert version == {
        "kind": "version",
        "what": "Errors",
        "was": SOURCE,
        "now": SOURCE.replace("10 seconds", "15 seconds"),
    }
    assert visibility == {
        "kind": "visibility",
        "what": "Errors",
        "was": "public",
        "now": "internal",
    }


def test_a_reply_whose_document_the_agent_may_no_longer_see_is_refused_and_withheld(
    desk: Desk,
) -> None:
    approval = _approve(desk)
    owner = desk.add_person("engineer", Role.OWNER, "engineers")
    described = Description("Olu", Visibility.RESTRICTED, ["engineers"], None)
    documents.describe(desk.services, owner, desk.document, described)

    _send_due(desk)

    assert _approval(desk, approval.id).moved == [
        {
            "kind": "visibility",
            "what": "Errors",
            "was": "public",
            "now": "restricted: engineers",
        }
    ]
    view = tickets.read(desk.services, desk.agent, desk.ticket)
    assert (view.draft, view.withheld) == (None, True)


def test_a_refused_reply_is_approved_and_sent_anew_once_the_agent_has_looked(desk: Desk) -> None:
    approval = _approve(desk)
    _restrict(desk, approval)
    _send_due(desk)

    again = _approve(desk, desk.draft_row(approval.draft_id))
    _send_due(desk)

    assert _approval(desk, again.id).state == ApprovalState.SENT


def test_a_version_that_is_new_in_place_of_one_that_was_old_already_is_noticed(desk: Desk) -> None:
    first = _approve(desk)
    desk.publish("errors", f"{SOURCE} Call us.")
    _send_due(desk)
    again = _approve(desk, desk.draft_row(first.draft_id))

    desk.publish("errors", f"{SOURCE} Write to us.")
    _send_due(desk)

    assert [each["kind"] for each in _approval(desk, again.id).moved] == ["version"]


def test_one_reply_that_cannot_be_sent_does_not_keep_the_others_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _approve(desk)
    other = _approve(desk, desk.draft(ticket=desk.add_ticket("T-2")))
    answer = dispatch._answer

    def fail_once(session: Session, draft: Draft, approval: Approval) -> None:
        if approval.id == first.id:
            raise RuntimeError
        answer(session, draft, approval)

    monkeypatch.setattr(dispatch, "_answer", fail_once)

    assert _send_due(desk) == 1
    assert _approval(desk, other.id).state == ApprovalState.SENT
    assert _approval(desk, first.id).state == ApprovalState.SEALED
    monkeypatch.undo()
    assert _send_due(desk) == 1


def test_a_reply_approved_ten_versions_ago_reopens_as_it_was_and_its_seal_holds(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    with desk.services.database.read() as session:
        before = drafts.read(session, draft.id)

    for number in range(10):
        desk.publish("errors", f"Edition {number}. {SOURCE.replace('10', str(20 + number))}")
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)

    with desk.services.database.read() as session:
        after = drafts.read(session, draft.id)
    assert (after.text, after.draft.thread, after.draft.prompt, after.draft.model) == (
        REPLY,
        [["customer", QUESTION]],
        before.draft.prompt,
        "mixtral",
    )
    assert after.decision is not None
    assert (after.decision.decided_by, after.draft.cost_usd) == (
        "agent@example.com",
        before.draft.cost_usd,
    )
    [[cited]] = [claim.citations for claim in after.claims]
    quote = cited.citation
    assert quote.quote == "Fill the tank and press the reset button for 10 seconds"
    assert cited.version.number == 1
    assert cited.version.text[quote.quote_start : quote.quote_end] == quote.quote
    assert cited.passage.first_page == before.claims[0].citations[0].passage.first_page
    assert [hit.passage.text for hit in after.sources] == [SOURCE]
    reopened = drafts.reopen(desk.services, desk.agent, draft.id)
    assert (reopened.view.text, reopened.broken) == (REPLY, [])
    [claim] = reopened.view.cited
    assert claim.evidence[0].hit.version.number == 1
    found = trail.verify(desk.services.database)
    assert (found.is_whole, found.sealed) == (True, 1)


def test_every_reply_that_was_sent_to_a_ticket_can_be_opened_again(desk: Desk) -> None:
    first = desk.draft()
    desk.send(first)
    desk.add_ticket(desk.ticket, QUESTION, ("customer", "Still no water."))
    second = desk.draft("Press the reset button [1].")
    waiting = _approve(desk, second, "Press the reset button [1].")

    with pytest.raises(NotFoundError):
        drafts.reopen(desk.services, desk.agent, second.id)
    _send_due(desk)

    view = tickets.read(desk.services, desk.agent, desk.ticket)
    assert [approval.draft_id for approval in view.sent] == [first.id, waiting.draft_id]
    assert drafts.reopen(desk.services, desk.agent, first.id).view.text == REPLY


@pytest.mark.parametrize(
    "kind",
    [kind for kind in MovedKind if kind not in {"thread", "version", "withdrawn", "visibility"}],
)
def test_a_sent_reply_that_somebody_changes_in_the_record_is_named(
    desk: Desk, kind: MovedKind
) -> None:
    text = "Fill the tank and press the reset button for 10 seconds to clear error E17 [1]."
    approval_id = desk.send(desk.draft(text), text)

    MOVES[kind](desk, _approval(desk, approval_id))

    [broken] = trail.verify(desk.services.database).broken_seals
    assert broken == {"approval": approval_id, "ticket": desk.ticket, "moved": [kind]}


def test_a_reply_changed_together_with_its_seal_is_told_by_the_events(desk: Desk) -> None:
    approval_id = desk.send(desk.draft())
    other = _approval(desk, desk.send(desk.draft(ticket=desk.add_ticket("T-2"))))

    _set(desk, Approval, approval_id, seal=other.seal, seal_sha256=other.seal_sha256)

    [broken] = trail.verify(desk.services.database).broken_seals
    assert (broken["approval"], broken["moved"]) == (approval_id, ["draft", "seal"])
