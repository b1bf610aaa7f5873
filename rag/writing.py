"""One route's reply to a prompt: asked for, shown as it comes, and its sources mended."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from ingest.query_encoder import QueryEncoder
from rag import lookup, prompt, shape
from rag.attribute import attribute
from rag.budget import Prompt
from rag.calls import record_call
from rag.cite import cite, markers_in, normalise
from rag.errors import RagError
from rag.llm import NO_EXTRAS, ChatModel, Completion
from rag.mask import Masking
from rag.models import Model
from rag.prompt import Style
from rag.provider import Usage
from rag.replies import COMPLETE, request_hash
from rag.retrieve import Hit
from rag.tables import Attribution
from rag.tokens import TokenCounter

CACHED = "cached"
# More than the request to write a reply again takes.
REPAIR_TOKENS = 150
# A smaller window has no room for a second request beside the passages.
ROOMY_TOKENS = 8_192
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Writer:
    """A language model that writes drafts: its route and the connection to it.

    Where it fails, `stand_ins` are asked in turn and the embedded drafter at last; where they are
    None, somebody wants this model or none.
    """

    route: Model
    chat: ChatModel
    stand_ins: "tuple[Writer, ...] | None" = None


@dataclass
class Call:
    """One request to a route, and what came of it; `reply` is what the model itself wrote."""

    route: Model
    request_hash: str
    prompt_version: str
    completion: Completion
    id: str = field(default_factory=lambda: uuid4().hex)
    reply: str = ""
    outcome: str = "stopped"
    seconds: float = 0.0

    @property
    def cost_usd(self) -> float | None:
        """Return what it cost, None where the provider or its price list does not tell."""
        usage = self.completion.usage
        if self.outcome == CACHED:
            return 0.0
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        return self.route.cost_usd(usage.prompt_tokens, usage.completion_tokens)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reply is written with, beside the prompt.

    `recall` returns an earlier reply to a request with this hash, `search` further hits.
    """

    reply_tokens: int
    style: Style
    masking: Masking | None
    encoder: QueryEncoder
    counter: TokenCounter
    recall: Callable[[str], str | None]
    search: Callable[[str], Sequence[Hit]] | None


def reserved_tokens(route: Model, reply_tokens: int, *, looks: bool) -> int:
    """Return what a window keeps free beside the reply: for a second search, or a second try."""
    if route.window_tokens < ROOMY_TOKENS:
        return 0
    # Most replies are half as long as they may be.
    again = reply_tokens // 2 + REPAIR_TOKENS
    return max(again, lookup.RESERVED_TOKENS) if looks else again


