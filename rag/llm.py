"""Language models through LiteLLM, with our own patience, retries and notion of "finished".

LiteLLM is imported here only, and only when a model is called.
"""

import os
import queue
import random
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

from rag.errors import MissingKeyError, ModelUnavailableError, RagError, UnknownModelError
from rag.models import Model
from rag.tokens import Messages

FIRST_TOKEN_SECONDS = 60.0
NEXT_TOKEN_SECONDS = 15.0
TOTAL_SECONDS = 180.0
POLL_SECONDS = 0.1
ATTEMPTS = 3
TEMPERATURE = 0.1
JITTER = random.SystemRandom()


@dataclass
class Usage:
    """Tokens as the provider counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass
class Completion:
    """What is known of a reply once its stream has ended; set `stop` to end it before."""

    usage: Usage = field(default_factory=Usage)
    # Why the reply is not whole: "cut", "stalled", "length", "empty", "stopped"; None if it is.
    incomplete: str | None = "stopped"
    stop: threading.Event = field(default_factory=threading.Event, compare=False)


class ChatModel(Protocol):
    """Writes a reply to a prompt."""

    def stream(
        self, messages: Messages, max_tokens: int, completion: Completion
    ) -> Generator[str, None, None]:
        """Yield the reply in pieces and fill in `completion`, at the latest when it is closed.

        Raises:
            RagError: Nothing came: the model is unknown, refused, silent or out of reach.
        """


class _StoppedError(Exception):
    """Somebody does not want the rest of the reply."""


class LiteLlmModel:
    """Any model that LiteLLM reaches."""

    def __init__(self, model: Model, first_token_seconds: float | None = None) -> None:
        self._model = model
        self._patience = first_token_seconds or FIRST_TOKEN_SECONDS

    def stream(
        self, messages: Messages, max_tokens: int, completion: Completion
    ) -> Generator[str, None, None]:
        """Yield the reply in pieces; only what failed before the first piece is tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            pieces = _Pieces(self._model, messages, max_tokens, self._patience)
            try:
                first = pieces.take(self._patience, completion.stop)
            except _StoppedError:
                return
            except ModelUnavailableError:
                if attempt == ATTEMPTS or not pieces.retryable:
                    raise
                completion.stop.wait(min(pieces.retry_after or JITTER.uniform(0, 2**attempt), 10))
                continue
            yield from self._rest(first, pieces, completion)
            return

    def _rest(
        self, first: str | None, pieces: "_Pieces", completion: Completion
    ) -> Generator[str, None, None]:
        deadline = time.monotonic() + TOTAL_SECONDS
        piece = first
        try:
            while piece is not None:
                yield piece
                patience = min(NEXT_TOKEN_SECONDS, deadline - time.monotonic())
                piece = pieces.take(max(patience, 0.0), completion.stop)
        except _StoppedError:
            completion.incomplete = "stopped"
        except RagError:
            # Whatever its name, the failure came too late to be anything but a broken reply.
            completion.incomplete = "stalled" if pieces.silent else "cut"
        else:
            completion.incomplete = pieces.ending(empty=first is None)
        finally:
            # The caller may stop early: the reader must not go on filling memory.
            pieces.abandon()
            completion.usage = pieces.counted


class _Pieces:
    """Reads a provider's stream on a thread of its own, so that silence can be timed."""

    def __init__(
        self, model: Model, messages: Messages, max_tokens: int, patience_seconds: float
    ) -> None:
        self.retryable = False
        self.retry_after: float | None = None
        self.silent = False
        self._model = model
        self._patience = patience_seconds
        self._usage = Usage()
        self._finish: str | None = None
        self._started = False
        self._abandoned = threading.Event()
        self._queue: queue.Queue[str | RagError | None] = queue.Queue()
        threading.Thread(target=self._read, args=(messages, max_tokens), daemon=True).start()

    def take(self, timeout_seconds: float, stop: threading.Event) -> str | None:
        """Return the next piece, or None at the end."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            # Before each piece too: one that streams fast never leaves the queue empty.
            self._check(deadline, timeout_seconds, stop)
            try:
                item = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, RagError):
                raise item
            return item

    def _check(self, deadline: float, timeout_seconds: float, stop: threading.Event) -> None:
        if stop.is_set():
            self.abandon()
            raise _StoppedError
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
        if empty:
            return "empty"
        if self._finish == "length":
            return "length"
        return None if self._finish == "stop" else "cut"

    def abandon(self) -> None:
        """Stop reading at the next piece."""
        self._abandoned.set()

    def _read(self, messages: Messages, max_tokens: int) -> None:
        try:
            litellm = _litellm()
            stream = litellm.completion(**self._arguments(messages, max_tokens))
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

    def _arguments(self, messages: Messages, max_tokens: int) -> dict[str, Any]:
        key = self._model.key or ("none" if self._model.url else None)
        return {
            "model": self._model.id,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": TEMPERATURE,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_retries": 0,
            "timeout": self._patience,
            "api_base": self._model.url or None,
            "api_key": key,
            **self._model.arguments,
        }

    def _accept(self, chunk: Any) -> None:
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._usage = Usage(usage.prompt_tokens, usage.completion_tokens)
        if chunk.choices and (text := chunk.choices[0].delta.content):
            self._started = True
            self._queue.put(text)

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


def _litellm() -> ModuleType:
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
