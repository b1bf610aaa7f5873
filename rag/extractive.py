"""The embedded drafter: composes a reply of sentences quoted from the documents, offline."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.query_encoder import QueryEncoder
from ingest.sentences import sentence_spans
from rag.retrieve import Hit

MAX_PASSAGES = 5
MAX_SENTENCES = 3
MIN_WORDS, MAX_WORDS = 5, 60
MAX_PARTS = 20
# Below it the closest sentence is usually about something else: of the sample desk's questions it
# turns away about three in four that have no answer, and one in eight that has one.
MIN_SCORE = 0.57
# A sentence is quoted if it is nearly as close to the question as the closest one.
NEARLY = 0.85
# An error code, a model or a part number of the question is worth more than nearness in meaning.
CODE_BONUS = 0.25
# A line of a table of contents: a heading with its page.
_CONTENTS = re.compile(r"^\d+(?:\.\d+)*\.?\s.*\|\s*\d+$")
# The number of a step says nothing outside its list.
_LIST_MARK = re.compile(r"^(?:\d{1,2}[.)]|[-•*])\s+")
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{2,}\b")

FRAMES = {
    "en": ("Hello,", "our documents say:", "Kind regards"),
    "de": ("Guten Tag,", "in unseren Unterlagen steht:", "Mit freundlichen Grüßen"),
    "fr": ("Bonjour,", "voici ce que disent nos documents :", "Cordialement"),
    "it": ("Buongiorno,", "ecco che cosa dicono i nostri documenti:", "Cordiali saluti"),
    "es": ("Buenos días:", "esto es lo que dicen nuestros documentos:", "Un saludo"),
    "nl": ("Goedendag,", "in onze documenten staat:", "Met vriendelijke groet"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be quoted; marker counts from 1."""

    text: str
    marker: int
    position: int
    score: float


def compose(question: str, language: str, hits: Sequence[Hit], encoder: QueryEncoder) -> str:
    """Quote the sentences closest to the question, each with its marker, in a short letter.

    Returns:
        The reply, in the language of its sources; empty if no sentence can be quoted.
    """
    candidates = _candidates(question, hits[:MAX_PASSAGES], encoder)
    if not candidates:
        return ""
    best = sorted(candidates, key=lambda candidate: -candidate.score)
    if best[0].score < MIN_SCORE:
        return ""
    chosen = [
        candidate for candidate in best[:MAX_SENTENCES] if candidate.score >= NEARLY * best[0].score
    ]
    chosen.sort(key=lambda candidate: (candidate.marker, candidate.position))
    greeting, lead, close = FRAMES[language]
    quotes = "\n".join(f"{candidate.text} [{candidate.marker}]" for candidate in chosen)
    return f"{greeting}\n\n{lead}\n{quotes}\n\n{close}"


def _candidates(question: str, hits: Sequence[Hit], encoder: QueryEncoder) -> list[Candidate]:
    sentences: dict[str, tuple[int, int]] = {}
    for marker, hit in enumerate(hits, start=1):
        for start, end in sentence_spans(hit.passage.text):
            text = _LIST_MARK.sub("", " ".join(hit.passage.text[start:end].split()))
            if _is_quotable(text):
                sentences.setdefault(text, (marker, start))
    if not sentences:
        return []
    # A mail may ask several things: each of its sentences is asked by itself too.
    asked = encoder.encode_many([question, *_parts(question)])
    scores = (encoder.encode_many(list(sentences)) @ asked.T).max(axis=1)
    codes = {code.casefold() for code in _CODE.findall(question)}
    return [
        Candidate(text, marker, position, float(score) + _bonus(text, codes))
        for (text, (marker, position)), score in zip(
            sentences.items(), np.asarray(scores), strict=True
        )
    ]


def _parts(question: str) -> list[str]:
    sentences = (" ".join(question[a:b].split()) for a, b in sentence_spans(question))
    return [text for text in sentences if len(text.split()) >= MIN_WORDS][:MAX_PARTS]


def _is_quotable(text: str) -> bool:
    """Tell a sentence from a heading, a line of a table of contents, or a fragment."""
    words = len(text.split())
    ends = text.endswith((".", "!", "…", ".)", "”", "»")) or " | " in text
    return MIN_WORDS <= words <= MAX_WORDS and ends and not _CONTENTS.search(text)


def _bonus(text: str, codes: set[str]) -> float:
    found = {code.casefold() for code in _CODE.findall(text)}
    return CODE_BONUS if codes & found else 0.0