class Writing:
    """Iterate over `pieces`, then read `text`, `prompt`, `incomplete`, `attribution`, `calls`."""

    def __init__(self, writer: Writer, fitted: Prompt, brief: Brief, stop: threading.Event) -> None:
        """Prepare; nothing is asked yet."""
        self.prompt = fitted
        self.text = ""
        self.incomplete: str | None = "stopped"
        self.attribution = Attribution.MODEL
        self.calls: list[Call] = []
        self._writer = writer
        self._brief = brief
        self._stop = stop
        self._messages: list[Any] = list(fitted.messages)
        self._raw = ""
        self._unknown: list[str] = []

    def pieces(self) -> Generator[str, None, None]:
        """Yield the reply in pieces as it comes; what was mended is in `text` alone.

        Raises:
            RagError: Nothing came.
        """
        tools = {"tools": [lookup.TOOL]} if self._brief.search else {}
        call = yield from self._shown(self._messages, tools)
        if call.completion.tool_calls and self._brief.search:
            self._look_up(call)
            call = yield from self._shown(self._messages, NO_EXTRAS)
        self.incomplete = call.completion.incomplete
        if self.incomplete is None:
            yield from self._mended()
        if self._unknown and self.incomplete is None:
            # It made up a placeholder: nobody knows whose name is meant.
            self.incomplete = "placeholder"

    @property
    def route(self) -> Model:
        """Return the route that is asked."""
        return self._writer.route

    @property
    def style(self) -> Style:
        """Return what the prompt says beside rules and data."""
        return self._brief.style

    @property
    def masked(self) -> dict[str, int]:
        """Return how many values of each kind the model does not see."""
        masking = self._brief.masking
        return {str(kind): count for kind, count in masking.counts().items()} if masking else {}

    @property
    def usage(self) -> Usage:
        """Return the tokens of all requests together, None where one is not known."""
        counts = [call.completion.usage for call in self.calls if call.outcome != CACHED]
        return Usage(
            _sum([usage.prompt_tokens for usage in counts]),
            _sum([usage.completion_tokens for usage in counts]),
        )

    @property
    def cost_usd(self) -> float | None:
        """Return what all requests cost together, None where one is not known."""
        return _sum([call.cost_usd for call in self.calls])

    def _shown(
        self, messages: Sequence[Any], extras: Mapping[str, Any]
    ) -> Generator[str, None, Call]:
        """Ask, and yield what comes as text with markers and without placeholders."""
        call = self._call(messages, extras)
        self._raw = ""
        asked = self._asked(call, messages, extras)
        with closing(asked), closing(self._readable(asked)) as readable:
            for piece in readable:
                self.text += piece
                yield piece
        return call

    def _readable(self, raw: Iterator[str]) -> Generator[str, None, None]:
        def keep(piece: str) -> None:
            self._raw += piece

        if self._brief.style.as_json:
            text: Iterator[str] = shape.as_pieces(raw, keep)
        else:
            text = _each(raw, keep)
        if self._brief.masking is None:
            yield from text
        else:
            yield from self._brief.masking.unmask_pieces(text, self._unknown)

    def _call(self, messages: Sequence[Any], extras: Mapping[str, Any]) -> Call:
        route, style = self._writer.route, self._brief.style
        sent = {**(shape.JSON_EXTRAS if style.as_json else {}), **extras}
        known = request_hash(route, messages, self._brief.reply_tokens, sent)
        call = Call(route, known, style.version, Completion(stop=self._stop))
        self.calls.append(call)
        return call

    def _asked(
        self, call: Call, messages: Sequence[Any], extras: Mapping[str, Any]
    ) -> Generator[str, None, None]:
        """Yield what the model writes, or what it wrote when it was asked the same before."""
        earlier = self._brief.recall(call.request_hash)
        if earlier is not None:
            call.outcome = CACHED
            call.completion.incomplete = None
            call.reply = earlier
            yield earlier
            return
        yield from self._requested(call, messages, extras)

    def _requested(
        self, call: Call, messages: Sequence[Any], extras: Mapping[str, Any]
    ) -> Generator[str, None, None]:
        begun = time.perf_counter()
        sent = {**(shape.JSON_EXTRAS if self._brief.style.as_json else {}), **extras}
        stream = self._writer.chat.stream(messages, self._brief.reply_tokens, call.completion, sent)
        try:
            with closing(stream):
                for piece in stream:
                    call.reply += piece
                    yield piece
        except RagError as error:
            call.outcome = error.code
            raise
        else:
            call.outcome = call.completion.incomplete or COMPLETE
        finally:
            call.seconds = time.perf_counter() - begun
            _report(call)

    def _look_up(self, call: Call) -> None:
        search, masking = self._brief.search, self._brief.masking
        if search is None:
            return

        def found(query: str) -> Sequence[Hit]:
            return search(masking.unmask(query).text if masking else query)

        calls = call.completion.tool_calls
        further = lookup.Lookup(calls, self.prompt, found, self._brief.counter)
        self._messages += further.messages
        self.prompt = further.prompt

    def _mended(self) -> Generator[str, None, None]:
        """See that facts name their passages: ask once more, else find the passages afterwards."""
        hits = self.prompt.hits
        if is_sound(self.text, hits):
            return
        again = [*self._messages, *prompt.repair(self._raw, len(hits), self._brief.style)]
        needed = self.prompt.tokens + self._brief.counter.count_text(self._raw) + REPAIR_TOKENS
        if needed + self._brief.reply_tokens <= self._writer.route.window_tokens:
            yield from self._repaired(again)
        if self.attribution == Attribution.MODEL:
            self._attribute()

    def _repaired(self, messages: Sequence[Any]) -> Generator[str, None, None]:
        before = self.text, self._raw, list(self._unknown)
        self.text = ""
        try:
            with closing(self._shown(messages, NO_EXTRAS)) as pieces:
                for _ in pieces:
                    # What is shown already stays until the better reply is whole.
                    yield ""
        except RagError:
            self.text, self._raw, self._unknown = before
            return
        whole = self.calls[-1].completion.incomplete is None
        if whole and self.text.strip() and is_sound(self.text, self.prompt.hits):
            self.attribution = Attribution.REPAIRED
        else:
            self.text, self._raw, self._unknown = before

    def _attribute(self) -> None:
        hits = self.prompt.hits
        known = normalise(self.text, len(hits))
        self.text = attribute(known, hits, self._brief.encoder)
        if self.text != known:
            self.attribution = Attribution.AFTERWARDS


def is_sound(text: str, hits: Sequence[Hit]) -> bool:
    """Tell whether every marker names a passage, and there are some where facts are stated."""
    markers = markers_in(text)
    if any(not 1 <= marker <= len(hits) for marker in markers):
        return False
    return bool(markers) or prompt.NO_ANSWER in text or not cite(text, hits)


def _each(raw: Iterator[str], keep: Callable[[str], None]) -> Iterator[str]:
    for piece in raw:
        keep(piece)
        yield piece


def _sum(values: Sequence[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _report(call: Call) -> None:
    usage = call.completion.usage
    record_call(
        {
            "id": call.id,
            "route": call.route.name,
            "revision": call.completion.revision,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cost_usd": call.cost_usd,
            "seconds": round(call.seconds, 3),
            "first_seconds": call.completion.first_seconds,
            "prompt_version": call.prompt_version,
            "outcome": call.outcome,
        }
    )
