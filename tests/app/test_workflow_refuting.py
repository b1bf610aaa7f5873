"""A sentence that its source contradicts blocks approval where the desk wants it so."""

import pytest

from app.errors import RefutedError
from app.roles import Role
from app.services import Services
from app.workflow import approving, rules
from rag.policy import Policy
from rag.tables import DraftStatus
from rag.verify import Verifier
from tests.app.people import REPLY, Desk
from tests.fakes import WordGroundedness

WRONG = REPLY.replace("10 seconds", "30 seconds")


@pytest.fixture(autouse=True)
def _judge(services: Services) -> None:
    vars(services)["verifier"] = Verifier(WordGroundedness())


def _set(desk: Desk, policy: Policy) -> None:
    rules.save_policy(desk.services, desk.people[Role.ADMIN], policy)


def test_a_desk_that_blocks_refuted_sentences_approves_no_reply_with_one(desk: Desk) -> None:
    _set(desk, Policy(refuted="block"))
    draft = desk.draft()

    with pytest.raises(RefutedError) as refused:
        approving.approve(desk.services, desk.agent, draft.id, 1, WRONG)

    assert str(refused.value).startswith(
        "The source of sentence 1, “Fill the tank and press the reset button for 30 seconds.”,"
        " contradicts it: the passage says 10 seconds, not 30 seconds."
    )
    assert desk.draft_row(draft.id).status == DraftStatus.READY
    approving.approve(desk.services, desk.agent, draft.id, 1, REPLY)
    assert desk.draft_row(draft.id).status == DraftStatus.APPROVED


def test_a_desk_that_only_warns_leaves_it_to_the_agent(desk: Desk) -> None:
    _set(desk, Policy(refuted="warn"))
    draft = desk.draft()

    approving.approve(desk.services, desk.agent, draft.id, 1, WRONG)

    assert desk.draft_row(draft.id).status == DraftStatus.APPROVED
