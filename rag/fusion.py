"""What the documents say and what the desk remembers → one ranking of documents.

Each signal is a probability over the same documents, and the ranking is that of their mixture: a
signal that knows nothing of a document cannot bury it, it only does not speak for it. The weights
were chosen on solved tickets of 2019 to 2023 against those of 2024 (`make bench-memory`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.head import Learnt

Floats = NDArray[np.float32]

# Shares of the mixture: what solved similar tickets, without a head and beside one, and what the
# head learnt by meaning and by spelling; the rest is closeness.
VOTES_SHARE, VOTES_SHARE_BESIDE_HEAD = 0.5, 0.4
HEAD_SHARE, SPELLING_SHARE = 0.2, 0.1
# With so many cases their votes get half of that share: a handful are rarely about the question.
HALF_TRUST = 100
# What the words of the best passage add to closeness, where no cases are known. They help short
# questions (`python -m tests.bench.mtrag`) and do next to nothing for long tickets, whose words are
# mostly noise. Cases take their place as they come.
WORDS_WEIGHT = 0.7
# How sharply a difference in closeness counts: exp(16 x 0.1) is five times as likely.
DENSE_SHARPNESS = 16.0
# A document that so few cases point to has little history.
LITTLE_HISTORY = 3
# Documents with little history keep the place that the documents alone give them, at most so many
# and so many places further down. What no case knows keeps its place by closeness too. Both only in
# the question's language: the encoder compares poorly across languages.
KEPT, KEPT_DEPTH, KEPT_SLACK = 2, 8, 1
NEW_KEPT, NEW_DEPTH, NEW_SLACK = 3, 5, 1


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may answer; all arrays are of one length.

    `dense` is the closeness of each document, `words` how much of the question its best passage
    says literally, `votes` its share of what similar cases say, `learnt` what the head says (None
    without one); `cases` counts the cases that point to each, `comparable` tells which are in the
    question's language.
    """

    dense: Floats
    words: Floats
    votes: Floats
    learnt: Learnt | None
    cases: NDArray[np.int64]
    comparable: NDArray[np.bool_]

    @property
    def trust(self) -> float:
        """Return how far the cases are trusted, from 0 for none towards 1.

        Only those that point to one of the documents count: what a person may not see has no say.
        """
        known = float(self.cases.sum())
        return known / (known + HALF_TRUST)

    @property
    def near(self) -> Floats:
        """Return how near each document is by meaning and words."""
        return self.dense + np.float32(WORDS_WEIGHT * (1 - self.trust)) * self.words


def rank(candidates: Candidates) -> list[int]:
    """Return the indices of the candidates, best first."""
    order = [int(index) for index in np.argsort(-mixture(candidates), kind="stable")]
    return _with_places_kept(order, _kept_places(candidates))


def mixture(candidates: Candidates) -> Floats:
    """Return the probability that each candidate is the one that answers."""
    learnt = candidates.learnt
    votes_share = VOTES_SHARE if learnt is None else VOTES_SHARE_BESIDE_HEAD
    votes_share *= candidates.trust
    said = votes_share * candidates.votes
    rest = 1 - votes_share
    if learnt is not None:
        said = said + HEAD_SHARE * softmax(learnt.logits)
        rest -= HEAD_SHARE
        if np.isfinite(learnt.spelt).any():
            said += SPELLING_SHARE * softmax(learnt.spelt)
            rest -= SPELLING_SHARE
    return np.asarray(said + rest * softmax(DENSE_SHARPNESS * candidates.near), np.float32)


def softmax(logits: Floats) -> Floats:
    """Return probabilities that sum to 1."""
    powers = np.exp(logits - logits.max(initial=-np.inf))
    return np.asarray(powers / powers.sum(), np.float32)


def _kept_places(candidates: Candidates) -> dict[int, int]:
    """Return by index the last place, from 0, that a document with little history may get."""
    few = (candidates.cases <= LITTLE_HISTORY) & candidates.comparable
    unknown = (candidates.cases == 0) & candidates.comparable
    alone = candidates.near if candidates.learnt is None else candidates.learnt.cold
    places = _places(candidates.near, unknown, NEW_DEPTH, NEW_KEPT, NEW_SLACK)
    for index, place in _places(alone, few, KEPT_DEPTH, KEPT, KEPT_SLACK).items():
        places[index] = min(place, places.get(index, place))
    return places


def _places(
    scores: Floats, chosen: NDArray[np.bool_], depth: int, count: int, slack: int
) -> dict[int, int]:
    best = np.argsort(-scores, kind="stable")[:depth]
    kept = [(int(index), place) for place, index in enumerate(best) if chosen[index]]
    return {index: place + slack for index, place in kept[:count]}


def _with_places_kept(order: Sequence[int], places: dict[int, int]) -> list[int]:
    waiting = sorted(places, key=lambda index: (places[index], index))
    ranked: dict[int, None] = {}
    rest = iter(order)
    while len(ranked) < len(order):
        if waiting and places[waiting[0]] <= len(ranked):
            ranked.setdefault(waiting.pop(0))
        else:
            ranked.setdefault(next(rest))
    return list(ranked)
