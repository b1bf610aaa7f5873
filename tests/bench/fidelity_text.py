"""Made-up prose with a known text, and how close an extraction comes to what was expected."""

import random
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# fmt: off
_ADJECTIVES = ("brass", "cold", "double", "faulty", "grey", "heavy", "inner", "loose", "narrow",
"outer", "plain", "quiet", "rubber", "silver", "tall", "vented", "wooden")
_NOUNS = ("adapter", "boiler", "carafe", "drawer", "element", "filter", "gasket", "handle", "inlet",
"kettle", "lever", "motor", "nozzle", "outlet", "pump", "rotor", "spindle", "tray", "valve")
_VERBS = ("adjusts", "blocks", "closes", "drains", "fastens", "grips", "heats", "isolates", "joins",
"lifts", "moves", "opens", "protects", "raises", "seals", "turns", "warms")
_TIMES = ("annually", "briefly", "constantly", "daily", "finally", "hourly", "monthly", "twice")
# fmt: on

_MARKUP = re.compile(r"<!--.*?-->|\]\([^)]*\)", re.DOTALL)
_WORD = re.compile(r"\d[\d.,]*\d|\w+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file and its text in reading order; `optional` text costs nothing, found or not."""

    name: str
    data: bytes
    expected: str
    optional: str = ""


@dataclass(frozen=True, slots=True)
class Closeness:
    """Counts that add up over files."""

    expected: int
    extracted: int
    common: int
    ordered: int
    matched: int

    @property
    def recall(self) -> float:
        """Return the share of the expected words that were extracted."""
        return self.common / self.expected

    @property
    def precision(self) -> float:
        """Return the share of the extracted words that were expected."""
        return self.common / self.extracted if self.extracted else 0.0

    @property
    def order_error(self) -> float:
        """Return the share of the matched word triples that stand out of order."""
        return 1 - self.ordered / self.matched if self.matched else 1.0


def prose(seed: int, sentences: int) -> str:
    """Write sentences that hardly repeat three words in a row, always the same for a seed."""
    pick = random.Random(seed)
    return " ".join(
        f"The {pick.choice(_ADJECTIVES)} {pick.choice(_NOUNS)} {pick.randint(10, 99)}"
        f" {pick.choice(_TIMES)} {pick.choice(_VERBS)} each"
        f" {pick.choice(_ADJECTIVES)} {pick.choice(_NOUNS)}."
        for _ in range(sentences)
    )


def words(text: str) -> list[str]:
    """Return lower-case words and numbers; marks, link targets and comments are left out."""
    text = unicodedata.normalize("NFKC", _MARKUP.sub(" ", text)).casefold().replace("_", " ")
    return [_number(word) if word[0].isdigit() else word for word in _WORD.findall(text)]


def compare(sample: Sample, extracted: str) -> Closeness:
    """Measure an extraction.

    The order is that of word triples which occur once on either side: those outside the longest
    increasing subsequence of positions are out of order, as Ulam's distance counts them.
    Source: Ulam, "Some ideas and prospects in biomathematics", Ann. Rev. Biophys. Bioeng. 1, 1972.
    """
    wanted, found = words(sample.expected), words(extracted)
    surplus = Counter(found) - Counter(wanted)
    forgiven = sum((surplus & Counter(words(sample.optional))).values())
    positions = _triples(found)
    matched = [positions[one] for one in _triples(wanted) if one in positions]
    return Closeness(
        expected=len(wanted),
        extracted=len(found) - forgiven,
        common=sum((Counter(wanted) & Counter(found)).values()),
        ordered=_longest_increase(matched),
        matched=len(matched),
    )


def total(parts: Sequence[Closeness]) -> Closeness:
    """Add up the counts of files."""
    return Closeness(
        expected=sum(part.expected for part in parts),
        extracted=sum(part.extracted for part in parts),
        common=sum(part.common for part in parts),
        ordered=sum(part.ordered for part in parts),
        matched=sum(part.matched for part in parts),
    )


def _number(text: str) -> str:
    """Let 1,234.50 and 1234.5 be the same; what is no number stays."""
    try:
        return f"{float(text.replace(',', '')):.10g}"
    except ValueError:
        return text


def _triples(found: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Return where each word triple stands that occurs once, in order."""
    triples = list(zip(found, found[1:], found[2:], strict=False))
    counts = Counter(triples)
    return {one: place for place, one in enumerate(triples) if counts[one] == 1}


def _longest_increase(numbers: Sequence[int]) -> int:
    """Return the length of the longest increasing subsequence.

    Source: Fredman, "On computing the length of longest increasing subsequences", 1975.
    """
    tails: list[int] = []
    for number in numbers:
        place = bisect_left(tails, number)
        tails[place : place + 1] = [number]
    return len(tails)
