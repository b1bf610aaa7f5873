"""The text of a correction: what a customer was told, and what is right now, in their language."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rag.extractive import FRAMES

CORRECTION = "correction"
"""Stands in a draft where the name of the model that wrote it would."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of a reply, what its source says now, and by which marker; neither if nothing."""

    was: str
    now: str | None = None
    marker: int | None = None


def compose(told: Sequence[Told], language: str) -> str:
    """Return a short letter that corrects what was told; each new sentence has its marker."""
    known = language if language in FRAMES else "en"
    words = _catalogue()[known]
    greeting, _, close = FRAMES[known]
    parts = [_corrected(each, words) for each in told]
    return "\n\n".join([greeting, words["lead"], *parts, close])


def _corrected(told: Told, words: dict[str, str]) -> str:
    before = words["told"].format(was=told.was)
    if told.now is None:
        return f"{before}\n{words['gone']}"
    return f"{before}\n{words['now']}\n{told.now} [{told.marker}]"


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    file = resources.files("rag.messages") / "corrections.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
