"""While an agent edits, a reply is checked whole, and only what changed is judged again."""

import pytest

from app.services import Services
from app.workflow import checking
from rag.mending import Mend
from rag.standing import Standing
from rag.verify import Verifier
from tests.app.people import Desk
from tests.fakes import WordGroundedness

CITED = "Fill the tank and press the reset button for about 10 seconds [1]."
OTHER = "Error E17 means that water does not flow through the brew group [1]."
OWN = "I have set a new pump aside for you."


@pytest.fixture
def judge(services: Services) -> WordGroundedness:
    """Return what judges at the desk."""
    judge = WordGroundedness()
    vars(services)["verifier"] = Verifier(judge)
    return judge


def test_only_the_sentence_that_changed_is_judged_again(
    judge: WordGroundedness, desk: Desk
) -> None:
    draft = desk.draft(f"{CITED} {OTHER}")
    checking.check(desk.services, desk.agent, draft.id, f"{CITED} {OTHER}")
    judge.asked.clear()

    checking.check(desk.services, desk.agent, draft.id, f"{CITED} {OTHER}")
    assert judge.asked == []

    edited = CITED.replace("about", "nearly")
    checked = checking.check(desk.services, desk.agent, draft.id, f"{edited} {OTHER}")
    assert {claim for claim, _ in judge.asked} == {edited.replace(" [1]", "")}
    assert len(checked.claims) == 2


def test_a_sentence_that_the_agent_typed_is_marked_as_their_own(
    judge: WordGroundedness, desk: Desk
) -> None:
    draft = desk.draft(CITED)

    checked = checking.check(desk.services, desk.agent, draft.id, f"{CITED} {OWN}")

    assert checked.standings == [Standing.SUPPORTED, Standing.OWN]
    assert checked.mends == []


def test_an_edited_number_is_refuted_and_a_sentence_from_the_source_gets_its_citation(
    judge: WordGroundedness, desk: Desk
) -> None:
    draft = desk.draft(CITED)
    text = f"{CITED.replace('10', '30')} Error E17 means that no water flows."

    checked = checking.check(desk.services, desk.agent, draft.id, text)

    assert checked.standings == [Standing.REFUTED, Standing.OWN]
    assert checked.mends == [Mend(1, 1, adds=True)]


def test_a_models_draft_gets_the_citation_that_it_left_out(
    judge: WordGroundedness, desk: Desk
) -> None:
    draft = desk.draft(f"{CITED} Error E17 means that no water flows.")

    assert draft.text == f"{CITED} Error E17 means that no water flows. [1]"
    assert draft.notes["citations_added"] == "[1]"
