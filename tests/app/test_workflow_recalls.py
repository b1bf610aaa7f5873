"""The recall list: worst first, only what has changed, with a correction; stale drafts wait."""

import pytest
from sqlalchemy import select

from app.errors import InvalidInputError, NotFoundError, StaleDraftError
from app.roles import Role
from app.workflow import approving, dispatch, documents, recalls, tickets
from app.workflow.changed_sources import Recall
from ingest.access import Scope
from ingest.tables import Event, Visibility
from rag.cite import cite
from rag.corrections import CORRECTION
from rag.drift import Drift
from rag.tables import Approval, ApprovalState, ClaimKind, Draft, DraftStatus, Ticket, TicketStatus
from tests.app.people import SOURCE, Desk

TEXT = "Fill the tank and press the reset button for 10 seconds to clear error E17 [1]."


def _listed(desk: Desk, who: str | None = None) -> list[Recall]:
    return recalls.listed(desk.services, who or desk.people[Role.OWNER])


def _send(desk: Desk, ticket: str = "T-1", text: str = TEXT) -> str:
    return desk.send(desk.draft(text, ticket=ticket), text)


def _draft(desk: Desk, ticket: str = "T-1") -> Draft:
    view = tickets.read(desk.services, desk.agent, ticket).draft
    assert view is not None
    return view.draft


def test_a_sent_reply_whose_source_changed_is_listed_with_what_was_and_what_is(desk: Desk) -> None:
    approval_id = _send(desk)
    assert _listed(desk) == []

    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))

    [recall] = _listed(desk)
    [change] = recall.changes
    assert (recall.approval.id, recall.ticket.id, recall.worst) == (
        approval_id,
        "T-1",
        Drift.NUMBER,
    )
    assert change.told == TEXT.replace(" [1]", "")
    assert change.was == TEXT.replace(" [1]", "")
    assert change.now == change.was.replace("10", "15")
    assert change.start is not None


def test_a_new_version_that_keeps_the_quoted_sentence_recalls_nothing(desk: Desk) -> None:
    _send(desk)

    desk.publish("errors", f"A new first sentence. {SOURCE} And a new last one.")

    assert _listed(desk) == []


def test_a_withdrawn_document_recalls_what_was_told_of_it(desk: Desk) -> None:
    _send(desk)

    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)

    [recall] = _listed(desk)
    assert (recall.worst, recall.changes[0].now) == (Drift.WITHDRAWN, "")


def test_numbers_come_before_negation_and_wording(desk: Desk) -> None:
    sources = {
        "alpha": ("The alpha lamp is green when ready.", "The alpha lamp glows green when ready."),
        "beta": ("The beta lamp is green when ready.", "The beta lamp is not green when ready."),
        "gamma": ("The gamma lamp takes 3 seconds.", "The gamma lamp takes 4 seconds."),
    }
    for name, (text, _) in sources.items():
        desk.publish(name, text)
        desk.add_ticket(name, f"What about the {name} lamp when it is ready? {text}")
    for name, (text, _) in sources.items():
        reply = f"{text[:-1]} [1]."
        draft = desk.draft(reply, ticket=name)
        assert draft.ledger[0]["title"].lower() == name
        desk.send(draft, reply)

    for name, (_, text) in sources.items():
        desk.publish(name, text)

    assert [(recall.ticket.id, recall.worst) for recall in _listed(desk)] == [
        ("gamma", Drift.NUMBER),
        ("beta", Drift.NEGATION),
        ("alpha", Drift.WORDING),
    ]


def test_preparing_opens_the_ticket_again_with_a_correction_that_cites_the_new_version(
    desk: Desk,
) -> None:
    approval_id = _send(desk)
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))

    ticket_id = recalls.prepare(desk.services, desk.people[Role.OWNER], approval_id)

    view = tickets.read(desk.services, desk.agent, ticket_id)
    assert view.ticket.status == TicketStatus.OPEN
    assert view.draft is not None
    draft = view.draft.draft
    assert (draft.status, draft.model, draft.notes) == (
        DraftStatus.READY,
        CORRECTION,
        {"corrects": approval_id},
    )
    assert draft.text == (
        "Hello,\n\nsomething in our earlier reply has changed since. Please take note of the "
        "correction.\n\nIt said before: “Fill the tank and press the reset button for 10 seconds "
        "to clear error E17.”\nIt says now:\nFill the tank and press the reset button for 15 "
        "seconds to clear error E17. [1]\n\nKind regards"
    )
    [cited] = [c for claim in view.draft.claims for c in claim.citations]
    assert (cited.version.number, cited.citation.quote) == (
        2,
        "Fill the tank and press the reset button for 15 seconds to clear error E17.",
    )
    assert _listed(desk) == []


def test_a_correction_that_is_sent_follows_the_reply_and_takes_its_place_on_the_list(
    desk: Desk,
) -> None:
    approval_id = _send(desk)
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))
    recalls.prepare(desk.services, desk.agent, approval_id)
    draft = _draft(desk)

    correction = desk.send(draft, draft.text)

    view = tickets.read(desk.services, desk.agent, "T-1")
    assert view.ticket.status == TicketStatus.ANSWERED
    assert len(view.messages) == 3
    assert _draft(desk).id == draft.id
    desk.publish("errors", SOURCE.replace("10 seconds", "20 seconds"))
    assert [recall.approval.id for recall in _listed(desk)] == [correction]


