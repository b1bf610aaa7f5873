"""What the machine says of a claim, and why, in words."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from rag.tables import Label


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence of the catalogue `reasons.LANGUAGE.toml`, by its code, with its fields."""

    code: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def describe(self, language: str = "en") -> str:
        """Return the sentence."""
        return _catalogue(language)[self.code].format(**self.fields)


@dataclass(frozen=True, slots=True)
class Finding:
    """The machine's verdict on a claim; `probability` is that the evidence supports it."""

    label: Label
    probability: float
    reasons: tuple[Reason, ...]

    @property
    def note(self) -> str:
        """Return the reasons in one line."""
        return "; ".join(reason.describe() for reason in self.reasons)


def stored_finding(label: Label, probability: float | None, note: str) -> Finding:
    """Return a verdict as the record has it."""
    return Finding(label, probability or 0.0, (Reason("stored", {"text": note}),))


@cache
def _catalogue(language: str) -> dict[str, str]:
    file = resources.files("rag.messages") / f"reasons.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
