"""What binds the desk is approved only once a person stands by it."""

import pytest
from sqlalchemy import select

from app.errors import UnconfirmedError
from app.workflow import approving, checking, drafts
from app.workflow.confirming import to_confirm
from ingest.tables import Event
from rag.tables import Approval, Claim, ClaimKind, DraftStatus
from tests.app.people import REPLY, SOURCE, Desk

REFUNDED = "Sorry, we have refunded you."
PROMISED = "We will send a new pump by Friday."
BINDING = f"{REPLY}\n\n{REFUNDED} {PROMISED}"


def _claims(desk: Desk, approval_id: str) -> list[Claim]:
    with desk.services.database.read() as session:
        query = select(Claim).where(Claim.approval_id == approval_id).order_by(Claim.ordinal)
        return list(session.scalars(query))


def test_a_courtesy_that_claims_an_action_is_a_claim(desk: Desk) -> None:
    draft = desk.draft()

    claims = checking.check(desk.services, desk.agent, draft.id, BINDING).claims

    assert [claim.text for claim in to_confirm(claims)] == [REFUNDED, PROMISED]
    assert [claim.kind for claim in claims] == [
        ClaimKind.FACT,
        ClaimKind.ACTION,
        ClaimKind.DEADLINE,
    ]


def test_a_reply_that_binds_the_desk_is_refused_until_each_sentence_is_confirmed(
    desk: Desk,
) -> None:
    draft = desk.draft()

    for confirmed, missing in (((), "refunded you"), ((REFUNDED,), "by Friday")):
        with pytest.raises(UnconfirmedError, match=missing):
            approving.approve(desk.services, desk.agent, draft.id, 1, BINDING, confirmed)

    assert desk.draft_row(draft.id).status == DraftStatus.READY
    with desk.services.database.read() as session:
        assert session.scalar(select(Approval)) is None


def test_a_confirmation_holds_for_the_words_that_were_confirmed(desk: Desk) -> None:
    draft = desk.draft()
    more = BINDING.replace("a new pump", "two new pumps")

    with pytest.raises(UnconfirmedError, match="two new pumps"):
        approving.approve(desk.services, desk.agent, draft.id, 1, more, [REFUNDED, PROMISED])


def test_who_confirmed_a_sentence_is_kept_with_it_and_recorded(desk: Desk) -> None:
    draft = desk.draft()

    approval = approving.approve(
        desk.services, desk.agent, draft.id, 1, BINDING, [REFUNDED, PROMISED]
    )

    assert [(claim.kind, claim.confirmed_by) for claim in _claims(desk, approval)] == [
        (ClaimKind.FACT, None),
        (ClaimKind.ACTION, "agent@example.com"),
        (ClaimKind.DEADLINE, "agent@example.com"),
    ]
    with desk.services.database.read() as session:
        event = session.scalar(select(Event).where(Event.action == "draft:approve"))
        assert event is not None
        assert event.detail["confirmed"] == [2, 3]


def test_a_model_that_claims_an_action_has_its_draft_kept_and_the_sentence_asked_for(
    desk: Desk,
) -> None:
    draft = desk.draft(f"Fill the tank [1]. {REFUNDED}")

    assert (draft.status, draft.text) == (DraftStatus.READY, f"Fill the tank [1]. {REFUNDED}")
    with pytest.raises(UnconfirmedError):
        approving.approve(desk.services, desk.agent, draft.id, 1, draft.text)


def test_a_promise_word_for_word_from_a_cited_document_needs_nobody(desk: Desk) -> None:
    promise = "We will replace a pump that fails within 24 months."
    desk.publish("terms", f"{SOURCE} {promise} We have refunded you.")
    draft = desk.draft()
    with desk.services.database.read() as session:
        sources = drafts.sources(session, draft)
    marker = next(rank for rank, hit in enumerate(sources, 1) if promise in hit.passage.text)

    claims = checking.check(
        desk.services,
        desk.agent,
        draft.id,
        f"{promise[:-1]} [{marker}]. We will replace a pump [{marker}]."
        f" We have refunded you [{marker}].",
    ).claims

    assert [claim.needs_confirmation for claim in claims] == [False, True, True]
