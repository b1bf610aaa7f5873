"""What there is to say of a run over the sample desk's questions, beside an earlier one."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from rag import runs
from rag.intervals import Interval
from rag.runs import ALL, Comparison, Run

DRAFTED, UNDRAFTED = "drafted", "left undrafted"
COLUMNS = ("language", "measure", "questions", "mean", "95 %", "change", "95 %")
NOTE = """\
Means over the questions, with the interval that holds the true mean in 95 of 100 cases (bootstrap;
of fewer than twenty questions it is too narrow, and of fewer than six none is given). The change is
over the questions that both runs asked.
"""

Row = Mapping[str, Any]
"""A line of the file of questions."""


def report(run: Run, comparison: Comparison | None, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines that are printed."""
    yield from _shares(run)
    yield ""
    yield from _table(run, comparison)
    yield f"\n{NOTE}"
    if comparison is None:
        yield "There is no earlier run to compare with."
        return
    yield f"Compared with the run of {comparison.before.at:%Y-%m-%d %H:%M} UTC."
    yield from _moved(comparison.before.fingerprint, run.fingerprint)
    yield from _left_out(comparison)
    yield from _losses(comparison, {row["id"]: row["question"] for row in rows})


def _shares(run: Run) -> Iterator[str]:
    values = [scores.values for scores in run.questions.values()]
    for measure, what in (
        ("recall@5", "gold document and page among the first 5 passages"),
        (DRAFTED, "answerable questions drafted by the embedded drafter"),
        (UNDRAFTED, "unanswerable questions left undrafted"),
    ):
        cases = [one[measure] > 0 for one in values if measure in one]
        share = sum(cases) / len(cases) if cases else 0.0
        yield f"{what}: {sum(cases)} of {len(cases)} ({share:.3f})"


def _table(run: Run, comparison: Comparison | None) -> Iterator[str]:
    names, means = runs.cells(run.questions), run.means()
    differences = comparison.differences if comparison else {}
    table = [COLUMNS]
    for cell, mean in means.items():
        change = differences.get(cell)
        changed = (f"{change.mean:+.3f}", _bounds(change, "+.3f")) if change else ("", "")
        counted = (f"{len(names[cell])}", f"{mean.mean:.3f}", _bounds(mean, ".3f"))
        table.append((*cell, *counted, *changed))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for language, measure, *numbers in table:
        padded = [text.rjust(width) for text, width in zip(numbers, widths[2:], strict=True)]
        labels = [language.ljust(widths[0]), measure.ljust(widths[1])]
        yield "  ".join([*labels, *padded]).rstrip()


def _bounds(interval: Interval, style: str) -> str:
    if not isfinite(interval.low):
        return ""
    return f"{interval.low:{style}} to {interval.high:{style}}"


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for part in dict.fromkeys([*before, *after]):
        old, new = before.get(part, "unknown"), after.get(part, "unknown")
        if old != new:
            yield f"Another {part}: {new}, then {old}."


def _left_out(comparison: Comparison) -> Iterator[str]:
    for why in ("new", "gone", "changed"):
        names: Sequence[str] = getattr(comparison, why)
        if names:
            yield f"Left out, {why} since: {', '.join(names)}"


def _losses(comparison: Comparison, texts: Mapping[str, str]) -> Iterator[str]:
    losses = {
        measure: names
        for (language, measure), names in comparison.worse.items()
        if language == ALL and names
    }
    if not losses:
        yield "No question scored lower."
    for measure, names in losses.items():
        verdict = "FELL" if measure in comparison.drops else "did not fall"
        yield f"{measure} {verdict} by more than chance explains. Lower in:"
        for name in names:
            old, new = (
                run.questions[name].values[measure] for run in (comparison.before, comparison.after)
            )
            yield f"  {name}  {old:.3f} to {new:.3f}  {texts[name]}"
