"""What a desk leaves to people: topics, told by words that customers write."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rag.tickets import StorableText

MAX_TOPICS, MAX_WORDS = 50, 100
NAME_CHARACTERS, WORD_CHARACTERS, HAND_OVER_CHARACTERS = 60, 60, 500
# A shorter beginning of a word would be found in nearly every ticket.
MIN_BEGINNING = 3
# Without their marks these are written with an e by many, and by others are not.
_UMLAUTS = {"ä": "ae?", "ö": "oe?", "ü": "ue?"}
_UNSEEN = {"Cf", "Me", "Mn"}


class Topic(BaseModel):
    """What is left to people: its words, and a sentence for the agent on what to do.

    A word may be a phrase; one that ends in “*” stands for all words that begin so.
    """

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    name: Annotated[StorableText, Field(min_length=1, max_length=NAME_CHARACTERS)]
    words: Annotated[
        tuple[Annotated[StorableText, Field(max_length=WORD_CHARACTERS)], ...],
        Field(min_length=1, max_length=MAX_WORDS),
    ]
    hand_over: Annotated[StorableText, Field(max_length=HAND_OVER_CHARACTERS)] = ""

    @field_validator("words")
    @classmethod
    def _can_be_found(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            stem = word.removesuffix("*")
            if not any(map(str.isalnum, stem)):
                raise ValueError(f"“{word}” has no letter and no number")
            if "*" in stem:
                raise ValueError(f"“{word}” has a star that is not at its end")
            if stem != word and len(_folded(stem)) < MIN_BEGINNING:
                raise ValueError(f"“{word}” needs {MIN_BEGINNING} characters before the star")
        return words


def blocked(text: str, topics: Sequence[Topic]) -> Topic | None:
    """Return the first of the topics that a text has a word of, whatever its case and accents.

    Takes time in proportion to the length of the text.
    """
    if not topics:
        return None
    first = len(topics) + 1
    for match in _pattern(tuple(topics)).finditer(_folded(text)):
        first = min(first, match.lastindex or first)
        if first == 1:
            break
    return topics[first - 1] if first <= len(topics) else None


@lru_cache(maxsize=16)
def _pattern(topics: tuple[Topic, ...]) -> re.Pattern[str]:
    """Return what matches before a word of a topic; the number of its group is the topic's.

    It takes no characters: phrases may overlap, and the later one may be of an earlier topic.
    """
    groups = "|".join(f"({'|'.join(map(_spelling, topic.words))})" for topic in topics)
    return re.compile(rf"(?<!\w)(?={groups})")


def _spelling(word: str) -> str:
    stem = " ".join(word.removesuffix("*").split())
    letters = unicodedata.normalize("NFC", stem).lower()
    spelling = "".join(_UMLAUTS.get(letter) or re.escape(_fold(letter)) for letter in letters)
    return spelling if word.endswith("*") else rf"{spelling}(?!\w)"


def _folded(text: str) -> str:
    """Return a text in lower case, without accents, with single blanks."""
    letters = text.casefold() if text.isascii() else "".join(map(_fold, text))
    return " ".join(letters.split())


@lru_cache(maxsize=4_096)
def _fold(character: str) -> str:
    # Letter by letter: putting many marks of one letter in order would take quadratic time.
    parts = unicodedata.normalize("NFKD", character)
    kept = "".join(part for part in parts if unicodedata.category(part) not in _UNSEEN)
    if unicodedata.category(character) == "Pd":
        return "-"
    return kept.casefold().replace("\u2019", "'")
