"""Names of persons: after words that announce one, and where a known given or family name stands.

Nothing here knows grammar: a name that is in no list and is announced by nothing is not found.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.mask import introductions
from rag.mask.finds import Find, Kind, Sureness
from rag.words import COMMON

LISTS = Path(__file__).resolve().parents[2] / "data" / "mask.toml"
MAX_WORDS = 5
# A name of fewer letters is not looked for elsewhere, nor in small letters.
MIN_LETTERS, MIN_SMALL_LETTERS = 3, 5
_TOKEN = re.compile(r"(?<!\w)(?:[ODL]['\u2019])?[^\W\d_]+(?:-[^\W\d_]+)*(?!\w)")
_BETWEEN = """
    al av bin da dal de del della den der di dos du el ibn la las le lo op ten ter van vom von y zu
    zum
"""
_PARTICLES = frozenset(_BETWEEN.split())
# With these before it, a given name is a town: San Francisco.
_SAINTS = frozenset(("saint", "san", "sankt", "sant", "santa", "santo", "st", "são"))
_GAP = re.compile(r"[ \u00a0]{1,2}|\.[ ]?")


@dataclass(frozen=True, slots=True)
class Lists:
    """Words that make a name, or do not."""

    given: frozenset[str]
    capitalised: frozenset[str]
    doubtful: frozenset[str]
    family: frozenset[str]
    never: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, where each begins, and names known beforehand."""

    text: str
    matches: list[re.Match[str]]
    starts: list[int]
    known: frozenset[str]


@cache
def lists() -> Lists:
    """Return the lists of names; what is doubtful is not sure."""
    loaded = tomllib.loads(LISTS.read_text(encoding="utf-8"))
    words = {key: frozenset(value.split()) for key, value in loaded.items()}
    given = (words["given"] | words["capitalised"]) - words["doubtful"] - words["never"]
    return Lists(given, *(words[key] for key in ("capitalised", "doubtful", "family", "never")))


def parts(names: Iterable[str]) -> frozenset[str]:
    """Return the words of names by which they can be recognised alone."""
    found = {
        match.group().casefold()
        for name in names
        for match in _TOKEN.finditer(name)
        if len(match.group()) >= MIN_LETTERS
    }
    return frozenset(found - lists().doubtful - lists().never - COMMON - _PARTICLES)


def small_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts that stand there in small letters."""
    found = (match.group() for text in texts for match in _TOKEN.finditer(text))
    return frozenset(word for word in found if word.islower())


def find(text: str, known: frozenset[str] = frozenset()) -> Iterator[Find]:
    """Yield the names in a text; `known` are words of names, as `parts` returns them."""
    matches = list(_TOKEN.finditer(text))
    words = _Words(text, matches, [match.start() for match in matches], known)
    yield from _listed(words)
    yield from _introduced(words)


def _listed(words: _Words) -> Iterator[Find]:
    at = 0
    while at < len(words.matches):
        end = _run_from(words, at)
        if end > at:
            sureness = Sureness.GIVEN if _folded(words, at) in words.known else Sureness.LISTED
            yield _found(words, at, end, sureness)
        at = max(at + 1, end)


def _run_from(words: _Words, at: int) -> int:
    """Return behind which word a name that begins here ends; here, if none does."""
    word, folded = words.matches[at].group(), _folded(words, at)
    if not word[0].isupper():
        return at + _is_sure_in_small_letters(word)
    if at and _is_beside(words, at) and _folded(words, at - 1) in _SAINTS:
        return at
    if folded in words.known or folded in lists().given or _is_full_name(words, at):
        return _extended(words, at + 1, at)
    return at + (folded in lists().family)


def _is_sure_in_small_letters(word: str) -> bool:
    is_given = word in lists().given and word not in lists().capitalised
    return is_given and len(word) >= MIN_SMALL_LETTERS


def _is_full_name(words: _Words, at: int) -> bool:
    """Tell a given name that is a word as well from the word, by the family name behind it."""
    follows = at + 1 < len(words.matches) and _is_beside(words, at + 1)
    doubtful = _folded(words, at) in lists().doubtful
    return doubtful and follows and _folded(words, at + 1) in lists().family


def _extended(words: _Words, at: int, first: int) -> int:
    """Return behind which word a name ends of which the words before `at` are sure."""
    end = at
    last = min(len(words.matches), first + MAX_WORDS)
    while at < last and (at == first or _is_beside(words, at)):
        word = words.matches[at].group()
        if word.lower() in _PARTICLES:
            at += 1
        elif _may_be_name(word):
            at = end = at + 1
        else:
            break
    return end


def _is_beside(words: _Words, at: int) -> bool:
    before, here = words.matches[at - 1], words.matches[at]
    gap = words.text[before.end() : here.start()]
    if gap.startswith("."):
        # Only after an initial does a full stop not end the sentence.
        return len(before.group()) <= 2 and _GAP.fullmatch(gap) is not None
    return _GAP.fullmatch(gap) is not None


def _may_be_name(word: str) -> bool:
    folded = word.casefold()
    return word[0].isupper() and folded not in COMMON and folded not in lists().never


def _introduced(words: _Words) -> Iterator[Find]:
    for introduction in introductions.ALL:
        for match in introduction.pattern.finditer(words.text):
            at = bisect_left(words.starts, match.end())
            if at == len(words.starts) or words.starts[at] != match.end():
                continue
            end = _extended(words, at, at)
            if end == at and introduction.small:
                end = _small(words, at)
            if end > at and introduction.ends_well(words.text, words.matches[end - 1].end()):
                yield _found(words, at, end, Sureness.IN_CONTEXT)


def _small(words: _Words, at: int) -> int:
    """Return behind which word a name in small letters ends: two words at most."""
    end = at
    while end < min(at + 2, len(words.matches)) and (end == at or _is_beside(words, end)):
        folded = _folded(words, end)
        if folded in COMMON or folded in lists().never or folded in introductions.AFTER_NAMES:
            break
        end += 1
    return end


def _folded(words: _Words, at: int) -> str:
    return words.matches[at].group().casefold()


def _found(words: _Words, at: int, end: int, sureness: Sureness) -> Find:
    return Find(words.matches[at].start(), words.matches[end - 1].end(), Kind.NAME, sureness)
