"""Tickets as an agent meets them."""

import pytest

from app.errors import InvalidInputError
from app.workflow import tickets
from rag.tables import Author, TicketStatus
from rag.tickets import MAX_CHARACTERS
from tests.app.people import QUESTION, REPLY, SENT, Desk


def test_the_queue_is_by_status_oldest_first(desk: Desk) -> None:
    desk.add_ticket("T-2")
    desk.add_ticket("T-3")
    desk.send(desk.draft(ticket="T-2"))

    waiting = tickets.queue(desk.services, desk.agent, TicketStatus.OPEN)
    answered = tickets.queue(desk.services, desk.agent, TicketStatus.ANSWERED)

    assert [ticket.id for ticket in waiting] == ["T-1", "T-3"]
    assert [ticket.id for ticket in answered] == ["T-2"]


def test_a_ticket_is_read_with_its_thread_and_newest_draft(desk: Desk) -> None:
    desk.draft("Old [1].")
    newest = desk.draft(REPLY)

    view = tickets.read(desk.services, desk.agent, desk.ticket)

    assert view.messages == [(Author.CUSTOMER, QUESTION)]
    assert view.draft is not None
    assert view.draft.draft.id == newest.id
    assert [hit.document.id for hit in view.draft.sources] == [desk.document]


def test_after_an_approval_the_thread_holds_the_reply(desk: Desk) -> None:
    desk.send(desk.draft())

    view = tickets.read(desk.services, desk.agent, desk.ticket)

    assert view.messages[-1] == (Author.AGENT, SENT)
    assert view.draft is not None
    assert view.draft.decision is not None
    assert view.draft.text == REPLY


def test_a_ticket_by_hand_is_like_any_other(desk: Desk) -> None:
    name = tickets.create(desk.services, desk.agent, " Lost parcel ", " Where is my parcel now? ")

    view = tickets.read(desk.services, desk.agent, name)

    assert (view.ticket.subject, view.ticket.language) == ("Lost parcel", "en")
    assert view.messages == [(Author.CUSTOMER, "Where is my parcel now?")]
    assert view.draft is None


def test_an_empty_or_endless_ticket_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInputError, match="nothing to answer"):
        tickets.create(desk.services, desk.agent, " ", "\n")
    with pytest.raises(InvalidInputError, match="1,000,001 characters"):
        tickets.create(desk.services, desk.agent, "Long", "x" * (MAX_CHARACTERS + 1))


def test_a_gap_is_there_for_a_ticket_that_nothing_answered(desk: Desk) -> None:
    assert tickets.gap_of(desk.services, desk.agent, desk.ticket) is None
    desk.draft("NOT_IN_THE_DOCUMENTS")

    gap = tickets.gap_of(desk.services, desk.agent, desk.ticket)

    assert gap is not None
    assert (gap.question, gap.reason) == (f"E17\n{QUESTION}", "model_declined")
