"""Which words of a question are worth looking up in a full-text index."""

import math
import re
import unicodedata
from collections.abc import Mapping

# A ticket may have a log or a mailbox pasted into it: what it is about stands at its beginning.
MAX_CHARACTERS = 20_000
MAX_WORDS = 256
MAX_CODES = 8
MAX_TERM_CHARACTERS = 64
# A search takes as long as its terms occur often. On 1,013 real tickets 32 terms found nearly as
# much as all (recall@5 .28 against .29), 8 found .17; passages beyond the budget added nothing.
MAX_TERMS = 32
BUDGET = 2_000
# A word in more passages than this says too little to be looked up, or even counted further.
COMMON = 1_000
# No part of it can fail after a long run of letters, so the time is linear.
RUN = re.compile(r"[^\W_]+(?:[-_.:/]+[^\W_]+)*")
WORD = re.compile(r"[^\W_]+")
HAS_CODE = re.compile(r"[\d_]")


def terms(question: str) -> list[str]:
    """Return the distinct words of a question, lower-cased, and its codes as they are written.

    A code (X-100, snake_case, 1.2.3) is found whole, as its parts in a row, and by each part. Terms
    hold letters, digits and -_.:/ only: nothing in them means anything to a query language once
    they are quoted.
    """
    words: dict[str, None] = {}
    codes: dict[str, None] = {}
    composed = unicodedata.normalize("NFC", question[:MAX_CHARACTERS]).lower()
    for run in RUN.findall(composed):
        parts = WORD.findall(run)
        words.update(dict.fromkeys(parts))
        if len(parts) > 1 and HAS_CODE.search(run):
            codes[run] = None
    short_codes = [code for code in codes if len(code) <= MAX_TERM_CHARACTERS]
    short_words = [word for word in words if len(word) <= MAX_TERM_CHARACTERS]
    return short_codes[:MAX_CODES] + short_words[:MAX_WORDS]


def rarest(counts: Mapping[str, int]) -> dict[str, int]:
    """Choose the terms in the fewest passages, as long as they are within the budget together."""
    chosen: dict[str, int] = {}
    total = 0
    for term, count in sorted(counts.items(), key=lambda entry: (entry[1], entry[0])):
        total += count
        if count > COMMON or total > BUDGET or len(chosen) == MAX_TERMS:
            break
        if count > 0:
            chosen[term] = count
    return chosen


def weight(passages: float, holding: int) -> float:
    """Return BM25's inverse document frequency of a term that so many passages hold."""
    return math.log(1 + max(0.0, passages - holding + 0.5) / (holding + 0.5))


def full_score(counts: Mapping[str, int], passages: float) -> float:
    """Return what a passage would score that is all about a question's words.

    Words too common to be looked up count here too: a passage without them does not say it all.
    """
    present = sorted(count for count in counts.values() if count > 0)[:MAX_TERMS]
    return sum(weight(passages, count) for count in present)


def folded(text: str) -> str:
    """Return the words of a text in lower case without accents, between single spaces."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFD", text)
        text = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(WORD.findall(text.lower()))
