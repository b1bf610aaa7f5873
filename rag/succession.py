"""What became of what was cited: where its document says it now, if it still does."""

from collections.abc import Iterator

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.quarantine import is_free
from ingest.sentences import sentence_spans
from ingest.tables import Passage, Version

# Passages, and sentences, less alike than this are different ones, not one that was changed.
ALIKE = 50.0


def heir(session: Session, passage: Passage, version: Version) -> Passage | None:
    """Return the passage of another version that has this one's place: the most alike.

    What is suspicious there, and not yet released, is not looked at.
    """
    query = select(Passage).where(Passage.version_id == version.id, is_free())
    passages = list(session.scalars(query.order_by(Passage.ordinal)))
    texts = [each.text for each in passages]
    found = process.extractOne(passage.text, texts, scorer=fuzz.ratio, score_cutoff=ALIKE)
    return passages[found[2]] if found else None


def sentences_at(text: str, start: int, end: int) -> list[str]:
    """Return the whole sentences that a quoted stretch lies in.

    Whole ones: “use vinegar” may stand unchanged where “do not use vinegar” is new.
    """
    return [
        sentence
        for first, last in sentence_spans(text)
        if first < end and last > start and (sentence := _evened(text[first:last]))
    ]


def changed(sentences: list[str], text: str) -> list[str]:
    """Return those sentences that do not stand in a text any more."""
    standing = {sentence for sentence, _, _ in _sentences(text)}
    return [sentence for sentence in sentences if sentence not in standing]


def nearest(sentence: str, text: str) -> tuple[str, int, int] | None:
    """Return the sentence of a text that is most like another, with its place."""
    found = list(_sentences(text))
    words = [each for each, _, _ in found]
    best = process.extractOne(sentence, words, scorer=fuzz.ratio, score_cutoff=ALIKE)
    return found[best[2]] if best else None


def _sentences(text: str) -> Iterator[tuple[str, int, int]]:
    for start, end in sentence_spans(text):
        if sentence := _evened(text[start:end]):
            yield sentence, start, end


def _evened(text: str) -> str:
    return " ".join(text.split())