@pytest.mark.parametrize("language", ["de", "fr", "it", "es", "nl", "pt"])
def test_a_correction_is_in_the_customers_language_where_it_is_known(
    desk: Desk, language: str
) -> None:
    approval_id = _send(desk)
    with desk.services.database.write() as session:
        session.get_one(Ticket, "T-1").language = language
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)

    recalls.prepare(desk.services, desk.agent, approval_id)

    assert not any(claim.kind != ClaimKind.FACT for claim in cite(_draft(desk).text, []))
    greeting = {"de": "Guten Tag", "fr": "Bonjour", "it": "Buongiorno", "es": "Buenos días"}
    greeting |= {"nl": "Goedendag", "pt": "Hello"}
    assert _draft(desk).text.startswith(greeting[language])


def test_a_rejected_correction_leaves_the_ticket_answered_and_its_reply_in_sight(
    desk: Desk,
) -> None:
    approval_id = _send(desk)
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)
    recalls.prepare(desk.services, desk.agent, approval_id)
    draft = _draft(desk)

    approving.reject(desk.services, desk.agent, draft.id, 1, "the customer knows")

    view = tickets.read(desk.services, desk.agent, "T-1")
    assert view.ticket.status == TicketStatus.ANSWERED
    assert view.draft is not None
    assert view.draft.text == TEXT


def test_a_dismissal_needs_a_reason_and_holds_until_the_document_changes_again(desk: Desk) -> None:
    approval_id = _send(desk)
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))
    with pytest.raises(InvalidInputError, match="without a reason"):
        recalls.dismiss(desk.services, desk.agent, approval_id, " ")

    recalls.dismiss(desk.services, desk.agent, approval_id, "he has sent the machine back")

    assert _listed(desk) == []
    with desk.services.database.read() as session:
        event = session.scalars(select(Event).where(Event.action == "recall:dismiss")).one()
    assert event.detail == {"approval": approval_id, "drift": "number"}
    desk.publish("errors", SOURCE.replace("10 seconds", "20 seconds"))
    assert len(_listed(desk)) == 1


def test_what_is_decided_or_was_never_to_be_recalled_cannot_be_decided(desk: Desk) -> None:
    approval_id = _send(desk)

    for act in (
        lambda: recalls.prepare(desk.services, desk.agent, approval_id),
        lambda: recalls.dismiss(desk.services, desk.agent, approval_id, "why"),
        lambda: recalls.prepare(desk.services, desk.agent, "none"),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_nobody_is_shown_a_reply_whose_sources_they_may_not_see(desk: Desk) -> None:
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)
    desk.publish("secret", SOURCE, Visibility.RESTRICTED, "engineers")
    engineer = desk.add_person("engineer", Role.AGENT, "engineers")
    draft = desk.draft(TEXT, scope=Scope.of_staff(frozenset({"engineers"})))
    approval_id = desk.send(draft, TEXT, engineer)
    desk.publish("secret", SOURCE.replace("10", "15"), Visibility.RESTRICTED, "engineers")

    assert [recall.approval.id for recall in _listed(desk, engineer)] == [approval_id]
    assert _listed(desk) == []
    with pytest.raises(NotFoundError):
        recalls.prepare(desk.services, desk.agent, approval_id)


def test_a_draft_whose_source_changed_is_not_approved_until_it_cites_what_is_current(
    desk: Desk,
) -> None:
    draft = desk.draft(TEXT)
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))
    with pytest.raises(StaleDraftError, match="Errors"):
        approving.approve(desk.services, desk.agent, draft.id, 1, TEXT)

    approving.renew(desk.services, desk.agent, draft.id, 1)

    renewed = TEXT.replace("10", "15")
    approval_id = approving.approve(desk.services, desk.agent, draft.id, 2, renewed)
    assert dispatch.send_now(desk.services, desk.agent, approval_id) == ApprovalState.SENT
    with desk.services.database.read() as session:
        seal = session.get_one(Approval, approval_id).seal
    assert seal is not None
    assert [passage["number"] for passage in seal["passages"]] == [2]


def test_a_draft_whose_quoted_sentence_still_stands_is_not_stale(desk: Desk) -> None:
    draft = desk.draft(TEXT)
    desk.publish("errors", f"{SOURCE} Call us.")

    approving.approve(desk.services, desk.agent, draft.id, 1, TEXT)

    assert desk.draft_row(draft.id).status == DraftStatus.APPROVED


def test_what_cites_a_withdrawn_document_is_taken_out_before_a_reply_goes(desk: Desk) -> None:
    draft = desk.draft(TEXT)
    documents.withdraw(desk.services, desk.people[Role.OWNER], desk.document)
    with pytest.raises(StaleDraftError):
        approving.approve(desk.services, desk.agent, draft.id, 1, TEXT)

    approving.approve(desk.services, desk.agent, draft.id, 1, "It can be cleared.")

    assert desk.draft_row(draft.id).status == DraftStatus.APPROVED


def test_a_renewed_draft_is_judged_anew_against_what_the_source_says_now(desk: Desk) -> None:
    draft = desk.draft(TEXT)
    desk.publish("errors", SOURCE.replace("10 seconds", "15 seconds"))

    approving.renew(desk.services, desk.agent, draft.id, 1)

    view = tickets.read(desk.services, desk.agent, "T-1").draft
    assert view is not None
    [cited] = [c for claim in view.claims for c in claim.citations]
    assert cited.version.number == 2
    assert cited.machine is not None
    assert cited.machine.label != "SUPPORTED"
