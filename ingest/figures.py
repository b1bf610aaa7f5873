"""Sentences as what they say and the figures they say it with."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from ingest.quantities import COUNT, DIGIT, Figure, Reading, read
from ingest.sentences import sentence_spans
from ingest.units import lexicon

# A sentence much longer than this is a list or a broken page; its figures have no one meaning.
MAX_CHARACTERS = 400
MAX_FIGURES = 4
MAX_LINES = 3
MIN_WORDS = 2
# Words and names that a sentence must share with a longer one that says more.
MIN_WEIGHT = 4
# How much more the longer one may say: with each word it is more likely about something else.
MAX_GROWTH = 2
# Of 100; measured on help-centre articles: below it sentences only resemble each other.
MIN_LIKENESS = 85
MIN_WORD_LIKENESS = 80
CELL = " | "

_LIST_MARK = re.compile(
    r"\s*(?:[•*\u2013-]\s*(?:\|\s*)?|\d{1,3}(?:\.\d{1,3})*[.)]\s+|\(\d{1,3}\)\s+)+"
)
_WORD = re.compile(r"[^\W\d_]{3}")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with figures; offsets count in the text that it was read from."""

    start: int
    end: int
    figures: tuple[Figure, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def values(self) -> list[tuple[float, ...]]:
        """Return the figures in the order of their size: sentences may turn them round."""
        return sorted(figure.values for figure in self.figures)

    @property
    def dimensions(self) -> list[str]:
        """Return what each figure measures."""
        return [figure.dimension for figure in self.figures]

    @property
    def stands_alone(self) -> bool:
        """Tell whether it is understood without the text around it, as "the default is 5" is not.

        It says what it is about in several words or names, and each figure has a unit.
        """
        return self.weight >= MIN_WEIGHT and COUNT.dimension not in self.dimensions

    @property
    def weight(self) -> int:
        """Return how many words and names tell what the sentence is about."""
        return len({*self.words, *self.names})

    def by_dimension(self) -> dict[str, tuple[float, ...]]:
        """Return the figures that are the only ones of their dimension, counts left out."""
        return {
            figure.dimension: figure.values
            for figure in self.figures
            if figure.dimension != COUNT.dimension and self.dimensions.count(figure.dimension) == 1
        }


def statements(text: str) -> Iterator[Statement]:
    """Yield the sentences of a text that state figures, and the cells of its tables that do."""
    header: list[str] = []
    # Most passages have no figures, and this is asked of each of them many times.
    spans = sentence_spans(text) if DIGIT.search(text) else ()
    for begin, end in spans:
        mark = _LIST_MARK.match(text, begin, end)
        start = mark.end() if mark else begin
        sentence = text[start:end].rstrip()
        if CELL not in sentence:
            header = []
            yield from _sentence(sentence, start)
        elif not header:
            header = _cells(sentence)
        else:
            yield from _row(sentence, start, header)


def agreement(one: Statement, other: Statement) -> bool | None:
    """Tell whether two sentences that say the same say it with the same figures.

    None if they do not say the same: then their figures have nothing to do with each other.
    """
    if one.names != other.names:
        return None
    if one.dimensions == other.dimensions and _agree(one.words, other.words):
        return one.values == other.values
    shorter, longer = sorted((one, other), key=lambda statement: len(statement.words))
    if shorter.weight < MIN_WEIGHT or longer.weight > MAX_GROWTH * shorter.weight:
        return None
    if not _covered(shorter.words, longer.words):
        return None
    ours, theirs = shorter.by_dimension(), longer.by_dimension()
    common = [dimension for dimension in ours if dimension in theirs]
    return all(ours[key] == theirs[key] for key in common) if common else None


def products_in(title: str) -> frozenset[str]:
    """Return the names with a number in a title ("Aria 500"): what the text below is about.

    Versions and dates are none of them: they tell two editions of one text apart.
    """
    return frozenset(name.lower() for name in read(title).names if _is_product(name))


def _is_product(name: str) -> bool:
    word = name.partition(" ")[0]
    if not word[:1].isupper() or _YEAR.search(name):
        return False
    return word.lower() not in lexicon().labels | lexicon().months


def _agree(words: Sequence[str], others: Sequence[str]) -> bool:
    if words == others:
        return True
    if fuzz.token_sort_ratio(" ".join(words), " ".join(others)) < MIN_LIKENESS:
        return False
    return _covered(words, others) and _covered(others, words)


def _covered(words: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether each word stands in the other sentence, be it in another form."""
    known = set(others)
    return all(word in known or any(_same_word(word, other) for other in others) for word in words)


def _same_word(word: str, other: str) -> bool:
    return word[:3] == other[:3] and fuzz.ratio(word, other) >= MIN_WORD_LIKENESS


def _sentence(sentence: str, start: int) -> Iterator[Statement]:
    if not DIGIT.search(sentence):
        return
    # What has many lines is a listing or the output of a program.
    if len(sentence) > MAX_CHARACTERS or sentence.count("\n") >= MAX_LINES:
        return
    reading = read(sentence)
    if 0 < len(reading.figures) <= MAX_FIGURES and _says_enough(reading):
        names = tuple(sorted(name.lower() for name in reading.names))
        figures, words = tuple(reading.figures), tuple(reading.words)
        yield Statement(start, start + len(sentence), figures, names, words)


def _says_enough(reading: Reading) -> bool:
    """Tell whether the words say what is counted: with a unit, one may do ("warranty").

    The figures of an example are nobody's claim.
    """
    if not lexicon().examples.isdisjoint(reading.words):
        return False
    if any(figure.dimension == COUNT.dimension for figure in reading.figures):
        return len(reading.words) >= MIN_WORDS
    return bool(reading.words)


def _row(row: str, start: int, header: list[str]) -> Iterator[Statement]:
    """Yield a statement for each cell with figures: the row's label and the column name it."""
    cells = _cells(row)
    if len(row) > MAX_CHARACTERS or len(cells) != len(header) or not _WORD.search(cells[0]):
        return
    for column, cell in zip(header[1:], cells[1:], strict=True):
        reading = read(cell) if DIGIT.search(cell) else Reading()
        if 0 < len(reading.figures) <= MAX_FIGURES:
            names = (cells[0].casefold(), column.casefold(), *sorted(reading.names))
            figures, words = tuple(reading.figures), tuple(reading.words)
            yield Statement(start, start + len(row), figures, names, words)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split(CELL)]
