"""Runs of an evaluation: what each question scored, kept in a file, beside the run before."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from rag.errors import StoredRunError
from rag.intervals import Difference, Interval, mean_interval, paired_difference
from rag.metrics import Judgements, ndcg, recall, reciprocal_rank

ALL = "all"
DIGITS = 4

Cell = tuple[str, str]
"""A language, or `ALL` of them, and the name of a measure."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a question scored, by measure; another digest is another question."""

    language: str
    digest: str
    values: Mapping[str, Share]


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation: when, of what (each part by its name), and the scores by question id."""

    at: AwareDatetime
    fingerprint: Mapping[str, str]
    questions: Mapping[str, Scores]

    def means(self) -> dict[Cell, Interval]:
        """Return the mean of each measure over the questions that have it."""
        return {
            (language, measure): mean_interval(
                [self.questions[name].values[measure] for name in names]
            )
            for (language, measure), names in cells(self.questions).items()
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside an earlier one, over the questions that are the same in both.

    `worse` names the questions that lost; `new`, `gone` and `changed` are those left out.
    """

    before: Run
    after: Run
    differences: Mapping[Cell, Difference]
    worse: Mapping[Cell, Sequence[str]]
    new: Sequence[str]
    gone: Sequence[str]
    changed: Sequence[str]

    @property
    def drops(self) -> dict[str, Sequence[str]]:
        """Return the measures that fell by more than chance explains, and who lost in them.

        All languages are taken together: alone, most have too few questions to tell.
        """
        return {
            measure: self.worse[language, measure]
            for (language, measure), difference in self.differences.items()
            if language == ALL and difference.is_significant_drop
        }


def ranking_scores(ranking: Sequence[str], judgements: Judgements) -> dict[str, float]:
    """Return the measures of one question's ranking."""
    values = {
        "recall@5": recall(ranking, judgements, 5),
        "nDCG@10": ndcg(ranking, judgements, 10),
        "MRR@10": reciprocal_rank(ranking, judgements, 10),
    }
    # Rounded here: if only in the file, a question would differ from its own kept score.
    return {measure: round(value, DIGITS) for measure, value in values.items()}


def digest(value: object) -> str:
    """Return a short name for the content of a value that JSON can say."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def cells(questions: Mapping[str, Scores]) -> dict[Cell, list[str]]:
    """Return the ids of the questions that have a measure, `ALL` before each language."""
    names: dict[Cell, list[str]] = defaultdict(list)
    for name, scores in questions.items():
        for measure in scores.values:
            names[ALL, measure].append(name)
            names[scores.language, measure].append(name)
    return {cell: names[cell] for cell in sorted(names, key=lambda cell: (cell[0] != ALL, cell[0]))}


def compare(before: Run, after: Run) -> Comparison:
    """Return how a run differs from an earlier one, question by question."""
    old, new = before.questions, after.questions
    same = {
        name: scores
        for name, scores in new.items()
        if name in old and old[name].digest == scores.digest
    }
    differences: dict[Cell, Difference] = {}
    worse: dict[Cell, list[str]] = {}
    for (language, measure), names in cells(same).items():
        measured = [name for name in names if measure in old[name].values]
        if measured:
            earlier = [old[name].values[measure] for name in measured]
            later = [new[name].values[measure] for name in measured]
            differences[language, measure] = paired_difference(earlier, later)
            rows = zip(measured, earlier, later, strict=True)
            worse[language, measure] = [name for name, first, second in rows if second < first]
    return Comparison(
        before,
        after,
        differences,
        worse,
        new=[name for name in new if name not in old],
        gone=[name for name in old if name not in new],
        changed=[name for name in new if name in old and name not in same],
    )


def write(file: Path, run: Run) -> None:
    """Keep a run; an entry is a line, so that a question which moved is a line of a diff."""
    document = {
        "at": run.at.isoformat(timespec="seconds"),
        "fingerprint": run.fingerprint,
        # For who reads the file: means follow from the scores and are not read back.
        "means": {" ".join(cell): _bounds(interval) for cell, interval in run.means().items()},
        "questions": {name: asdict(scores) for name, scores in run.questions.items()},
    }
    parts = [f" {json.dumps(name)}: {_lines(part)}" for name, part in document.items()]
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def read(file: Path) -> Run | None:
    """Return the run that a file holds; None where there is no file yet.

    Raises:
        StoredRunError: The file is not a run.
    """
    try:
        return TypeAdapter(Run).validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StoredRunError(path=file, reason="it is not a run that was kept") from error


def _bounds(interval: Interval) -> list[float | None]:
    numbers = (interval.mean, interval.low, interval.high)
    return [round(number, DIGITS) if isfinite(number) else None for number in numbers]


def _lines(part: object) -> str:
    if not isinstance(part, Mapping):
        return json.dumps(part)
    entries = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
    return "{\n" + ",\n".join(entries) + "\n }"
