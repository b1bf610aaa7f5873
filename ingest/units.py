"""The words that tell figures from names, and units from words, in five languages."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit measures, and its size in the smallest unit of that dimension."""

    dimension: str
    size: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Lower-case words by what they do beside a number."""

    labels: frozenset[str]
    months: frozenset[str]
    joining: frozenset[str]
    examples: frozenset[str]
    light: frozenset[str]
    units: dict[str, Unit]


@cache
def lexicon() -> Lexicon:
    """Read the word lists of this package."""
    table = tomllib.loads((resources.files("ingest") / "figures.toml").read_text("utf-8"))
    units = {
        spelling: Unit(dimension, float(size))
        for dimension, sizes in table["units"].items()
        for size, spellings in sizes.items()
        for spelling in spellings.split()
    }
    words = {name: frozenset(table[name].split()) for name in table if name != "units"}
    return Lexicon(**words, units=units)
