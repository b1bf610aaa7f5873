"""A sentence as it is compared with another: its words, figures, codes and dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ingest.quantities import Figure, read
from ingest.sentences import sentence_spans
from ingest.units import lexicon
from rag.dates import Date, dates_in
from rag.numerals import in_digits

# Word forms are told by how they begin: "cartridges" and "cartridge".
STEM_CHARACTERS = 6
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"\b(?:[A-Za-z]{1,6}-?\d{2,6}[A-Za-z]?|[A-Z]{1,4}-\d+)\b")
_MODEL = re.compile(r"\b[A-Z][A-Za-zÀ-ÿ]+ \d{2,4}(?:\.\d+)?\b")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class Statement:
    """A sentence; numbers that it spells out are written in digits."""

    text: str

    @classmethod
    def of(cls, text: str) -> "Statement":
        """Read a sentence; the mark of a list is no part of it."""
        return cls(in_digits(" ".join(_LIST_MARK.sub("", text).split())))

    @cached_property
    def folded(self) -> str:
        """Return what is the same for all ways to write it."""
        return self.text.casefold().strip(" .")

    @cached_property
    def words(self) -> list[str]:
        """Return the beginnings of its words, without numbers, units and words that say little."""
        silent = lexicon().light | lexicon().units.keys()
        found = (word for word in _WORD.findall(self.text.casefold()) if word not in silent)
        return [word[:STEM_CHARACTERS] for word in found if not word[0].isdigit()]

    @cached_property
    def stems(self) -> frozenset[str]:
        """Return its words, each once."""
        return frozenset(self.words)

    @cached_property
    def dates(self) -> tuple[Date, ...]:
        """Return its dates."""
        return tuple(dates_in(self.text))

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Return its numbers with their units; dates and codes have none."""
        return tuple(read(self._without([date.text for date in self.dates])).figures)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Return its codes, part numbers and models, such as E17, CF-2 and Aria 700."""
        # "Wait 20 minutes" begins as a name does.
        counted = {figure.text.split()[0] for figure in self.figures}
        models = [
            model
            for model in _MODEL.findall(self._without([date.text for date in self.dates]))
            if not _YEAR.fullmatch(model.split()[1])
            and not _is_labelled(model)
            and model.split()[1] not in counted
        ]
        return tuple(dict.fromkeys([*_CODE.findall(self.text), *models]))

    @cached_property
    def names(self) -> frozenset[str]:
        """Return its words with a capital, but for the first: names, and in German nouns."""
        _, *rest = _WORD.findall(self.text) or [""]
        silent = lexicon().light | lexicon().units.keys()
        return frozenset(
            word for word in rest if word[0].isupper() and word.casefold() not in silent
        )

    def share_in(self, other: "Statement") -> float:
        """Return what share of its words another statement has."""
        return len(self.stems & other.stems) / len(self.stems) if self.stems else 0.0

    def _without(self, texts: Sequence[str]) -> str:
        rest = self.text
        for each in texts:
            rest = rest.replace(each, " ")
        return rest


def statements(text: str) -> list[Statement]:
    """Return the sentences of a text."""
    whole = (text[start:end] for start, end in sentence_spans(text))
    return [Statement.of(sentence) for sentence in whole if sentence.strip()]


def _is_labelled(model: str) -> bool:
    return model.split(maxsplit=1)[0].lower() in lexicon().labels
