"""Outcomes of many tickets → counts, means with intervals, and the same for each model."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from rag.evaluate_drafts import Outcome
from rag.intervals import mean_interval
from rag.tables import DraftStatus

DIGITS = 4
SHARES = (
    "citation_precision",
    "citation_recall",
    "groundedness",
    "answerable_drafted",
    "unanswerable_abstained",
    "must_met",
)


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return counts, and shares as means over the tickets that have them, None where none has.

    The interval of a share holds the true one in 95 of 100 cases (bootstrap over tickets); it is
    None where a mean is of too few tickets.
    """
    means = {name: _mean(name, outcomes) for name in SHARES}
    costs = [outcome.cost_usd for outcome in outcomes]
    return {
        "tickets": len(outcomes),
        "answerable": sum(outcome.answerable for outcome in outcomes),
        "drafted": sum(outcome.is_drafted for outcome in outcomes),
        "abstained": sum(outcome.is_abstained for outcome in outcomes),
        "incomplete": sum(outcome.status == DraftStatus.INCOMPLETE for outcome in outcomes),
        "claims": sum(len(outcome.claims) for outcome in outcomes),
        "citations": sum(len(claim.evidence) for each in outcomes for claim in each.claims),
        **{name: mean for name, (mean, _) in means.items()},
        "must_not_violated": sum(bool(outcome.forbidden) for outcome in outcomes),
        "numbers_wrong": sum(len(outcome.numbers_wrong) for outcome in outcomes),
        "cost_usd": None if None in costs else round(sum(filter(None, costs)), 6),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "intervals": {name: bounds for name, (_, bounds) in means.items()},
    }


def by_model(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Return the figures of each model that was to write."""
    return _grouped((outcome.model, outcome) for outcome in outcomes)


def by_prompt(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Return the figures of each version of the prompt, of the tickets that came to one."""
    asked = (outcome for outcome in outcomes if outcome.prompt_version)
    return _grouped((f"{outcome.model} {outcome.prompt_version}", outcome) for outcome in asked)


def _grouped(named: Iterable[tuple[str, Outcome]]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for name, outcome in named:
        groups[name].append(outcome)
    return {name: figures(group) for name, group in sorted(groups.items())}


def _mean(name: str, outcomes: Sequence[Outcome]) -> tuple[float | None, list[float] | None]:
    values = [value for outcome in outcomes if (value := _value(name, outcome)) is not None]
    if not values:
        return None, None
    found = mean_interval(values)
    bounds = [round(found.low, DIGITS), round(found.high, DIGITS)]
    return round(found.mean, DIGITS), bounds if isfinite(found.low) else None


def _value(name: str, outcome: Outcome) -> float | None:
    if name == "answerable_drafted":
        return float(outcome.is_drafted) if outcome.answerable else None
    if name == "unanswerable_abstained":
        return None if outcome.answerable else float(outcome.is_abstained)
    value: float | None = getattr(outcome, name)
    return value
