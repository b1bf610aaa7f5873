"""The embedded drafter: composes a reply of sentences quoted from the documents, offline."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from ingest.query_encoder import QueryEncoder
from ingest.sentences import sentence_spans
from rag.quotable import Quote, quotes
from rag.ranges import covers
from rag.retrieve import Hit
from rag.words import telling

MAX_PASSAGES = 5
# A procedure counts as one.
MAX_QUOTES = 3
MIN_ASKED_WORDS = 5
MAX_PARTS = 20
MAX_QUESTION_CHARACTERS = 20_000
# Below it the closest quote is usually about something else: `python -m tests.bench.drafts` tells
# how many answerable tickets it turns away, and how many others.
MIN_SCORE = 0.70
# A further quote is made if it is nearly as close to the question as the closest one.
NEARLY = 0.85
# Two of them say the same from here on.
SAME = 0.90
# The encoder hears what a text is about; the rare words of the question, whether it is about that.
WORDS_WEIGHT = 0.4
# An error code, part number or range that the question names is worth more than its meaning.
CODE_BONUS = 0.25
_CODE = re.compile(r"\b([A-Za-z]{1,6})-?(\d{2,6})\b")
_MODEL = re.compile(r"\b([A-Z][a-z]{1,14}) (\d{2,4})\b")
_YEAR = re.compile(r"(?:19|20)\d\d")
# A row may be about several things: "Filters, descaler, tablets".
_ENUMERATED = re.compile(r"[,/;]|\b(?:and|or|und|oder|et|ou|e|o|y|en|of)\b")
FRAMES = {
    "en": ("Hello,", "our documents say:", "Kind regards"),
    "de": ("Guten Tag,", "in unseren Unterlagen steht:", "Mit freundlichen Grüßen"),
    "fr": ("Bonjour,", "voici ce que disent nos documents :", "Cordialement"),
    "it": ("Buongiorno,", "ecco che cosa dicono i nostri documenti:", "Cordiali saluti"),
    "es": ("Buenos días:", "esto es lo que dicen nuestros documentos:", "Un saludo"),
    "nl": ("Goedendag,", "in onze documenten staat:", "Met vriendelijke groet"),
}
Names = frozenset[tuple[str, str]]
"""Codes and models as (family, number): of E17, of Aria 700."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be quoted of a passage; markers count from 1."""

    quote: Quote
    marker: int
    score: float
    vector: NDArray[np.float32]


def compose(question: str, language: str, hits: Sequence[Hit], encoder: QueryEncoder) -> str:
    """Quote what is closest to the question, each sentence with its marker, in a short letter.

    Returns:
        The reply, in the language of its sources; empty if nothing can be quoted.
    """
    candidates = _candidates(question, hits[:MAX_PASSAGES], encoder)
    best = sorted(candidates, key=lambda candidate: -candidate.score)
    if not best or best[0].score < MIN_SCORE:
        return ""
    chosen = _chosen([one for one in best if one.score >= NEARLY * best[0].score])
    chosen.sort(key=lambda candidate: (candidate.marker, candidate.quote.position))
    greeting, lead, close = FRAMES[language]
    lines = [_marked(line, one.marker) for one in chosen for line in one.quote.lines]
    return "\n".join([greeting, "", lead, *dict.fromkeys(lines), "", close])


def _chosen(best: Sequence[Candidate]) -> list[Candidate]:
    """Return the first few that do not say the same."""
    chosen: list[Candidate] = []
    for candidate in best:
        if all(float(candidate.vector @ other.vector) < SAME for other in chosen):
            chosen.append(candidate)
        if len(chosen) == MAX_QUOTES:
            break
    return chosen


def _marked(line: str, marker: int) -> str:
    """Return a line with the marker after each of its sentences."""
    sentences = (line[start:end].strip() for start, end in sentence_spans(line))
    return " ".join(f"{sentence} [{marker}]" for sentence in sentences)


def _candidates(question: str, hits: Sequence[Hit], encoder: QueryEncoder) -> list[Candidate]:
    found = _found(question, hits)
    if not found:
        return []
    # A mail may ask several things: each of its sentences is asked by itself too.
    asked = [question, *_parts(question)]
    vectors = encoder.encode_many([*asked, *(_with_heading(quote) for quote, _ in found)])
    meanings = (vectors[len(asked) :] @ vectors[: len(asked)].T).max(axis=1)
    shares = _shares([telling(part) for part in asked], [_stems(quote) for quote, _ in found])
    return [
        Candidate(
            quote,
            marker,
            float(meaning) + WORDS_WEIGHT * share + _bonus(quote, question),
            vector,
        )
        for (quote, marker), meaning, share, vector in zip(
            found, meanings, shares, vectors[len(asked) :], strict=True
        )
    ]


