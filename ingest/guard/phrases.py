"""What texts say that speak to a language model, in six languages."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingest.guard.signs import Sign, SignKind

_FILE = Path(__file__).with_name("phrases.toml")
# Two weak signs count as one only where they can belong to one sentence or two.
_CLOSE_CHARACTERS = 250
# Bounded: an attacker may send a megabyte of blanks.
_BLANK = r"(?:\s{1,12})"
_VERBATIM = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])")


@dataclass(frozen=True, slots=True)
class Group:
    """Phrases of one kind, tried where a text holds one of the stems."""

    kind: SignKind
    stems: Sequence[str]
    strong: Sequence[re.Pattern[str]]
    weak: Sequence[re.Pattern[str]]


def find(text: str) -> Iterator[Sign]:
    """Yield what speaks to a model, in a text of small letters.

    Weak signs count only where two different ones are close to each other.
    """
    weak: list[tuple[int, int, str, SignKind]] = []
    for group in _groups():
        if not any(stem in text for stem in group.stems):
            continue
        for pattern in group.strong:
            yield from (Sign(*match.span(), group.kind) for match in pattern.finditer(text))
        for pattern in group.weak:
            found = pattern.finditer(text)
            weak += [(*match.span(), pattern.pattern, group.kind) for match in found]
    for (start, end, first, kind), (beginning, last, second, _) in pairwise(sorted(weak)):
        if first != second and beginning - end <= _CLOSE_CHARACTERS:
            yield Sign(start, max(end, last), kind)


@cache
def _groups() -> list[Group]:
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [_group(entry, read["words"]) for entry in read["signs"]]


def _group(entry: Mapping[str, Any], words: Mapping[str, str]) -> Group:
    strong, weak = (
        [_compiled(phrase, words) for phrase in entry.get(name, ())] for name in ("strong", "weak")
    )
    return Group(SignKind(entry["kind"]), entry["stems"], strong, weak)


def _compiled(phrase: str, words: Mapping[str, str]) -> re.Pattern[str]:
    for name, alternatives in words.items():
        phrase = phrase.replace(f"{{{name}}}", alternatives)
    # A blank stands for any white space, except within classes of characters.
    parts = _VERBATIM.split(phrase)
    parts[::2] = [part.replace(" ", _BLANK) for part in parts[::2]]
    return re.compile(rf"(?<!\w)(?:{''.join(parts)})", re.MULTILINE)
