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
MAX_QUESTION_CHARACTERS = 20_000
# Below it the closest sentence is usually about something else: of the sample desk's questions it
# turns away about three in four that have no answer, and one in eight that has one.
MIN_SCORE = 0.57
# A sentence is quoted if it is nearly as close to the question as the closest one.
NEARLY = 0.85
# An error code or part number of the question is worth more than nearness in meaning.
CODE_BONUS = 0.25
# The number of a step says nothing outside its list.
_LIST_MARK = re.compile(r"^(?:\d{1,2}[.)]|[-•*])\s+")
_CODE = re.compile(r"\b([A-Za-z]{1,6})-?(\d{2,6})\b")
_MODEL = re.compile(r"\b([A-Z][a-z]{1,14}) (\d{2,4})\b")
_YEAR = re.compile(r"(?:19|20)\d\d")

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
    named = _names(question)
    sentences: dict[str, tuple[int, int]] = {}
    for marker, hit in enumerate(hits, start=1):
        for start, end in sentence_spans(hit.passage.text):
            text = _LIST_MARK.sub("", " ".join(hit.passage.text[start:end].split()))
            if _is_quotable(text, named):
                sentences.setdefault(text, (marker, start))
    if not sentences:
        return []
    # A mail may ask several things: each of its sentences is asked by itself too.
    asked = encoder.encode_many([question, *_parts(question)])
    scores = (encoder.encode_many(list(sentences)) @ asked.T).max(axis=1)
    return [
        Candidate(text, marker, position, float(score) + _bonus(text, named))
        for (text, (marker, position)), score in zip(
            sentences.items(), np.asarray(scores), strict=True
        )
    ]


def _parts(question: str) -> list[str]:
    asked = question[:MAX_QUESTION_CHARACTERS]
    sentences = (" ".join(asked[a:b].split()) for a, b in sentence_spans(asked))
    return [text for text in sentences if len(text.split()) >= MIN_WORDS][:MAX_PARTS]


def _is_quotable(text: str, asked: set[tuple[str, str]]) -> bool:
    """Tell a sentence that may answer from a heading, a fragment, or one about something else."""
    named = _names(text)
    if _is_about_another(named, asked):
        return False
    words = len(text.split())
    if " | " in text:
        # A table row says nothing without its header, unless it is the row of the code asked for.
        return MIN_WORDS <= words <= MAX_WORDS and bool(_codes(text) & asked)
    return MIN_WORDS <= words <= MAX_WORDS and text.endswith((".", "!", "…", ".)", "”", "»"))


def _names(text: str) -> set[tuple[str, str]]:
    """Return the codes and models of a text as (family, number): of E17, of Aria 700."""
    models = ((family.casefold(), number) for family, number in _MODEL.findall(text))
    return _codes(text) | {name for name in models if not _YEAR.fullmatch(name[1])}


def _codes(text: str) -> set[tuple[str, str]]:
    """Return the error codes and part numbers of a text, as `_names` does."""
    return {(family.casefold(), number) for family, number in _CODE.findall(text)}


def _is_about_another(named: set[tuple[str, str]], asked: set[tuple[str, str]]) -> bool:
    """Tell whether a text names another member of a family that the question names, and not its."""
    families = {family for family, _ in asked}
    related = {name for name in named if name[0] in families}
    return bool(related) and not related & asked


def _bonus(text: str, asked: set[tuple[str, str]]) -> float:
    return CODE_BONUS if _codes(text) & asked else 0.0
