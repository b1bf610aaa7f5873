"""What a sentence repeats of the customer's own messages and record: numbers, dates, names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.sentences import sentence_spans
from rag.cite import bare_text

# Four digits, or letters and digits together, name one thing; fewer digits need a neighbour.
MIN_TELLING_DIGITS = 4
MIN_NAME_CHARACTERS = 3
_WORD = re.compile(r"\w+(?:[-./,:]\w+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class RecordedQuote:
    """Words of a message ("message:3") or of the customer's record ("customer:plan").

    Offsets are code points in the message's body or the field's text.
    """

    place: str
    quote: str
    start: int
    end: int


def supplied_by_thread(claim: str, thread: Sequence[str]) -> set[str]:
    """Return the numbers of a claim, as written there, that one of the texts supplies.

    A short number counts only beside the same word: "3 May", not any 3.
    """
    return {
        number
        for words in _facts(claim)
        if any(_find(words, text) for text in thread)
        for number in _NUMBER.findall(" ".join(words))
    }


def recorded_quotes(
    claim: str, thread: Sequence[tuple[str, str]], customer: Mapping[str, Any]
) -> list[RecordedQuote]:
    """Return where the customer said what a claim repeats; `thread` is [author, body] from 1."""
    facts = list(_facts(claim))
    found = [
        _sentence_around(f"message:{ordinal}", body, place)
        for ordinal, (author, body) in enumerate(thread, start=1)
        if author == "customer"
        for words in facts
        for place in _find(words, body)[:1]
    ]
    record = [
        RecordedQuote(f"customer:{name}", value, 0, len(value))
        for name, value in ((name, str(value)) for name, value in customer.items())
        if _repeats(claim, facts, value)
    ]
    return list(dict.fromkeys([*found, *record]))


def _facts(claim: str) -> Iterator[tuple[str, ...]]:
    """Yield what a claim has of numbers: a telling one alone, a short one with each neighbour."""
    words = [word.group() for word in _WORD.finditer(bare_text(claim))]
    for place, word in enumerate(words):
        if not any(map(str.isdigit, word)):
            continue
        if _is_telling(word):
            yield (word,)
            continue
        if place:
            yield (words[place - 1], word)
        if place + 1 < len(words):
            yield (word, words[place + 1])


def _is_telling(word: str) -> bool:
    digits = sum(map(str.isdigit, word))
    return digits >= MIN_TELLING_DIGITS or (digits > 1 and any(map(str.isalpha, word)))


def _find(words: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Return where words stand side by side in a text."""
    pattern = r"(?<![\w])" + r"[\s,.]{1,3}".join(map(re.escape, words)) + r"(?!\w)"
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def _repeats(claim: str, facts: Sequence[Sequence[str]], value: str) -> bool:
    if len(value) < MIN_NAME_CHARACTERS:
        return False
    return bool(_find([value], claim)) or any(_find(words, value) for words in facts)


def _sentence_around(place: str, body: str, span: tuple[int, int]) -> RecordedQuote:
    for start, end in sentence_spans(body):
        if start <= span[0] < end:
            quote = body[start:end].strip()
            first = body.index(quote, start)
            return RecordedQuote(place, quote, first, first + len(quote))
    return RecordedQuote(place, body[span[0] : span[1]], *span)
