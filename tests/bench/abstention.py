"""Whether the probability that the documents answer a question is one, on four sets of questions.

A curve is fitted on two of the first three sets and measured on the third; none is fitted on the
sample desk. What goes into the curve was chosen with all four in sight, so even the figures of a
set that was left out flatter it a little. Beside each stands the cosine of the best passage.

usage: python -m tests.bench.abstention [--fit] [--cache FOLDER]

    --fit     write data/answerable.json anew, from the first three sets
    --cache   keep the cosines of each set in this folder, and take them from there if they are
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rag import answerable
from rag.answerable import Curve, Evidence
from rag.calibration import brier, expected_calibration_error, reliability, roc_area
from tests.bench import abstention_sets
from tests.bench.abstention_sets import DESK, FITTED, SETS, AbsentDataError, Case

# How many questions of a set have an answer was its maker's choice: half in the two that were made
# to measure, four in five where people simply asked. Each set counts as if it were in between.
SHARE_ANSWERABLE = 0.65
THRESHOLDS = (0.3, 0.35, 0.5, 0.7)
# The rule that the probability takes the place of: a passage at least so close.
COSINE = 0.30
NEWTON_STEPS = 30
NOTE = (
    "P(the documents answer) = 1 / (1 + exp(-(intercept + slope x closeness))); see "
    "rag/answerable.py. Fitted by `python -m tests.bench.abstention --fit`."
)
CHOICE = (
    "Some sixty signals in about a thousand combinations, and six values of share_answerable, were "
    "compared on all four sets, the sample desk included: the held-out figures are optimistic by "
    "what that choice fitted."
)
LICENCES = {
    "northwind": "MIT, Azure-Samples/azure-search-openai-demo",
    "nomiracl": "Apache-2.0, project-miracl/nomiracl",
    "withdrawn": "CC BY-SA 3.0, support.mozilla.org contributors; two numbers were fitted, no text",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The area under ROC, and how far probabilities are from what is true."""

    roc_area: float
    calibration_error: float
    brier: float


