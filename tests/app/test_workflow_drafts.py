"""Approving and rejecting: once, by one person, of exactly the text that is sent."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.errors import AlreadySettledError, InvalidInputError, NotFoundError, ThreadMovedError
from app.roles import Role
from app.workflow import approving, checking, documents, drafts, tickets
from app.workflow.drafts import DraftView
from ingest.access import Scope
from ingest.events import broken_links
from ingest.tables import Event, VersionStatus, Visibility
from rag.tables import (
    Approval,
    Author,
    Claim,
    Draft,
    DraftStatus,
    Label,
    Message,
    Ticket,
    TicketStatus,
)
from tests.app.people import QUESTION, REPLY, SENT, SOURCE, Desk


def _view(desk: Desk, draft: Draft) -> DraftView:
    with desk.services.database.read() as session:
        return drafts.read(session, draft.id)


def _count(desk: Desk, kind: type[Approval | Message | Claim]) -> int:
    with desk.services.database.read() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_an_approved_reply_is_kept_sent_and_recorded(desk: Desk) -> None:
    draft = desk.draft()

    approval_id = desk.send(draft)

    with desk.services.database.read() as session:
        approval = session.get_one(Approval, approval_id)
        assert approval.approved
        assert approval.final_text == REPLY
        assert approval.sha256 == hashlib.sha256(REPLY.encode()).hexdigest()
        assert approval.decided_by == "agent@example.com"
        assert session.get_one(Ticket, desk.ticket).status == TicketStatus.ANSWERED
        reply = session.get_one(Message, (desk.ticket, 2))
        assert (reply.author, reply.body) == (Author.AGENT, SENT)
        events = select(Event).where(Event.subject == desk.ticket).order_by(Event.id)
        approved, sent = session.scalars(events).all()
        seal = {"seal": approval.seal_sha256}
        assert {approved.actor, sent.actor} == {"agent@example.com"}
        assert (approved.action, approved.detail) == (
            "draft:approve",
            {"draft": draft.id, "sha256": approval.sha256, **seal},
        )
        assert (sent.action, sent.detail) == ("draft:send", {"draft": draft.id, **seal})
        assert list(broken_links(session)) == []
    settled = desk.draft_row(draft.id)
    assert (settled.status, settled.version) == (DraftStatus.APPROVED, 2)


def test_claims_and_citations_are_made_anew_from_the_edited_text(desk: Desk) -> None:
    draft = desk.draft()
    edited = "Error E17 means that no water flows through the brew group [1]. Wait 99 seconds [1]."

    approving.approve(desk.services, desk.agent, draft.id, 1, edited)

    view = _view(desk, draft)
    assert view.text == edited
    assert [claim.claim.text for claim in view.claims] == [
        "Error E17 means that no water flows through the brew group [1].",
        "Wait 99 seconds [1].",
    ]
    first, second = (claim.citations[0] for claim in view.claims)
    assert first.citation.quote == ("Error E17 means that no water flows through the brew group.")
    assert first.version.text[first.citation.quote_start : first.citation.quote_end] == (
        first.citation.quote
    )
    assert first.machine is not None
    assert first.machine.label == Label.SUPPORTED
    assert second.machine is not None
    assert (second.machine.label, second.machine.note) == (
        Label.NOT_ENOUGH_INFO,
        "99 seconds is not in the passage",
    )


@pytest.mark.parametrize("marker", ["[0]", "[7]"])
def test_a_marker_that_the_agent_mistyped_is_no_citation(desk: Desk, marker: str) -> None:
    draft = desk.draft()

    approving.approve(desk.services, desk.agent, draft.id, 1, f"Fill the tank with water {marker}.")

    [claim] = _view(desk, draft).claims
    assert claim.citations == []


@pytest.mark.parametrize("settle", ["approve", "reject"])
@pytest.mark.parametrize("again", ["approve", "reject"])
def test_a_draft_is_settled_once(desk: Desk, settle: str, again: str) -> None:
    draft = desk.draft()
    other = desk.add_person("ben", Role.AGENT)
    acts: dict[str, Callable[[str, int], object]] = {
        "approve": lambda who, version: approving.approve(
            desk.services, who, draft.id, version, REPLY
        ),
        "reject": lambda who, version: approving.reject(
            desk.services, who, draft.id, version, "wrong"
        ),
    }
    acts[settle](desk.agent, 1)

    for version in (1, 2):
        with pytest.raises(AlreadySettledError) as raised:
            acts[again](other, version)
        assert raised.value.fields == {"who": "agent@example.com"}
    assert _count(desk, Approval) == 1


def test_two_agents_cannot_both_settle_one_draft(desk: Desk) -> None:
    people = [desk.add_person(f"agent{number}", Role.AGENT) for number in range(6)]
    draft = desk.draft()
    together = threading.Barrier(len(people))

    def settle(number: int) -> str:
        together.wait()
        try:
            if number % 2:
                approving.reject(desk.services, people[number], draft.id, 1, "wrong")
            else:
                text = f"Reply {number} [1]."
                approving.approve(desk.services, people[number], draft.id, 1, text)
        except AlreadySettledError as error:
            return str(error.fields["who"])
        return "won"

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = list(pool.map(settle, range(len(people))))

    assert outcomes.count("won") == 1
    winner = outcomes.index("won")
    assert {who for who in outcomes if who != "won"} == {f"agent{winner}@example.com"}
    assert _count(desk, Approval) == 1
    assert _count(desk, Message) == 1
    with desk.services.database.read() as session:
        assert list(broken_links(session)) == []


def test_an_edit_in_another_window_is_noticed_by_its_version(desk: Desk) -> None:
    draft = desk.draft()

    with pytest.raises(AlreadySettledError) as raised:
        approving.approve(desk.services, desk.agent, draft.id, 7, REPLY)

    assert raised.value.fields == {"who": "another window"}
    assert desk.draft_row(draft.id).status == DraftStatus.READY


def test_a_reply_to_a_thread_that_moved_on_is_refused(desk: Desk) -> None:
    draft = desk.draft()
    desk.add_ticket(desk.ticket, SOURCE, ("customer", "It works now, thank you."))

    with pytest.raises(ThreadMovedError):
        approving.approve(desk.services, desk.agent, draft.id, 1, REPLY)

    assert desk.draft_row(draft.id).status == DraftStatus.READY
    assert _count(desk, Approval) == 0


def test_a_broken_off_draft_is_not_approved_as_it_is_but_edited_or_rejected(desk: Desk) -> None:
    draft = desk.draft("Fill the tank and press [1]. Then", incomplete="cut")

    for text in (draft.text, f"  {draft.text}\n"):
        with pytest.raises(InvalidInputError) as raised:
            approving.approve(desk.services, desk.agent, draft.id, 1, text)
        assert raised.value.fields["why"] == "it broke off before its end"
    approving.approve(desk.services, desk.agent, draft.id, 1, "Fill the tank and press [1].")

    assert desk.draft_row(draft.id).status == DraftStatus.APPROVED


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n"])
def test_an_empty_reply_is_not_sent(desk: Desk, text: str) -> None:
    draft = desk.draft()

    with pytest.raises(InvalidInputError):
        approving.approve(desk.services, desk.agent, draft.id, 1, text)

    assert _count(desk, Message) == 1


def test_what_an_abstained_draft_left_open_an_agent_may_write_alone(desk: Desk) -> None:
    draft = desk.draft("NOT_IN_THE_DOCUMENTS")
    assert (draft.status, draft.text) == (DraftStatus.ABSTAINED, "")

    approving.approve(desk.services, desk.agent, draft.id, 1, "The documents do not say.")

    assert _view(desk, draft).text == "The documents do not say."


def test_a_rejected_draft_leaves_the_ticket_open_and_says_why(desk: Desk) -> None:
    draft = desk.draft()

    approving.reject(desk.services, desk.agent, draft.id, 1, " does not answer the question ")

    with desk.services.database.read() as session:
        decision = session.scalar(select(Approval))
        assert decision is not None
        assert (decision.approved, decision.reason) == (False, "does not answer the question")
        assert session.get_one(Ticket, desk.ticket).status == TicketStatus.OPEN
    view = _view(desk, draft)
    assert view.decision is not None
    assert not view.decision.approved
    assert (view.text, len(view.claims)) == (draft.text, 1)
    assert _count(desk, Message) == 1


def test_an_approved_reply_reopens_as_it_was_after_its_source_changed_and_went(
    desk: Desk,
) -> None:
    draft = desk.draft()
    desk.send(draft)
    before = _view(desk, draft)

    desk.publish("errors", "Everything is different now: wait 99 seconds.")
    desk.publish("more", "Something else entirely.")
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)

    after = _view(desk, draft)
    assert after.text == before.text == REPLY
    assert after.draft.prompt == draft.prompt
    assert [hit.passage.text for hit in after.sources] == [SOURCE]
    [claim] = after.claims
    [cited] = claim.citations
    assert cited.version.status == VersionStatus.SUPERSEDED
    assert cited.version.text[cited.citation.quote_start : cited.citation.quote_end] == (
        cited.citation.quote
    )
    assert claim.claim == before.claims[0].claim
    source = documents.source(desk.services, desk.agent, cited.version.id)
    assert source.version.text == SOURCE


def test_a_draft_begun_in_the_browser_is_the_persons_and_sees_what_they_see(desk: Desk) -> None:
    desk.publish("secret", f"Engineers only. {SOURCE}", Visibility.RESTRICTED, "engineers")

    stream = drafts.begin(desk.services, desk.agent, desk.ticket, None)
    list(stream)

    draft = desk.draft_row(str(stream.draft_id))
    assert draft.created_by == "agent@example.com"
    with desk.services.database.read() as session:
        sources = drafts.sources(session, draft)
    assert {hit.document.id for hit in sources} <= {desk.document}


def test_what_is_not_there_is_said_not_to_be_there(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="There is no ticket T-9"):
        drafts.begin(desk.services, desk.agent, "T-9", None)
    with pytest.raises(NotFoundError):
        approving.approve(desk.services, desk.agent, "none", 1, "text")
    with pytest.raises(NotFoundError):
        approving.reject(desk.services, desk.agent, "none", 1, "wrong")
    with pytest.raises(NotFoundError):
        tickets.read(desk.services, desk.agent, "T-9")


def test_a_reply_without_markers_is_what_the_customer_sees() -> None:
    text = "Hello,\n\n- Fill the tank [1][2].\n- Press reset [3] now.\n\nKind regards"

    assert drafts.without_markers(text) == (
        "Hello,\n\n- Fill the tank.\n- Press reset now.\n\nKind regards"
    )


def test_a_rejection_needs_a_reason(desk: Desk) -> None:
    draft = desk.draft()

    with pytest.raises(InvalidInputError, match="without a reason"):
        approving.reject(desk.services, desk.agent, draft.id, 1, "  ")


def test_a_draft_from_documents_one_may_not_see_is_withheld_whole(desk: Desk) -> None:
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)
    desk.publish("secret", f"Engineers only. {SOURCE}", Visibility.RESTRICTED, "engineers")
    engineer = desk.add_person("engineer", Role.AGENT, "engineers")
    draft = desk.draft(scope=Scope.of_staff(frozenset({"engineers"})))

    seen = tickets.read(desk.services, engineer, desk.ticket)
    withheld = tickets.read(desk.services, desk.agent, desk.ticket)

    assert seen.draft is not None
    assert (seen.draft.text, seen.withheld) == (draft.text, False)
    assert (withheld.draft, withheld.withheld) == (None, True)
    for act in (
        lambda: checking.check(desk.services, desk.agent, draft.id, REPLY),
        lambda: approving.approve(desk.services, desk.agent, draft.id, 1, REPLY),
        lambda: approving.reject(desk.services, desk.agent, draft.id, 1, "no"),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_an_approval_sees_that_a_message_was_changed_under_the_draft(desk: Desk) -> None:
    draft = desk.draft()
    desk.add_ticket(desk.ticket, "Never mind, I have another question: what does a repair cost?")

    with pytest.raises(ThreadMovedError):
        approving.approve(desk.services, desk.agent, draft.id, 1, REPLY)


def test_the_approved_reply_is_what_a_ticket_shows_whatever_was_drafted_after(desk: Desk) -> None:
    first = desk.draft()
    desk.draft("Another draft.")
    desk.send(first)

    view = tickets.read(desk.services, desk.agent, desk.ticket)

    assert view.draft is not None
    assert view.draft.text == REPLY


def test_a_reply_for_the_customer_loses_its_markers_and_nothing_else() -> None:
    reply = "Install .NET [1].\n\n  - keep  this [2][1]\n"

    assert drafts.without_markers(reply) == "Install .NET.\n\n  - keep  this\n"


def test_an_approved_reply_stays_when_the_other_program_tells_more_or_otherwise(
    desk: Desk,
) -> None:
    desk.send(desk.draft())

    def bodies() -> list[str]:
        view = tickets.read(desk.services, desk.agent, desk.ticket)
        return [body for _, body in view.messages]

    desk.add_ticket(desk.ticket, QUESTION, ("customer", "Still no water."))
    assert bodies() == [QUESTION, SENT, "Still no water."]

    desk.add_ticket(desk.ticket, "Another story altogether.")
    assert bodies() == ["Another story altogether.", SENT]
