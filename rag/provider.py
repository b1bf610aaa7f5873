"""One request to a provider through LiteLLM, read on a thread of its own.

LiteLLM is imported here only, and only when a model is called.
"""

import os
import queue
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ingest.db import storable
from rag.errors import MissingKeyError, ModelUnavailableError, RagError, UnknownModelError
from rag.models import Model
from rag.tokens import Messages

POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 1.0
TEMPERATURE = 0.1


@dataclass
class Usage:
    """Tokens as the provider counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass
class ToolCall:
    """A function that the model wants called; `arguments` is JSON as the model wrote it."""

    id: str
    name: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: `extras` are further fields of the chat completions API."""

    messages: Messages
    max_tokens: int
    extras: Mapping[str, Any]


class StoppedError(Exception):
    """Somebody does not want the rest of the reply."""


class ProviderStream:
    """Reads a provider's stream on a thread of its own, so that silence can be timed."""

    def __init__(self, model: Model, request: Request, patience_seconds: float) -> None:
        """Send the request."""
        self.retryable = False
        self.retry_after: float | None = None
        self.silent = False
        self.tool_calls: list[ToolCall] = []
        self.revision: str | None = None
        self.first_seconds: float | None = None
        self._begun = time.perf_counter()
        self._model = model
        self._patience = patience_seconds
        self._offers_tools = "tools" in request.extras
        self._usage = Usage()
        self._finish: str | None = None
        self._started = False
        self._abandoned = threading.Event()
        self._queue: queue.Queue[str | RagError | None] = queue.Queue()
        threading.Thread(target=self._read, args=(request,), daemon=True).start()

    def take(
        self, timeout_seconds: float, stop: threading.Event
    ) -> Generator[str, None, str | None]:
        """Return the next piece, or None at the end; yield nothing each second until it is there.

        Raises:
            StoppedError: Nobody wants it any more.
            RagError: It did not come.
        """
        begun = beaten = time.monotonic()
        while True:
            # Before each piece too: one that streams fast never leaves the queue empty.
            self._check(begun + timeout_seconds, timeout_seconds, stop)
            try:
                item = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() - beaten >= HEARTBEAT_SECONDS:
                    beaten = time.monotonic()
                    yield ""
                continue
            if isinstance(item, RagError):
                raise item
            return item

    def _check(self, deadline: float, timeout_seconds: float, stop: threading.Event) -> None:
        if stop.is_set():
            self.abandon()
            raise StoppedError
        if time.monotonic() > deadline:
            self.silent = True
            self.abandon()
            reason = f"no answer within {timeout_seconds:.0f} seconds"
            raise ModelUnavailableError(model=self._model.name, reason=reason)

    @property
    def counted(self) -> Usage:
        """Return what the provider counted; of a stream that was cut, LiteLLM invents counts."""
        return self._usage if self._finish else Usage()

    def ending(self, *, empty: bool) -> str | None:
        """Say why the reply is not whole; None if the provider itself called it finished."""
        if self.tool_calls:
            # Of tools that nobody offered nothing comes.
            is_whole = self._offers_tools and self._finish in {"tool_calls", "stop"}
            return None if is_whole else "cut"
        if empty:
            return "empty"
        if self._finish == "length":
            return "length"
        return None if self._finish == "stop" else "cut"

    def abandon(self) -> None:
        """Stop reading at the next piece."""
        self._abandoned.set()

    def _read(self, request: Request) -> None:
        try:
            litellm = load()
            stream = litellm.completion(**self._arguments(request))
            for chunk in stream:
                self._accept(chunk)
                if self._abandoned.is_set():
                    break
            # LiteLLM invents finish_reason "stop" for a stream that was cut; this it does not.
            self._finish = getattr(stream, "received_finish_reason", None)
            # Counts too: where the provider sent none, LiteLLM guesses with another tokenizer.
            if not any(getattr(chunk, "usage", None) for chunk in stream.chunks):
                self._usage = Usage()
            self._queue.put(None if self._finish or self._started else self._nothing())
        except Exception as error:  # noqa: BLE001 (LiteLLM raises dozens of unrelated classes)
            self._queue.put(self._translate(error))

    def _arguments(self, request: Request) -> dict[str, Any]:
        key = self._model.key or ("none" if self._model.url else None)
        return {
            "model": self._model.id,
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": TEMPERATURE,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_retries": 0,
            # A little more than our own timer, which tells silence from a failure.
            "timeout": self._patience + 5,
            "api_base": self._model.url or None,
            "api_key": key,
            # Else LiteLLM takes tools for those of servers that it would ask itself.
            "_skip_mcp_handler": True,
            # The catalogue knows what a route takes; LiteLLM's own list of models is older.
            "allowed_openai_params": list(request.extras),
            **self._model.arguments,
            **request.extras,
        }

    def _accept(self, chunk: Any) -> None:
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._usage = Usage(usage.prompt_tokens, usage.completion_tokens)
        self.revision = getattr(chunk, "system_fingerprint", None) or chunk.model or self.revision
        if not chunk.choices:
            return
        delta = chunk.choices[0].delta
        for part in getattr(delta, "tool_calls", None) or []:
            self._add_tool_call(part)
        # Half a character is no text that could be kept.
        if text := storable(delta.content or ""):
            if not self._started:
                self.first_seconds = time.perf_counter() - self._begun
            self._started = True
            self._queue.put(text)

    def _add_tool_call(self, part: Any) -> None:
        """Add what a chunk tells of a call: its name comes first, its arguments in pieces."""
        if part.index >= len(self.tool_calls):
            self.tool_calls.append(ToolCall(part.id or "", part.function.name or ""))
        self.tool_calls[-1].arguments += part.function.arguments or ""

    def _nothing(self) -> RagError:
        # Cut before the first word, or a web page in place of an answer: LiteLLM sees no error.
        self.retryable = True
        return ModelUnavailableError(model=self._model.name, reason="what it sent is no reply")

    def _translate(self, error: Exception) -> RagError:
        """Say what happened in our words: a provider's own text may repeat secrets."""
        status = getattr(error, "status_code", None)
        kind = type(error).__name__
        # By status: the class LiteLLM picks depends on words in the provider's answer.
        if kind == "AuthenticationError" or status in {401, 403}:
            return MissingKeyError(model=self._model.name)
        if status == 404 or "LLM Provider NOT provided" in str(error):
            return UnknownModelError(model=self._model.name)
        self.retryable = status in {408, 429, 500, 502, 503, 504}
        self.retry_after = _retry_after(error)
        kind = "APIConnectionError" if _never_connected(error) else kind
        return ModelUnavailableError(model=self._model.name, reason=_reason(kind, status))


def load() -> ModuleType:
    """Return LiteLLM, which takes seconds the first time."""
    # Read at import: without it LiteLLM fetches a price list from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    return litellm


def _never_connected(error: BaseException | None) -> bool:
    # LiteLLM calls a closed port a failure of the server; what it was stands behind the error.
    while error is not None:
        if type(error).__name__ in {"ConnectError", "ConnectTimeout"}:
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(kind: str, status: int | None) -> str:
    match kind:
        case "RateLimitError":
            return "it is asked too often at the moment"
        case "Timeout" | "APITimeoutError":
            return "it took too long"
        case "APIConnectionError":
            return "it cannot be reached"
        case "ContextWindowExceededError":
            return "the prompt is too long for it"
        case _:
            return f"its server failed (HTTP {status})" if status else "its server failed"


def _retry_after(error: Exception) -> float | None:
    headers = getattr(error, "litellm_response_headers", None) or {}
    value = str(headers.get("retry-after", ""))
    return float(value) if value.replace(".", "", 1).isdigit() else None
