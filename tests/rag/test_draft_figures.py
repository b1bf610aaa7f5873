"""Figures over tickets, counted by hand."""

from dataclasses import replace

import pytest

from rag.draft_figures import by_model, by_prompt, figures
from rag.evaluate_drafts import Outcome
from rag.tables import DraftStatus

DRAFTED = Outcome(
    ticket="D-1",
    answerable=True,
    status=DraftStatus.READY,
    reason=None,
    model="mixtral",
    prompt_version="abc",
    text="Fill the tank [1].",
    claims=(),
    citation_precision=1.0,
    citation_recall=1.0,
    groundedness=1.0,
    must_met=None,
    missing=(),
    forbidden=(),
    numbers_wrong=(),
    cost_usd=0.25,
    seconds=2.0,
)
HALF = replace(DRAFTED, citation_precision=0.5, must_met=0.5, forbidden=["45"], numbers_wrong="45")
ABSTAINED = replace(
    DRAFTED,
    answerable=False,
    status=DraftStatus.ABSTAINED,
    prompt_version=None,
    citation_precision=None,
    citation_recall=None,
    groundedness=None,
)
QUOTED = replace(DRAFTED, answerable=False, model="extractive", prompt_version=None, cost_usd=0.0)
CUT = replace(ABSTAINED, answerable=True, status=DraftStatus.INCOMPLETE, prompt_version="abc")


def test_shares_are_means_over_the_tickets_that_have_them() -> None:
    found = figures([DRAFTED, HALF, ABSTAINED, QUOTED, CUT])

    assert [found[name] for name in ("tickets", "answerable", "drafted", "abstained")] == [
        *(5, 3, 3, 1)
    ]
    assert found["incomplete"] == 1
    assert found["citation_precision"] == pytest.approx(0.8333)
    assert found["answerable_drafted"] == pytest.approx(0.6667)
    assert found["unanswerable_abstained"] == 0.5
    assert found["must_met"] == 0.5
    assert (found["must_not_violated"], found["numbers_wrong"]) == (1, 2)
    assert (found["cost_usd"], found["seconds"]) == (1.0, 10.0)


def test_few_tickets_have_no_interval_and_more_have_one() -> None:
    few = figures([DRAFTED, HALF])
    more = figures([DRAFTED, HALF] * 5)

    assert few["intervals"]["citation_precision"] is None
    low, high = more["intervals"]["citation_precision"]
    assert 0.5 < low < 0.75 < high < 1.0
    assert more["intervals"]["unanswerable_abstained"] is None


def test_without_tickets_there_are_counts_and_no_shares() -> None:
    found = figures([])

    assert (found["tickets"], found["drafted"], found["cost_usd"]) == (0, 0, 0.0)
    assert found["citation_precision"] is None


def test_a_cost_that_one_provider_does_not_tell_is_unknown() -> None:
    assert figures([DRAFTED, replace(DRAFTED, cost_usd=None)])["cost_usd"] is None


def test_models_and_prompts_are_counted_apart() -> None:
    outcomes = [DRAFTED, HALF, ABSTAINED, QUOTED, CUT]

    models, prompts = by_model(outcomes), by_prompt(outcomes)

    assert {name: found["tickets"] for name, found in models.items()} == {
        "mixtral": 4,
        "extractive": 1,
    }
    assert models["extractive"]["unanswerable_abstained"] == 0.0
    # An abstention came before any prompt.
    assert {name: found["tickets"] for name, found in prompts.items()} == {"mixtral abc": 3}
