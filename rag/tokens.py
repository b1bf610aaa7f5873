"""How many tokens a prompt is, counted by the model's own tokenizer with its chat template."""

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import httpx

from rag.errors import ModelUnavailableError
from rag.models import Model

if TYPE_CHECKING:
    from mistral_common.protocol.instruct.messages import ChatMessage
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

SERVER_TIMEOUT_SECONDS = 10
# Mistral's tokenizer on text of six languages stays within this factor of other models' counts.
ESTIMATE_MARGIN = 1.3


class ChatMessageDict(TypedDict):
    """One message of a prompt, as providers take it."""

    role: str
    content: str


Messages = Sequence[ChatMessageDict]


class TokenCounter(Protocol):
    """Counts prompts for one model; `exact` tells whether the provider will count the same."""

    exact: bool

    def count(self, messages: Messages) -> int:
        """Return the tokens of a whole prompt, chat template included."""

    def count_text(self, text: str) -> int:
        """Return about how many tokens a text adds to a prompt."""


class MistralTokens:
    """Mixtral's real tokenizer: version 1 for 8x7B, version 3 for 8x22B."""

    exact = True

    def __init__(self, version: str) -> None:
        self._tokenizer = _mistral(version)

    def count(self, messages: Messages) -> int:
        """Return the tokens of a whole prompt, chat template included."""
        from mistral_common.protocol.instruct.request import ChatCompletionRequest

        request: ChatCompletionRequest[ChatMessage] = ChatCompletionRequest(
            messages=[_mistral_message(message) for message in messages]
        )
        return len(self._tokenizer.encode_chat_completion(request).tokens)

    def count_text(self, text: str) -> int:
        """Return the tokens of a text by itself."""
        return len(self._tokenizer.instruct_tokenizer.tokenizer.encode(text, bos=False, eos=False))


class ChatMlTokens:
    """Mixtral's tokenizer where a fine-tune takes ChatML.

    The markers may be tokens of their own; they are counted as text, so that the count is an upper
    bound.
    """

    exact = False

    def __init__(self, version: str) -> None:
        self._tokens = MistralTokens(version)

    def count(self, messages: Messages) -> int:
        """Return an upper bound for a whole prompt, chat template included."""
        turns = [f"<|im_start|>{part['role']}\n{part['content']}<|im_end|>\n" for part in messages]
        return 1 + sum(map(self.count_text, [*turns, "<|im_start|>assistant\n"]))

    def count_text(self, text: str) -> int:
        """Return the tokens of a text by itself."""
        return self._tokens.count_text(text)


class ServerTokens:
    """The tokenizer of a llama.cpp server, asked over HTTP: exact for whatever it serves."""

    exact = True

    def __init__(self, url: str, name: str = "The model's server") -> None:
        """Ask the server at an address; errors call it by the name, for a URL may hold a secret."""
        self._root = url.rstrip("/").removesuffix("/v1")
        self._name = name

    @property
    def available(self) -> bool:
        """Tell whether the server counts tokens."""
        try:
            return self.count([{"role": "user", "content": "hello"}]) > 0
        except ModelUnavailableError:
            return False

    def count(self, messages: Messages) -> int:
        """Return the tokens of a whole prompt, chat template included."""
        asked = {"messages": list(messages)}
        return int(self._ask("/v1/chat/completions/input_tokens", asked, "input_tokens"))

    def count_text(self, text: str) -> int:
        """Return the tokens of a text by itself."""
        return len(self._ask("/tokenize", {"content": text, "add_special": False}, "tokens"))

    def _ask(self, path: str, body: dict[str, Any], wanted: str) -> Any:
        # A connection each: this server closes kept ones that it had promised to keep.
        try:
            answer = httpx.post(self._root + path, json=body, timeout=SERVER_TIMEOUT_SECONDS)
            answer.raise_for_status()
            return answer.json()[wanted]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            reason = "its server does not count tokens"
            raise ModelUnavailableError(model=self._name, reason=reason) from error


class EstimatedTokens:
    """A cautious estimate for models whose tokenizer is not at hand."""

    exact = False

    def __init__(self) -> None:
        self._counter = MistralTokens("v1")

    def count(self, messages: Messages) -> int:
        """Return an upper estimate for a whole prompt."""
        return math.ceil(ESTIMATE_MARGIN * self._counter.count(messages))

    def count_text(self, text: str) -> int:
        """Return an upper estimate for a text."""
        return math.ceil(ESTIMATE_MARGIN * self._counter.count_text(text))


def counter(model: Model) -> TokenCounter:
    """Return the counter of a model."""
    if model.tokenizer.startswith("mistral-"):
        version = model.tokenizer.removeprefix("mistral-")
        return ChatMlTokens(version) if model.template == "chatml" else MistralTokens(version)
    if model.url:
        server = ServerTokens(model.url, model.name)
        if server.available:
            return server
    return EstimatedTokens()


@cache
def _mistral(version: str) -> "MistralTokenizer[Any, Any, Any, Any, Any]":
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    return {"v1": MistralTokenizer.v1, "v3": MistralTokenizer.v3}[version]()


def _mistral_message(message: ChatMessageDict) -> "ChatMessage":
    from mistral_common.protocol.instruct.messages import (
        AssistantMessage,
        SystemMessage,
        UserMessage,
    )

    match message["role"]:
        case "system":
            return SystemMessage(content=message["content"])
        case "assistant":
            return AssistantMessage(content=message["content"])
        case _:
            return UserMessage(content=message["content"])
