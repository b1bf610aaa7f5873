"""Which language models there are: the catalogue, and models named by LiteLLM id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.errors import MissingUrlError, RetiredModelError, UnknownModelError
from rag.routes import Region, Route, Template, cost_usd, read_routes, region_of

EXTRACTIVE = "extractive"
"""The embedded drafter, which quotes and needs no model."""
UNLISTED_WINDOW_TOKENS = 4_096
OLLAMA = {"ollama", "ollama_chat"}


@dataclass(frozen=True, slots=True)
class Model:
    """A route to a language model, ready to be asked.

    Prices are per million tokens, None where unknown. `url` is the address of a server of one's
    own, None where the provider's is meant.
    """

    name: str
    id: str
    window_tokens: int
    tokenizer: str
    input_usd: float | None = None
    output_usd: float | None = None
    url: str | None = None
    key: str | None = None
    template: Template = "mistral"
    json_mode: bool = False
    tools: bool = False
    region: Region = "unknown"
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def hosted(self) -> bool:
        """Tell whether a company other than the desk's reads what is sent, or may."""
        return self.region not in {"local", "yours"}

    @property
    def arguments(self) -> dict[str, Any]:
        """Return what LiteLLM is told of this route beside id, address and key."""
        if _provider(self.id) not in OLLAMA:
            return dict(self.parameters)
        # Ollama cuts what does not fit its window without a word, and its own window is small.
        return {**self.parameters, "num_ctx": self.window_tokens}

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the price of a call, None where the route's prices are unknown."""
        return cost_usd(self.input_usd, self.output_usd, prompt_tokens, completion_tokens)


def resolve(
    name: str, *, url: str | None = None, key: str | None = None, window_tokens: int | None = None
) -> Model:
    """Return the model of a catalogue name, or of a LiteLLM id that is not in the catalogue.

    An id that the catalogue does not list is counted with its own server's tokenizer where the
    server offers that, and by a cautious estimate elsewhere. A window larger than a known model's
    own is not believed.

    Raises:
        UnknownModelError: Neither a name in the catalogue nor a LiteLLM id (`provider/model`).
        RetiredModelError: The provider has ended it.
        MissingUrlError: It is a server of one's own, and no address was given.
        CatalogueError: The catalogue cannot be used.
    """
    route = read_routes().get(name)
    if route is not None:
        return _listed(route, url, key, window_tokens)
    if "/" not in name:
        raise UnknownModelError(model=name)
    window = window_tokens or UNLISTED_WINDOW_TOKENS
    region = region_of(url) if url else "unknown"
    return Model(name, name, window, "server", url=_address(name, url), key=key, region=region)


def _listed(route: Route, url: str | None, key: str | None, window: int | None) -> Model:
    if route.status == "retired":
        raise RetiredModelError(model=route.name, reason=route.reason)
    if not (url or route.url):
        raise MissingUrlError(model=route.name)
    parameters = dict(route.parameters)
    if route.hosted and not url:
        parameters["api_base"] = route.url
    return Model(
        route.name,
        route.id,
        _window(route, window),
        route.tokenizer,
        route.input_usd,
        route.output_usd,
        _address(route.id, url or (None if route.hosted else route.url)),
        key,
        route.template,
        route.json_mode,
        route.tools,
        route.region_at(url),
        parameters,
    )


def _window(route: Route, wanted: int | None) -> int:
    if wanted is None:
        return route.window_tokens
    return wanted if route.tokenizer == "server" else min(wanted, route.window_tokens)


def _address(model_id: str, url: str | None) -> str | None:
    if url is None or _provider(model_id) not in OLLAMA:
        return url
    # Its own API does not live under the address of its OpenAI-compatible one.
    return url.rstrip("/").removesuffix("/v1")


def _provider(model_id: str) -> str:
    return model_id.partition("/")[0]
