"""Claims without a marker → the passage that says the same, where one clearly does."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from ingest.query_encoder import QueryEncoder
from ingest.sentences import sentence_spans
from rag.cite import CitedClaim, bare_text, cite, markers_in
from rag.evidence import evidence_text
from rag.polarity import NEGATION
from rag.quantified import missing_numbers
from rag.retrieve import Hit

# A wrong citation is worse than none. tests/rag/test_attribute.py holds the sentences that this was
# chosen with: three in four paraphrases are near enough, contradictions and inventions are not.
MIN_CLOSENESS = 0.78
# Two sentences in a row stand for a claim only if they fit clearly better than either alone: else
# the subject of the one would lend itself to the number of the other.
JOIN_GAIN = 0.03
# For each claim so many of its closest sentences are read together with their neighbours.
JOINED = 3
# Longer ones are tables that were read as one sentence: they have every number.
MAX_WORDS = 80
# So many are compared in meaning, of the passages that share most words with a claim: each costs a
# hundredth of a second.
MAX_SENTENCES = 120

Supports = Callable[[str, Sequence[str]], bool]
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")
_ENDINGS = (".", "!", "…", ";", ")", '"', "”", "“", "»")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sentence of a passage, or two in a row; a heading does not state anything by itself."""

    marker: int
    text: str
    states: bool


def attribute(text: str, hits: Sequence[Hit], encoder: QueryEncoder, supports: Supports) -> str:
    """Put after each claim that carries no marker that of the passage nearest in meaning.

    A claim stays without where nothing is near enough, has its numbers, negates if it does, and
    supports it.

    Args:
        text: A reply; its markers and all other characters stay.
        hits: The passages that the markers number from 1.
        encoder: Asked twice at most.
        supports: Tells whether passages support a claim.
    """
    claims = [claim for claim in cite(text, hits) if not markers_in(claim.text)]
    sentences = _likeliest(claims, list(_sentences(hits))) if claims else []
    if not sentences:
        return text
    for claim, marker in reversed(_attributed(claims, sentences, encoder)):
        if supports(bare_text(claim.text), [evidence_text(hits[marker - 1])]):
            text = f"{text[: claim.end]} [{marker}]{text[claim.end :]}"
    return text


def _attributed(
    claims: Sequence[CitedClaim], sentences: Sequence[Stretch], encoder: QueryEncoder
) -> list[tuple[CitedClaim, int]]:
    stated = [_LIST_MARK.sub("", bare_text(claim.text)) for claim in claims]
    vectors = encoder.encode_many([*stated, *(sentence.text for sentence in sentences)])
    asked, known = vectors[: len(stated)], vectors[len(stated) :]
    single = asked @ known.T
    firsts = _worth_joining(single, sentences)
    stretches = [*sentences, *(_joined(sentences[at], sentences[at + 1]) for at in firsts)]
    closeness = single
    if firsts:
        both = asked @ encoder.encode_many([one.text for one in stretches[len(sentences) :]]).T
        apart = np.maximum(single[:, firsts], single[:, [at + 1 for at in firsts]])
        closeness = np.hstack([single, np.where(both > apart + JOIN_GAIN, both, -1.0)])
    found = [_nearest(words, row, stretches) for words, row in zip(stated, closeness, strict=True)]
    return [(claim, marker) for claim, marker in zip(claims, found, strict=True) if marker]


def _sentences(hits: Sequence[Hit]) -> Iterator[Stretch]:
    """Yield the sentences of the hits, best hit first."""
    for marker, hit in enumerate(hits, start=1):
        for start, end in sentence_spans(hit.passage.text):
            raw = hit.passage.text[start:end]
            text = " ".join(_LIST_MARK.sub("", raw).split())
            if not text or len(text.split()) > MAX_WORDS:
                continue
            states = text.endswith(_ENDINGS) or " | " in text or bool(_LIST_MARK.match(raw))
            yield Stretch(marker, text, states)


def _likeliest(claims: Sequence[CitedClaim], sentences: Sequence[Stretch]) -> list[Stretch]:
    """Return the sentences of the passages that share most words with a claim, in their order."""
    if len(sentences) <= MAX_SENTENCES:
        return list(sentences)
    words = [bare_text(claim.text) for claim in claims]
    texts = [sentence.text for sentence in sentences]
    alike = process.cdist(words, texts, scorer=fuzz.token_set_ratio).max(axis=0)
    passages: dict[int, float] = {}
    for sentence, likeness in zip(sentences, alike, strict=True):
        passages[sentence.marker] = max(passages.get(sentence.marker, 0.0), float(likeness))
    # Whole passages: sentences in a row are compared together too.
    by_likeness = sorted(sentences, key=lambda sentence: -passages[sentence.marker])
    kept = by_likeness[:MAX_SENTENCES]
    return sorted(kept, key=lambda sentence: sentence.marker)


def _worth_joining(single: NDArray[np.float32], sentences: Sequence[Stretch]) -> list[int]:
    """Return where two sentences of one passage begin, of which one is among a claim's closest."""
    closest = {int(at) for row in single for at in np.argsort(-row)[:JOINED]}
    return [
        first
        for first, second in pairwise(range(len(sentences)))
        if {first, second} & closest and sentences[first].marker == sentences[second].marker
    ]


def _joined(one: Stretch, other: Stretch) -> Stretch:
    return Stretch(one.marker, f"{one.text} {other.text}", one.states or other.states)


def _nearest(claim: str, closeness: NDArray[np.float32], stretches: Sequence[Stretch]) -> int:
    """Return the marker of the nearest stretch that may support a claim; 0 if there is none."""
    for at in map(int, np.argsort(-closeness, kind="stable")):
        if closeness[at] < MIN_CLOSENESS:
            break
        if _may_support(claim, stretches[at]):
            return stretches[at].marker
    return 0


def _may_support(claim: str, stretch: Stretch) -> bool:
    # “Use vinegar” and “never use vinegar” are near in meaning to the encoder.
    agrees = bool(NEGATION.search(claim)) == bool(NEGATION.search(stretch.text))
    return stretch.states and agrees and not missing_numbers(claim, [stretch.text])
