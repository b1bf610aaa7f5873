"""The part of a long evidence that a claim can be about: what a small model can read at once."""

import re
from collections import Counter
from math import log

from ingest.sentences import sentence_spans
from rag.statements import STEM_CHARACTERS

_WORD = re.compile(r"\w+")
# The title and the first sentence say what the rest is about.
LEAD_SENTENCES = 1
NEIGHBOUR_SHARE = 0.5


def focus(claim: str, evidence: str, max_words: int) -> str:
    """Return the evidence, or of a longer one the sentences that share most with the claim.

    They stay in their order, the first sentence with them; at most `max_words` words, unless a
    single sentence has more, which is cut.
    """
    if len(evidence.split()) <= max_words:
        return evidence
    sentences = [evidence[start:end].strip() for start, end in sentence_spans(evidence)]
    sentences = [sentence for sentence in sentences if sentence]
    shares = _shares(claim, sentences)
    order = sorted(range(len(sentences)), key=lambda at: (at >= LEAD_SENTENCES, -shares[at], at))
    kept: list[int] = []
    words = 0
    for at in order:
        length = len(sentences[at].split())
        if kept and words + length > max_words:
            continue
        kept.append(at)
        words += length
    return " ".join(" ".join(sentences[at] for at in sorted(kept)).split()[:max_words])


def _shares(claim: str, sentences: list[str]) -> list[float]:
    """Return what each sentence, and less so its neighbours, have of the claim's rare words."""
    stems = [_stems(sentence) for sentence in sentences]
    frequency = Counter(stem for some in stems for stem in some)
    asked = _stems(claim)
    own = [
        sum(log(1 + len(sentences) / frequency[stem]) for stem in asked & some) for some in stems
    ]
    beside = [max(own[at - 1 : at] + own[at + 1 : at + 2], default=0.0) for at in range(len(own))]
    return [share + NEIGHBOUR_SHARE * near for share, near in zip(own, beside, strict=True)]


def _stems(text: str) -> set[str]:
    return {word[:STEM_CHARACTERS] for word in _WORD.findall(text.casefold())}
