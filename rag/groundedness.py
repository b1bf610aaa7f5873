"""Does an evidence support a claim? The packaged encoder, trained further to say how probably.

A cross-encoder in the shape of Nogueira & Cho, "Passage Re-ranking with BERT", 2019: claim and
evidence are read together, and the direction of their joint vector tells. Only the encoder's layers
were trained (data/train_verifier.py); the embeddings of words are those of the packaged model. How
much of the claim's wording the evidence has joins the score in one logistic curve: on pairs unlike
those of the training it is the safer sign.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest import backbone
from ingest.query_encoder import load_tokenizer
from ingest.weights import Weights, sha256_of
from rag.errors import VerifierError
from rag.focus import focus
from rag.overlap import overlap

if TYPE_CHECKING:
    from ingest.backbone import Backbone

_DATA = Path(__file__).resolve().parent.parent / "data"
WEIGHTS, CARD = _DATA / "verifier.safetensors", _DATA / "verifier.json"
MAX_CLAIM_TOKENS, MAX_TOKENS = 80, 192
MAX_EVIDENCE_WORDS = 120
# Cosines are multiplied by this: between -1 and 1 they would hardly tell anything apart.
SCALE = 20.0
# How many shares `Overlap` has.
OVERLAPS = 3
BATCH_PAIRS = 16
MANY_BATCHES = 4
_FIRST, _BETWEEN = 101, 102


@dataclass(frozen=True, slots=True)
class Card:
    """What the weights must be, and the logistic curve from what is measured to a probability.

    The coefficients are those of the model's score and of the three shares of `Overlap`.
    """

    sha256: str
    coefficients: tuple[float, ...]
    intercept: float


class Groundedness:
    """Judges pairs of claim and evidence; safe to share between threads, loaded when first used."""

    def __init__(self, weights: Weights) -> None:
        """Name the packaged encoder, of which it has the embeddings of words."""
        self._base = weights
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Name the weights.

        Raises:
            VerifierError: They are absent or are not those of the card.
        """
        if sha256_of(WEIGHTS) != read_card().sha256:
            raise VerifierError(path=WEIGHTS.name)
        return f"verifier-{read_card().sha256[:12]}"

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return for each (claim, evidence) how probable it is that the evidence supports it.

        Returns:
            float64[len(pairs)].

        Raises:
            VerifierError: Its weights are absent or are not those of the card.
        """
        card = read_card()
        odds = card.intercept + self.features(pairs) @ np.array(card.coefficients)
        return np.asarray(1 / (1 + np.exp(-odds)))

    def features(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return what the probability rests on: float64[len(pairs), 4]."""
        shares = [overlap(*pair).features() for pair in pairs]
        return np.column_stack([self._scores(pairs), np.array(shares).reshape(-1, OVERLAPS)])

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        ids = [pair_ids(self._tokenizer, *pair) for pair in pairs]
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        batches = [
            order[begin : begin + BATCH_PAIRS] for begin in range(0, len(order), BATCH_PAIRS)
        ]
        scores = np.empty(len(ids))
        with self._lock:
            model, direction, bias = self._model
            for batch, vectors in zip(batches, _encoded(model, ids, batches), strict=True):
                scores[batch] = SCALE * vectors @ direction + bias
        return scores

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return load_tokenizer(self._base.folder)

    @cached_property
    def _model(self) -> "tuple[Backbone, NDArray[np.float32], float]":
        # Read first: other weights than those of the card are not used.
        _ = self.fingerprint
        model, head = backbone.load_changed(self._base, WEIGHTS)
        return model, head["direction"], float(head["bias"][0])


@cache
def read_card() -> Card:
    """Read the card of the weights.

    Raises:
        VerifierError: There is none.
    """
    try:
        table = json.loads(CARD.read_text(encoding="utf-8"))
        return Card(table["sha256"], tuple(table["coefficients"]), table["intercept"])
    except (OSError, ValueError, KeyError) as error:
        raise VerifierError(path=CARD.name) from error


def _encoded(
    model: "Backbone", ids: Sequence[Sequence[int]], batches: Sequence[Sequence[int]]
) -> Iterator[NDArray[np.float32]]:
    """Encode batches; many at once on a core each, for a reply's few all cores work together."""
    if len(batches) < MANY_BATCHES:
        yield from (model.encode([ids[at] for at in batch]) for batch in batches)
        return
    with backbone.streams() as threads:
        yield from threads.map(lambda batch: model.encode([ids[at] for at in batch]), batches)


def pair_ids(tokenizer: Tokenizer, claim: str, evidence: str) -> list[int]:
    """Return the tokens of a claim and of what a long evidence has about it, cut to the window."""
    near = focus(claim, evidence, MAX_EVIDENCE_WORDS)
    stated = tokenizer.encode(claim, add_special_tokens=False).ids[:MAX_CLAIM_TOKENS]
    known = tokenizer.encode(near, add_special_tokens=False).ids
    return [*[_FIRST, *stated, _BETWEEN, *known][: MAX_TOKENS - 1], _BETWEEN]
