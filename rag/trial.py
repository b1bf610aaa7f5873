"""Heads on trial: earlier cases are known, later ones are asked with and without what was learnt.

The newest cases are held back in turns, as they came in: each turn knows all that came before it,
as the desk did then ("rolling origin", Tashman, International Journal of Forecasting 16, 2000).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.index.resident import Resident
from rag import fusion
from rag.errors import TooFewCasesError
from rag.fusion import LITTLE_HISTORY, Candidates
from rag.head import COLD_DENSE, HeadWeights, Learnt
from rag.intervals import Difference, paired_difference
from rag.memory import Memory, Question
from rag.metrics import ndcg
from rag.training import Examples

DEPTH = 5
# What is left of the best of plain closeness must be this for documents without a past.
KEPT_SHARE = 0.9

Hits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """Held-back cases asked without the head and with it.

    `ranking` compares nDCG@10 (`ranked_before` and `ranked_after`), which sees more than `found`,
    recall@5 (`before` and `after`), and decides.

    `unseen` asks the same cases as if the documents that solved them had just been published:
    recall@5 with the head over that of closeness alone. `little` is None where no held-back case
    was solved by a document with little history.
    """

    held_back: int
    before: float
    after: float
    ranked_before: float
    ranked_after: float
    found: Difference
    ranking: Difference
    little: Difference | None
    unseen: float

    @property
    def is_better(self) -> bool:
        """Tell whether the head may serve."""
        return not self.reason_against

    @property
    def reason_against(self) -> str:
        """Say why the head may not serve; empty if it may."""
        if not self.ranking.is_significant_gain or self.found.is_significant_drop:
            return "no gain that chance would not explain"
        if self.little is not None and self.little.is_significant_drop:
            return "documents with little history would be found less often"
        if self.unseen < KEPT_SHARE:
            return "new documents would be found less often"
        return ""

    def card(self) -> dict[str, Any]:
        """Return the trial as a part of a head's card."""
        little = self.little
        return {
            "held_back": self.held_back,
            "recall@5": {
                "before": round(self.before, 4),
                "after": round(self.after, 4),
                "difference": _rounded(self.found),
            },
            "ndcg@10": {
                "before": round(self.ranked_before, 4),
                "after": round(self.ranked_after, 4),
                "difference": _rounded(self.ranking),
            },
            "little_history": {"difference": _rounded(little)} if little else {},
            "as_if_new": round(self.unseen, 4),
            "reason": self.reason_against or "found more of the later tickets' documents",
        }


