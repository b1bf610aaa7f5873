"""The states of statements in words: which need the agent, and why."""

import pytest

from app.components import claim_states
from app.components.claim_states import note, summary
from rag.cite import cite
from rag.standing import Standing
from rag.verify import Verifier
from tests.fakes import WordGroundedness
from tests.rag.desk import hit

S, D, R, U, OWN = (
    Standing.SUPPORTED,
    Standing.DOUBTFUL,
    Standing.REFUTED,
    Standing.UNCITED,
    Standing.OWN,
)


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ([], "This text makes no statement that needs a source."),
        ([S, S], "2 of 2 supported."),
        ([S, S, S, D, S, S], "5 of 6 supported, sentence 4 needs you."),
        ([R, S, U], "1 of 3 supported, sentences 1 and 3 need you."),
        ([R, D, U, OWN], "0 of 4 supported, 1 your own, sentences 1, 2 and 3 need you."),
        ([S, OWN], "1 of 2 supported, 1 your own."),
    ],
)
def test_the_summary_names_the_sentences_that_need_the_agent(
    standings: list[Standing], expected: str
) -> None:
    assert summary(standings) == expected


def test_a_statement_says_why_it_stands_as_it_does() -> None:
    hits = [hit("The flat repair rate is 149.00 EUR for an Aria 700.")]
    text = "The flat repair rate is 199.00 EUR for an Aria 700 [1]."
    [claim] = Verifier(WordGroundedness()).check(cite(text, hits))

    assert note(4, claim, R) == (
        "Sentence 4: its source says something else (the passage says 149.00 EUR, not 199.00 EUR)"
    )


def test_every_state_that_was_judged_has_a_sign_of_its_own() -> None:
    signs = [claim_states.SIGNS[state] for state in (S, D, R, U, OWN)]

    assert len(set(signs)) == len(signs)
    assert all(signs)
