"""How probable it is that the passages found answer the question."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.query_encoder import QueryEncoder
from ingest.sentences import sentence_spans
from rag.retrieve import Hit

WEIGHTS = Path(__file__).resolve().parent.parent / "data" / "answerable.json"
# An answer is a sentence; a passage about its subject is nearly as close without it. Of 250 + 250
# questions with and without an answer in their passages the closest sentence tells 0.71 apart
# (area under ROC), the closest passage 0.66 (`python -m tests.bench.abstention`). Reading three
# passages takes three times as long, and was better on two sets and worse on one, by 0.015 at most.
PASSAGES_READ = 1
SENTENCES_READ = 60
# Fewer words are a heading or a fragment, more a table that was read as one sentence.
MIN_WORDS, MAX_WORDS = 4, 80
# Solved tickets speak for a document among the first hits, not for the bottom of the list.
HITS_VOTED = 5
# If all similar tickets were solved by one document, the odds are e times as high, never more. On
# 1,013 real tickets with 4,776 older ones the weight came to 1.9; half of it is used, because a
# desk whose memory is a handful of tickets gives its few documents a high share of every question.
VOTES_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer: the cosine of the nearest text, the votes of solved tickets."""

    closeness: float
    votes: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve from closeness to probability; solved tickets add to the odds."""

    slope: float
    intercept: float

    def probability(self, evidence: Evidence) -> float:
        """Return a probability between 0 and 1."""
        odds = self.intercept + self.slope * evidence.closeness + VOTES_WEIGHT * evidence.votes
        return 1 / (1 + math.exp(-odds))


def probability(
    question: str, hits: Sequence[Hit], *, encoder: QueryEncoder | None = None
) -> float:
    """Return how probable it is that the hits, best first, answer the question; 0 without any.

    The curves were fitted where two thirds of the questions have an answer; the file names the
    data. A source in another language than the question's looks less probable than it is.

    Args:
        question: As it was searched for.
        hits: What was found, best first.
        encoder: Reads the first passage by the sentence, eight of them as a rule; without it only
            whole passages count, which costs nothing and tells less.
    """
    if not hits:
        return 0.0
    curve = curves()["passages" if encoder is None else "sentences"]
    return curve.probability(evidence(question, hits, encoder))


def evidence(question: str, hits: Sequence[Hit], encoder: QueryEncoder | None) -> Evidence:
    """Return what speaks for an answer among the hits, of which there is at least one."""
    closeness = max(hit.score for hit in hits)
    if encoder is not None:
        closeness = max(closeness, _nearest_sentence(question, hits[:PASSAGES_READ], encoder))
    return Evidence(closeness, max(hit.votes for hit in hits[:HITS_VOTED]))


@cache
def curves() -> dict[str, Curve]:
    """Return the fitted curves: for whole `passages`, and for `sentences` as well."""
    table = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return {name: Curve(**curve) for name, curve in table["curves"].items()}


def _nearest_sentence(question: str, hits: Sequence[Hit], encoder: QueryEncoder) -> float:
    sentences = dict.fromkeys(text for hit in hits for text in _sentences(hit.passage.text))
    if not sentences:
        return -1.0
    asked, *vectors = encoder.encode_many([question, *list(sentences)[:SENTENCES_READ]])
    return max(float(vector @ asked) for vector in vectors)


def _sentences(text: str) -> list[str]:
    whole = (text[start:end].split() for start, end in sentence_spans(text))
    return [" ".join(words) for words in whole if MIN_WORDS <= len(words) <= MAX_WORDS]