def judge(turns: Sequence["Turn"], documents: Mapping[str, Resident]) -> Trial:
    """Ask the held-back cases of all turns, each with the head that knew what came before it.

    Raises:
        TooFewCasesError: No held-back case was solved by a document that is in use.
    """
    answers = [answer for turn in turns for answer in _Bench(turn, documents).answers()]
    if not answers:
        raise TooFewCasesError(count=0, needed=1)
    rare = [answer for answer in answers if answer.is_rare]
    plain = fmean(answer.plain for answer in answers)
    return Trial(
        len(answers),
        fmean(answer.before for answer in answers),
        fmean(answer.after for answer in answers),
        fmean(answer.ranking_before for answer in answers),
        fmean(answer.ranking_after for answer in answers),
        _difference(answers),
        paired_difference(
            [answer.ranking_before for answer in answers],
            [answer.ranking_after for answer in answers],
        ),
        _difference(rare) if rare else None,
        fmean(answer.as_new for answer in answers) / plain if plain else 1.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """The cases from `begin` to `end` are held back from a head that knew those before.

    `memory` and `examples` hold all cases, in the same order; the memory is spelt as the head is.
    """

    memory: Memory
    examples: Examples
    begin: int
    end: int
    head: HeadWeights


def _difference(answers: Sequence["_Answer"]) -> Difference:
    return paired_difference(
        [answer.before for answer in answers], [answer.after for answer in answers]
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """Recall@5 of a case: without the head, with it, as if new, by closeness alone; and nDCG."""

    before: float
    after: float
    ranking_before: float
    ranking_after: float
    as_new: float
    plain: float
    is_rare: bool


class _Bench:
    def __init__(self, turn: Turn, documents: Mapping[str, Resident]) -> None:
        self._turn = turn
        self._memory = turn.memory.before(turn.begin)
        names = turn.examples.document_ids
        self._cases = self._memory.count(names)
        self._languages = np.array([documents[name].language for name in names])
        place = {name: index for index, name in enumerate(names)}
        self._columns = np.array([place.get(name, -1) for name in self._memory.document_ids])

    def answers(self) -> Iterator[_Answer]:
        """Ask the held-back cases that a document in use solved."""
        for row in range(self._turn.begin, self._turn.end):
            solved = set(np.flatnonzero(self._turn.examples.solved[row]).tolist())
            if solved:
                yield self._ask(row, solved)

    def _ask(self, row: int, solved: set[int]) -> _Answer:
        """Ask a held-back case in all ways."""
        examples, language = self._turn.examples, self._turn.memory.languages[row]
        vector, spelt = examples.questions[row], examples.spellings[row]
        dense = examples.dense[row]
        learnt = self._turn.head.ask(vector, spelt, examples.document_ids, examples.means, dense)
        comparable = self._languages == language
        votes = self._votes(Question(vector, language))
        nothing = np.zeros_like(dense)
        without = Candidates(dense, nothing, votes, None, self._cases, comparable)
        votes = self._votes(Question(vector, language, spelt=spelt))
        with_head = replace(without, votes=votes, learnt=learnt)
        before, after = fusion.rank(without), fusion.rank(with_head)
        return _Answer(
            _recall(before, solved),
            _recall(after, solved),
            _ndcg(before, solved),
            _ndcg(after, solved),
            self._as_if_new(with_head, learnt, solved),
            _recall(np.argsort(-dense, kind="stable").tolist(), solved),
            is_rare=bool(self._cases[list(solved)].max() <= LITTLE_HISTORY),
        )

    def _votes(self, question: Question) -> NDArray[np.float32]:
        shares = self._memory.shares(question)
        votes = np.zeros(len(self._turn.examples.document_ids), np.float32)
        known = self._columns >= 0
        votes[self._columns[known]] = shares[known]
        return votes

    def _as_if_new(self, candidates: Candidates, learnt: Learnt, solved: set[int]) -> float:
        """Ask again with all memory of the solving documents gone."""
        rows = list(solved)
        votes, cases = candidates.votes.copy(), candidates.cases.copy()
        logits, spelt = learnt.logits.copy(), learnt.spelt.copy()
        votes[rows] = 0.0
        cases[rows] = 0
        spelt[rows] = -np.inf
        # Without its vector and bias a document has what the map says, and closeness once.
        extra = (COLD_DENSE - 1.0) * self._turn.head.dense * candidates.dense[rows]
        logits[rows] = learnt.cold[rows] - extra
        votes /= votes.sum() or 1.0
        known = replace(learnt, logits=logits, spelt=spelt)
        as_new = replace(candidates, votes=votes, cases=cases, learnt=known)
        return _recall(fusion.rank(as_new), solved)


def _recall(ranking: list[int], solved: set[int]) -> float:
    return len(solved.intersection(ranking[:DEPTH])) / len(solved)


def _ndcg(ranking: list[int], solved: set[int]) -> float:
    return ndcg([str(index) for index in ranking], {str(index): 1 for index in solved}, 10)


def _rounded(difference: Difference) -> list[float | None]:
    """Return mean and bounds; null for one that nobody can tell, as JSON has no infinity."""
    values = (difference.mean, difference.low, difference.high)
    return [round(value, 4) if isfinite(value) else None for value in values]
