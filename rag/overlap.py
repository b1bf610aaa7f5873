"""How much of a claim's wording its evidence has: crude, and right more often than one thinks."""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

from ingest.sentences import sentence_spans
from ingest.units import lexicon
from rag.statements import STEM_CHARACTERS

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares of a claim that its evidence has, 0 to 1.

    Of its words, in all of the evidence; of its pairs of neighbouring words; of its words, in the
    two sentences in a row that have most of them.
    """

    words: float
    pairs: float
    nearest: float

    def features(self) -> list[float]:
        """Return the shares in order."""
        return list(astuple(self))


def overlap(claim: str, evidence: str) -> Overlap:
    """Compare the wording of a claim with that of its evidence."""
    said, known = _stems(claim), _stems(evidence)
    asked = set(said)
    if not asked:
        return Overlap(0.0, 0.0, 0.0)
    pairs = set(pairwise(said))
    both = len(pairs & set(pairwise(known))) / len(pairs) if pairs else 0.0
    return Overlap(len(asked & set(known)) / len(asked), both, _nearest(asked, evidence))


def _nearest(asked: set[str], evidence: str) -> float:
    sentences = [set(_stems(evidence[start:end])) for start, end in sentence_spans(evidence)]
    joined = [one | other for one, other in pairwise([*sentences, set[str]()])]
    return max((len(asked & some) / len(asked) for some in joined), default=0.0)


def _stems(text: str) -> Sequence[str]:
    light = lexicon().light
    return [word[:STEM_CHARACTERS] for word in _WORD.findall(text.casefold()) if word not in light]
