"""What a hosted model is sent, and what the agent gets back."""

from dataclasses import replace

import pytest

from rag.models import Model
from rag.pipeline import Drafter
from rag.tables import Draft, DraftStatus
from rag.writing import Writer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, QUESTION, ROUTE, STAFF, Saying

MAIL = "martha.bergmann@example.org"
BODY = f"{QUESTION} Please write to {MAIL}.\n\nKind regards,\nMartha Bergmann"
OWN = replace(ROUTE, region="yours")


@pytest.fixture
def asked(desk: TestDesk) -> TestDesk:
    desk.publish("errors", E17)
    desk.ticket(BODY, subject="Error E17")
    return desk


def _draft(drafter: Drafter, chat: Saying, route: Model = ROUTE) -> tuple[str, Draft]:
    stream = drafter.draft("T-1", "ann@example.com", STAFF, Writer(route, chat))
    text = "".join(stream)
    with drafter.database.read() as session:
        return text, session.get_one(Draft, stream.draft_id)


def _sent(chat: Saying) -> str:
    return "".join(message["content"] for message in chat.asked[0])


def test_a_hosted_model_sees_no_personal_data_and_the_reply_has_it_back(asked: TestDesk) -> None:
    chat = Saying(["Dear <NA", "ME_1>,\n\nfill the tank [1]. We will write to <EMA", "IL_1>."])

    text, draft = _draft(asked.drafter, chat)

    assert MAIL not in _sent(chat)
    assert "Bergmann" not in _sent(chat)
    assert "&lt;EMAIL_1&gt;" in _sent(chat)
    assert "Error E17" in _sent(chat)
    assert f"We will write to {MAIL}." in text
    assert draft.text == text
    assert draft.text.startswith("Dear Martha Bergmann,")
    assert draft.status == DraftStatus.READY
    assert draft.masked == {"NAME": 1, "EMAIL": 1}
    assert MAIL not in str(draft.prompt)


def test_a_placeholder_that_the_model_made_up_makes_the_draft_incomplete(asked: TestDesk) -> None:
    chat = Saying(["Dear <NAME_7>,\n\nfill the tank [1]."])

    _, draft = _draft(asked.drafter, chat)

    assert (draft.status, draft.reason) == (DraftStatus.INCOMPLETE, "placeholder")


@pytest.mark.parametrize(
    ("mode", "route", "masked"),
    [
        ("hosted", ROUTE, True),
        ("hosted", OWN, False),
        ("always", OWN, True),
        ("never", ROUTE, False),
    ],
)
def test_the_setting_says_where_personal_data_is_masked(
    asked: TestDesk, mode: str, route: Model, *, masked: bool
) -> None:
    chat = Saying(["Fill the tank [1]."])

    _, draft = _draft(replace(asked.drafter, mask=mode), chat, route)

    assert (MAIL not in _sent(chat)) is masked
    assert bool(draft.masked) is masked