def _found(question: str, hits: Sequence[Hit]) -> list[tuple[Quote, int]]:
    """Return what may be quoted, each text once, with its marker."""
    named, stems = _names(question), telling(question)
    titles = {hit.document.id: _models(hit.version.title) for hit in hits}
    known: dict[str, tuple[Quote, int]] = {}
    for marker, hit in enumerate(hits, start=1):
        if _is_of_another(titles[hit.document.id], named, titles):
            continue
        passage = hit.passage
        heading = passage.heading_path[-1] if passage.heading_path else ""
        for quote in quotes(passage.text, heading, passage.table_header):
            is_row_of_another = quote.label is not None and not (
                covers(quote.text, question) or _is_asked(quote, named, stems)
            )
            if not is_row_of_another and not _is_about_another(_names(quote.text), named):
                known.setdefault(quote.text, (quote, marker))
    return list(known.values())


def _is_asked(row: Quote, named: Names, stems: set[str]) -> bool:
    """Tell whether a question names what a row is about; its neighbours are nearly as close."""
    parts = [telling(part) for part in _ENUMERATED.split(row.label or "")]
    in_words = any(part and part <= stems for part in parts)
    return in_words or bool((_codes(row.text) | _names(row.label or "")) & named)


def _shares(asked: Sequence[set[str]], texts: Sequence[set[str]]) -> list[float]:
    """Return how much of what a part of the question says each text has, by rare words rather.

    Source: inverse document frequency, Spärck Jones, Journal of Documentation 28(1), 1972.
    """
    frequency = Counter(stem for text in texts for stem in text)
    rarity = {
        stem: log(1 + len(texts) / max(1, frequency[stem])) for part in asked for stem in part
    }
    wholes = [(part, _sum(part, rarity)) for part in asked if part]
    return [
        max((_sum(part & text, rarity) / whole for part, whole in wholes), default=0.0)
        for text in texts
    ]


def _sum(stems: set[str], rarity: Mapping[str, float]) -> float:
    return sum(rarity[stem] for stem in stems)


def _stems(quote: Quote) -> set[str]:
    return telling(quote.text) | telling(quote.heading)


def _with_heading(quote: Quote) -> str:
    is_named = not quote.heading or quote.text.startswith(quote.heading) or quote.label is not None
    return quote.text if is_named else f"{quote.heading}: {quote.text}"


def _parts(question: str) -> list[str]:
    asked = question[:MAX_QUESTION_CHARACTERS]
    sentences = (" ".join(asked[a:b].split()) for a, b in sentence_spans(asked))
    return [text for text in sentences if len(text.split()) >= MIN_ASKED_WORDS][:MAX_PARTS]


def _names(text: str) -> Names:
    return _codes(text) | _models(text)


def _models(text: str) -> Names:
    found = ((family.casefold(), number) for family, number in _MODEL.findall(text))
    return frozenset(name for name in found if not _YEAR.fullmatch(name[1]))


def _codes(text: str) -> Names:
    return frozenset((family.casefold(), number) for family, number in _CODE.findall(text))


def _is_about_another(named: Names, asked: Names) -> bool:
    """Tell whether a text names another member of a family that the question names, and not its."""
    families = {family for family, _ in asked}
    related = {name for name in named if name[0] in families}
    return bool(related) and not related & asked


def _is_of_another(title: Names, asked: Names, titles: Mapping[str, Names]) -> bool:
    """Tell whether a document is about another product than the one that is asked about."""
    families = {family for names in titles.values() for family, _ in names}
    wanted = {family for family, _ in asked} & families
    is_other_family = bool(title and wanted) and not {family for family, _ in title} & wanted
    return is_other_family or _is_about_another(title, asked)


def _bonus(quote: Quote, question: str) -> float:
    return CODE_BONUS if _names_what_is_asked(quote, question) else 0.0


def _names_what_is_asked(quote: Quote, question: str) -> bool:
    """Tell whether a quote has the code that is asked about, or the range and the model."""
    if _codes(quote.text) & _codes(question):
        return True
    models = _models(question)
    is_its_model = not models or bool(models & _models(quote.text))
    return quote.label is not None and is_its_model and covers(quote.text, question)
