"""A head on trial: the earlier cases are known, the later ones are asked with and without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.index.resident import Resident
from rag import fusion
from rag.fusion import LITTLE_HISTORY, Candidates
from rag.head import COLD_DENSE, HeadWeights
from rag.intervals import Difference, paired_difference
from rag.memory import Memory
from rag.metrics import ndcg
from rag.training import Examples

DEPTH = 5
# What is left of the best of plain closeness must be this for documents without a past.
KEPT_SHARE = 0.9

Hits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """Held-back cases asked without the head and with it.

    `ranking` compares nDCG@10, which sees more than `found`, recall@5, and decides.

    `unseen` asks the same cases as if the documents that solved them had just been published:
    recall@5 with the head over that of closeness alone. `little` is None where no held-back case
    was solved by a document with little history.
    """

    held_back: int
    before: float
    after: float
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
            "ndcg@10": {"difference": _rounded(self.ranking)},
            "little_history": {"difference": _rounded(little)} if little else {},
            "as_if_new": round(self.unseen, 4),
            "reason": self.reason_against or "found more of the later tickets' documents",
        }


def judge(
    memory: Memory,
    cut: int,
    documents: Mapping[str, Resident],
    examples: Examples,
    head: HeadWeights,
) -> Trial:
    """Ask the cases from `cut` on, knowing those before it, from which the head was trained."""
    bench = _Bench(memory.before(cut), documents, examples, head)
    asked = [
        (row, set(np.flatnonzero(examples.solved[row]).tolist()), memory.languages[row])
        for row in range(cut, len(memory.vectors))
        if examples.solved[row].any()
    ]
    answers = [bench.ask(*one) for one in asked]
    rare = [answer for answer in answers if answer.is_rare]
    plain = fmean(answer.plain for answer in answers)
    return Trial(
        len(answers),
        fmean(answer.before for answer in answers),
        fmean(answer.after for answer in answers),
        _difference(answers),
        paired_difference(
            [answer.ranking_before for answer in answers],
            [answer.ranking_after for answer in answers],
        ),
        _difference(rare) if rare else None,
        fmean(answer.as_new for answer in answers) / plain if plain else 1.0,
    )


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
    def __init__(
        self,
        memory: Memory,
        documents: Mapping[str, Resident],
        examples: Examples,
        head: HeadWeights,
    ) -> None:
        self._memory = memory
        self._examples = examples
        self._head = head
        names = examples.document_ids
        self._cases = memory.count(names)
        self._languages = np.array([documents[name].language for name in names])
        place = {name: index for index, name in enumerate(names)}
        self._columns = np.array([place.get(name, -1) for name in memory.document_ids])

    def ask(self, row: int, solved: set[int], language: str) -> _Answer:
        """Ask a held-back case in all ways."""
        examples = self._examples
        dense = examples.dense[row]
        votes = self._votes(examples.questions[row])
        logits, cold = self._head.logits(
            examples.questions[row], examples.document_ids, examples.means, dense
        )
        comparable = self._languages == language
        known = len(self._memory.vectors)
        without = Candidates(dense, votes, None, None, self._cases, comparable, known)
        with_head = replace(without, logits=logits, cold=cold)
        before, after = fusion.rank(without), fusion.rank(with_head)
        return _Answer(
            _recall(before, solved),
            _recall(after, solved),
            _ndcg(before, solved),
            _ndcg(after, solved),
            self._as_if_new(with_head, solved),
            _recall(np.argsort(-dense, kind="stable").tolist(), solved),
            is_rare=bool(self._cases[list(solved)].max() <= LITTLE_HISTORY),
        )

    def _votes(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        shares = self._memory.shares(self._memory.vectors @ question)
        votes = np.zeros(len(self._examples.document_ids), np.float32)
        known = self._columns >= 0
        votes[self._columns[known]] = shares[known]
        return votes

    def _as_if_new(self, candidates: Candidates, solved: set[int]) -> float:
        """Ask again with all memory of the solving documents gone."""
        if candidates.logits is None or candidates.cold is None:
            return 0.0
        rows = list(solved)
        votes, cases = candidates.votes.copy(), candidates.cases.copy()
        logits = candidates.logits.copy()
        votes[rows] = 0.0
        cases[rows] = 0
        # Without its vector and bias a document has what the map says, and closeness once.
        extra = (COLD_DENSE - 1.0) * self._head.dense * candidates.dense[rows]
        logits[rows] = candidates.cold[rows] - extra
        votes /= votes.sum() or 1.0
        as_new = replace(candidates, votes=votes, cases=cases, logits=logits)
        return _recall(fusion.rank(as_new), solved)


def _recall(ranking: list[int], solved: set[int]) -> float:
    return len(solved.intersection(ranking[:DEPTH])) / len(solved)


def _ndcg(ranking: list[int], solved: set[int]) -> float:
    return ndcg([str(index) for index in ranking], {str(index): 1 for index in solved}, 10)


def _rounded(difference: Difference) -> list[float | None]:
    """Return mean and bounds; null for one that nobody can tell, as JSON has no infinity."""
    values = (difference.mean, difference.low, difference.high)
    return [round(value, 4) if isfinite(value) else None for value in values]
