"""The catalogue of routes to language models: what each costs, can do, and where data goes."""

import ipaddress
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass as checked_dataclass

from rag.errors import CatalogueError

CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "models.toml"
# A short thread, a handful of passages, and a reply of about 250 words.
PROMPT_TOKENS = 4_000
REPLY_TOKENS = 350
# Endings of names that no public server has.
NEAR = (".local", ".localhost", ".internal", ".lan", ".home.arpa")

Region = Literal["eu", "us", "local", "yours", "unknown"]
Status = Literal["active", "deprecated", "retired"]
Template = Literal["mistral", "chatml"]


@checked_dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Route:
    """One way to reach a model; prices are per million tokens, None where tokens have none.

    What each field means stands at the head of `data/models.toml`.
    """

    name: str
    id: str = Field(pattern=r"^[a-z_]+/\S+$")
    window_tokens: PositiveInt
    tokenizer: Literal["mistral-v1", "mistral-v3", "server"]
    json_mode: bool
    tools: bool
    status: Status
    company: str
    country: str
    region: Region
    processed_in: str
    retention: str
    training: str
    contract: str
    url: str | None = None
    template: Template = "mistral"
    input_usd: NonNegativeFloat | None = None
    output_usd: NonNegativeFloat | None = None
    price_source: str = ""
    price_read: date | None = None
    reason: str = ""
    notes: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.input_usd is None) != (self.output_usd is None):
            raise ValueError("one of input_usd and output_usd is missing")
        if self.input_usd and not (self.price_source and self.price_read):
            raise ValueError("a price needs price_source and price_read")
        if self.status != "active" and not self.reason:
            raise ValueError(f"what is {self.status} needs a reason")
        return self

    @property
    def hosted(self) -> bool:
        """Tell whether a company other than the desk's runs it."""
        return self.region not in {"local", "yours"}

    def region_at(self, url: str | None) -> Region:
        """Return where data goes when the route is used at another address than its own."""
        if url is None or (self.region == "local" and _is_this_machine(url)):
            return self.region
        if self.url is not None and _host(url) == _host(self.url):
            return self.region
        return region_of(url)


@dataclass(frozen=True, slots=True)
class Load:
    """What a desk asks of a model in a month; tokens are those of one ticket."""

    tickets: int
    prompt_tokens: int = PROMPT_TOKENS
    reply_tokens: int = REPLY_TOKENS

    def cost_usd(self, route: Route) -> float | None:
        """Return what the month costs, None where the route's tokens have no price."""
        if route.status == "retired":
            return None
        ticket = cost_usd(route.input_usd, route.output_usd, self.prompt_tokens, self.reply_tokens)
        return None if ticket is None else self.tickets * ticket


def cost_usd(
    input_usd: float | None, output_usd: float | None, prompt_tokens: int, completion_tokens: int
) -> float | None:
    """Return the price of a call from prices per million tokens, None where one is unknown."""
    if input_usd is None or output_usd is None:
        return None
    return (prompt_tokens * input_usd + completion_tokens * output_usd) / 1e6


def read_routes(path: Path = CATALOGUE) -> dict[str, Route]:
    """Return the routes of a catalogue by name.

    Raises:
        CatalogueError: The file or one of its tables cannot be used.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(path=path, reason=str(error)) from error
    return {name: _route(path, name, table) for name, table in tables.items()}


def region_of(url: str) -> Region:
    """Return "yours" for a server on this machine or in a private network, else "unknown".

    Anybody may stand behind a public address: what goes there is treated as if a company read it.
    """
    host = _host(url)
    try:
        return "yours" if ipaddress.ip_address(host).is_private else "unknown"
    except ValueError:
        is_near = "." not in host or host.endswith(NEAR)
        return "yours" if is_near else "unknown"


def is_allowed(region: Region, regions: Collection[str] | None) -> bool:
    """Tell whether a desk's data may go to a region; `regions` is None where it names none.

    What stays on this machine is always allowed; where nobody knows where data goes, only a desk
    that named no regions sends any.
    """
    if region == "local" or regions is None:
        return True
    return region != "unknown" and region in regions


def may_replace(failed: Region, region: Region, regions: Collection[str] | None) -> bool:
    """Tell whether a route in a region may stand in for one that failed.

    A desk that named no regions chose one with its route, and stays there.
    """
    return is_allowed(region, {failed} if regions is None else regions)


def _route(path: Path, name: str, table: object) -> Route:
    if not isinstance(table, dict):
        raise CatalogueError(path=path, reason=f"{name} is no table")
    try:
        return TypeAdapter(Route).validate_python({"name": name, **table})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join([name, *map(str, first["loc"])])
        raise CatalogueError(path=path, reason=f"{place}: {first['msg']}") from None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")


def _is_this_machine(url: str) -> bool:
    host = _host(url)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