def main() -> None:
    """Measure each set, print, and write the curves if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    cases = {name: found for name in SETS if (found := _cases(name, options.cache)) is not None}
    fitted = {name: cases[name] for name in FITTED if name in cases}
    if len(fitted) == len(FITTED):
        held_out = {name: _held_out(fitted, name) for name in FITTED}
        if options.fit:
            _write(fitted, held_out)
        for name in FITTED:
            _print(f"{name}, fitted on the other two", held_out[name], cases[name])
    for name, found in cases.items():
        seen = "not fitted on it" if name == DESK else "fitted on this set too"
        _print(f"{name}, as shipped ({seen})", answerable.curves(), found)


def fit(sets: Sequence[Sequence[Case]], kind: str) -> Curve:
    """Fit a curve to sets that count alike, whatever their size and share of answers.

    Newton's method on the weighted logistic likelihood; without a penalty: there are two weights.
    """
    closeness = np.array([case.closeness(kind) for cases in sets for case in cases])
    true = np.array([case.answerable for cases in sets for case in cases], np.float64)
    weights = np.concatenate([_weights(cases) for cases in sets])
    inputs = np.stack([closeness, np.ones_like(closeness)], axis=1)
    solution = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        foretold = 1 / (1 + np.exp(-inputs @ solution))
        gradient = inputs.T @ (weights * (true - foretold))
        curvature = (inputs.T * (weights * foretold * (1 - foretold))) @ inputs
        solution += np.linalg.solve(curvature, gradient)
    return Curve(round(float(solution[0]), 3), round(float(solution[1]), 3))


def _weights(cases: Sequence[Case]) -> np.ndarray:
    true = np.array([case.answerable for case in cases])
    answered, not_answered = SHARE_ANSWERABLE / true.sum(), (1 - SHARE_ANSWERABLE) / (~true).sum()
    return np.where(true, answered, not_answered)


def _held_out(sets: dict[str, list[Case]], left_out: str) -> dict[str, Curve]:
    others = [cases for name, cases in sets.items() if name != left_out]
    return {kind: fit(others, kind) for kind in ("passages", "sentences")}


def _cases(name: str, cache: Path | None) -> list[Case] | None:
    file = cache / f"{name}.jsonl" if cache else None
    if file is not None and file.is_file():
        return [Case(*json.loads(line)) for line in file.read_text().splitlines()]
    try:
        cases = abstention_sets.read(name)
    except AbsentDataError as error:
        sys.stdout.write(f"{name} is skipped: {error}\n")
        return None
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(astuple(case)) + "\n" for case in cases))
    return cases


def _write(sets: dict[str, list[Case]], held_out: dict[str, dict[str, Curve]]) -> None:
    curves = {kind: fit(list(sets.values()), kind) for kind in ("passages", "sentences")}
    figures = {
        name: {kind: _rounded(_figures(curve, kind, sets[name])) for kind, curve in made.items()}
        for name, made in held_out.items()
    }
    card: dict[str, Any] = {
        "note": NOTE,
        "choice": CHOICE,
        "date": datetime.now(UTC).date().isoformat(),
        "share_answerable": SHARE_ANSWERABLE,
        "data": {name: {"licence": LICENCES[name], "cases": len(sets[name])} for name in sets},
        "held_out": figures,
    }
    table = {
        "card": card,
        "curves": {
            kind: {"slope": made.slope, "intercept": made.intercept}
            for kind, made in curves.items()
        },
    }
    answerable.WEIGHTS.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n")


def _rounded(figures: Figures) -> dict[str, float]:
    names = ("roc_area", "calibration_error", "brier")
    return dict(zip(names, (round(value, 3) for value in astuple(figures)), strict=True))


def _foretold(curve: Curve, kind: str, cases: Sequence[Case]) -> list[float]:
    return [curve.probability(Evidence(case.closeness(kind), case.votes)) for case in cases]


def _figures(curve: Curve, kind: str, cases: Sequence[Case]) -> Figures:
    foretold, true = _foretold(curve, kind, cases), [case.answerable for case in cases]
    error = expected_calibration_error(foretold, true)
    return Figures(roc_area(foretold, true), error, brier(foretold, true))


def _print(title: str, curves: dict[str, Curve], cases: Sequence[Case]) -> None:
    true = [case.answerable for case in cases]
    lines = [
        f"\n{title}: {sum(true)} with an answer, {len(true) - sum(true)} without",
        "                        ROC area  calibration error  Brier",
        # A cosine is no probability; held against the truth as if it were one.
        _line("best cosine, as it is", _of_cosine(cases)),
    ]
    for kind, curve in curves.items():
        lines.append(_line(kind, _figures(curve, kind, cases)))
    foretold = _foretold(curves["sentences"], "sentences", cases)
    lines += ["  by the sentence: foretold  observed  cases"]
    for row in reliability(foretold, true):
        lines.append(
            f"       {row.low:.1f} to {row.high:.1f}   {row.probability:8.2f}  {row.observed:8.2f}"
            f"  {row.count:5d}"
        )
    lines += [_kept(f"at {least}", foretold, true, least) for least in THRESHOLDS]
    lines += [_kept(f"cosine {COSINE}", [case.passage for case in cases], true, COSINE)]
    sys.stdout.write("\n".join(lines) + "\n")


def _of_cosine(cases: Sequence[Case]) -> Figures:
    cosines = [min(1.0, max(0.0, case.passage)) for case in cases]
    true = [case.answerable for case in cases]
    error = expected_calibration_error(cosines, true)
    return Figures(roc_area(cosines, true), error, brier(cosines, true))


def _line(name: str, figures: Figures) -> str:
    area, error, squared = astuple(figures)
    return f"  {name:22s}{area:8.3f}{error:19.3f}{squared:7.3f}"


def _kept(name: str, values: Sequence[float], true: Sequence[bool], least: float) -> str:
    above = np.array(values) >= least
    answered = np.array(true)
    kept, refused = above[answered].mean(), (~above[~answered]).mean()
    return f"  {name}: {kept:.0%} of those with an answer kept, {refused:.0%} of the others refused"


if __name__ == "__main__":
    main()
