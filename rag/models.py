"""Which language models there are: the catalogue, and models named by LiteLLM id."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from rag.errors import RetiredModelError, UnknownModelError

CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "models.toml"
EXTRACTIVE = "extractive"
"""The embedded drafter, which quotes and needs no model."""
UNLISTED_WINDOW_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Model:
    """A route to a language model; prices are per million tokens, None where unknown."""

    name: str
    id: str
    window_tokens: int
    tokenizer: str
    input_usd: float | None = None
    output_usd: float | None = None
    url: str | None = None
    key: str | None = None

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the price of a call, None where the route's prices are unknown."""
        if self.input_usd is None or self.output_usd is None:
            return None
        return (prompt_tokens * self.input_usd + completion_tokens * self.output_usd) / 1e6


def resolve(
    name: str, *, url: str | None = None, key: str | None = None, window_tokens: int | None = None
) -> Model:
    """Return the model of a catalogue name, or of a LiteLLM id that is not in the catalogue.

    An id that the catalogue does not list is counted with its own server's tokenizer where the
    server offers that, and by a cautious estimate elsewhere.

    Raises:
        UnknownModelError: Neither a name in the catalogue nor a LiteLLM id (`provider/model`).
        RetiredModelError: The provider has ended it.
    """
    entry = tomllib.loads(CATALOGUE.read_text(encoding="utf-8")).get(name)
    if entry is None:
        if "/" not in name:
            raise UnknownModelError(model=name)
        window = window_tokens or UNLISTED_WINDOW_TOKENS
        return Model(name, name, window, "server", url=url, key=key)
    if "retired" in entry:
        raise RetiredModelError(model=name, reason=entry["retired"])
    return Model(
        name,
        entry["id"],
        window_tokens or entry["window_tokens"],
        entry["tokenizer"],
        entry.get("input_usd"),
        entry.get("output_usd"),
        url,
        key,
    )
