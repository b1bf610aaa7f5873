"""Language models, with our own patience, retries and notion of "finished"."""

import random
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag.errors import ModelUnavailableError, RagError
from rag.models import Model
from rag.provider import ProviderStream, Request, StoppedError, ToolCall, Usage
from rag.tokens import Messages

ATTEMPTS = 3
MAX_PAUSE_SECONDS = 10.0
JITTER = random.SystemRandom()
NO_EXTRAS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a model may take to its first words, between words, and in all."""

    first: float
    next: float
    total: float


HOSTED = Patience(first=12.0, next=15.0, total=90.0)
# A server of one's own may have to load the model first, and write without an accelerator.
OWN = Patience(first=60.0, next=15.0, total=300.0)


def patience_with(model: Model, first_seconds: float) -> Patience:
    """Return a model's patience with another time to its first words; 0 leaves it as it is."""
    usual = HOSTED if model.hosted else OWN
    if not first_seconds:
        return usual
    return Patience(first_seconds, usual.next, max(usual.total, first_seconds + usual.next))


@dataclass
class Completion:
    """What is known of a reply once its stream has ended; set `stop` to end it before."""

    usage: Usage = field(default_factory=Usage)
    # Why the reply is not whole: "cut", "stalled", "length", "empty", "stopped"; None if it is.
    incomplete: str | None = "stopped"
    stop: threading.Event = field(default_factory=threading.Event, compare=False)
    tool_calls: list[ToolCall] = field(default_factory=list, compare=False)
    # What the provider says it ran, and the seconds until its first words.
    revision: str | None = field(default=None, compare=False)
    first_seconds: float | None = field(default=None, compare=False)


class ChatModel(Protocol):
    """Writes a reply to a prompt."""

    def stream(
        self,
        messages: Messages,
        max_tokens: int,
        completion: Completion,
        extras: Mapping[str, Any] = NO_EXTRAS,
    ) -> Generator[str, None, None]:
        """Yield the reply in pieces and fill in `completion`, at the latest when it is closed.

        An empty piece says that it is still waited for. `extras` are further fields of the chat
        completions API, such as `response_format` and `tools`.

        Raises:
            RagError: Nothing came: the model is unknown, refused, silent or out of reach.
        """


class LiteLlmModel:
    """Any model that LiteLLM reaches."""

    def __init__(self, model: Model, patience: Patience | None = None) -> None:
        """Prepare to ask; unless told otherwise a hosted model has less time than one's own."""
        self._model = model
        self._patience = patience or (HOSTED if model.hosted else OWN)

    def stream(
        self,
        messages: Messages,
        max_tokens: int,
        completion: Completion,
        extras: Mapping[str, Any] = NO_EXTRAS,
    ) -> Generator[str, None, None]:
        """Yield the reply in pieces; only what failed before the first piece is tried again."""
        request = Request(messages, max_tokens, extras)
        deadline = time.monotonic() + self._patience.total
        for attempt in range(1, ATTEMPTS + 1):
            source = ProviderStream(self._model, request, self._patience.first)
            try:
                first = yield from source.take(self._patience.first, completion.stop)
            except StoppedError:
                return
            except ModelUnavailableError:
                pause = source.retry_after or JITTER.uniform(0, 2**attempt)
                # Who wants to be left alone for longer is left alone: others can write meanwhile.
                too_late = (
                    pause > MAX_PAUSE_SECONDS
                    or time.monotonic() + pause + self._patience.first > deadline
                )
                if attempt == ATTEMPTS or not source.retryable or too_late:
                    raise
                completion.stop.wait(pause)
                continue
            yield from self._rest(first, source, completion, deadline)
            return

    def _rest(
        self, first: str | None, source: ProviderStream, completion: Completion, deadline: float
    ) -> Generator[str, None, None]:
        piece = first
        try:
            while piece is not None:
                yield piece
                patience = min(self._patience.next, deadline - time.monotonic())
                piece = yield from source.take(max(patience, 0.0), completion.stop)
        except StoppedError:
            completion.incomplete = "stopped"
        except RagError:
            # Whatever its name, the failure came too late to be anything but a broken reply.
            completion.incomplete = "stalled" if source.silent else "cut"
        else:
            completion.incomplete = source.ending(empty=first is None)
        finally:
            # The caller may stop early: the reader must not go on filling memory.
            source.abandon()
            completion.usage = source.counted
            completion.tool_calls = source.tool_calls
            completion.revision = source.revision
            completion.first_seconds = source.first_seconds
