"""Which sentences say what the desk did, will do, grants or is to blame for: by rules alone."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.tables import ClaimKind

# The gravest first: "our mistake, so we have refunded you" admits a fault.
_ORDER = (ClaimKind.FAULT, ClaimKind.CONCESSION, ClaimKind.ACTION, ClaimKind.PROMISE)
# "As soon as we know, we'll call" promises, whatever stands before.
_HELD_BY_CONDITIONS = frozenset({ClaimKind.FAULT, ClaimKind.CONCESSION, ClaimKind.ACTION})
_NAME = re.compile(r"\{([a-z]+)\}")
_CLAUSE_BORDER = re.compile(r"[,;:(\u2013\u2014]|\s-\s")
_OPENING = re.compile(r"^[\s¿¡\"'“„«(*•-]+")


class _Language:
    """The rules of one language."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._words = {name: text for name, text in rules.items() if isinstance(text, str)}
        self._patterns = {
            kind: [self._compiled(rule) for rule in rules[kind]] for kind in map(str, _ORDER)
        }
        self._arrival = [self._compiled(rule) for rule in rules["arrival"]]
        self._time = self._compiled("{time}")
        self._subordinate = self._compiled("{subordinate}")

    def kind_of(self, text: str) -> ClaimKind:
        """Return what a sentence in small letters is, as far as this language tells."""
        for kind in _ORDER:
            if any(self._holds(pattern, kind, text) for pattern in self._patterns[kind]):
                is_dated = kind == ClaimKind.PROMISE and self._time.search(text)
                return ClaimKind.DEADLINE if is_dated else kind
        arrives = any(pattern.search(text) for pattern in self._arrival)
        return ClaimKind.DEADLINE if arrives and self._time.search(text) else ClaimKind.FACT

    def _holds(self, pattern: re.Pattern[str], kind: ClaimKind, text: str) -> bool:
        if kind not in _HELD_BY_CONDITIONS:
            return pattern.search(text) is not None
        return any(not self._is_conditional(text, each) for each in pattern.finditer(text))

    def _is_conditional(self, text: str, match: re.Match[str]) -> bool:
        borders = [border.end() for border in _CLAUSE_BORDER.finditer(text, 0, match.start())]
        clause = text[borders[-1] if borders else 0 : match.end()]
        return self._subordinate.search(clause) is not None

    def _compiled(self, rule: str) -> re.Pattern[str]:
        while _NAME.search(rule):
            rule = _NAME.sub(lambda found: self._words[found.group(1)], rule)
        return re.compile(rule)


def _languages() -> list[_Language]:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return [_Language(rules) for rules in tomllib.loads(text).values()]


_LANGUAGES = _languages()


@lru_cache(maxsize=4_096)
def kind_of(sentence: str) -> ClaimKind:
    """Return what a sentence is; one in whatever language, for replies may mix them."""
    text = _asserted(" ".join(sentence.casefold().replace("\u2019", "'").split()))
    kinds = {language.kind_of(text) for language in _LANGUAGES} if text else set()
    ranked = (*_ORDER[:-1], ClaimKind.DEADLINE, ClaimKind.PROMISE)
    return next((kind for kind in ranked if kind in kinds), ClaimKind.FACT)


def _asserted(text: str) -> str:
    """Return what a sentence says: of a question only what stands before its last comma."""
    text = _OPENING.sub("", text)
    if not text.rstrip(" \"'”»)").endswith("?"):
        return text
    borders = [border.start() for border in _CLAUSE_BORDER.finditer(text)]
    return text[: borders[-1]] if borders else ""
