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
from rag.attribute import Supports, attribute
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
    request_hash: str | None
    prompt_version: str | None
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

    `recall` returns an earlier reply to a request with this hash, `search` further hits;
    `supports` tells whether passages support a claim.
    """

    reply_tokens: int
    style: Style
    masking: Masking | None
    encoder: QueryEncoder
    counter: TokenCounter
    supports: Supports
    recall: Callable[[str], str | None]
    search: Callable[[str], Sequence[Hit]] | None


def reserved_tokens(route: Model, reply_tokens: int, *, looks: bool) -> int:
    """Return what a window keeps free beside the reply: for a second search, or a second try."""
    if route.window_tokens < ROOMY_TOKENS:
        return 0
    # Most replies are half as long as they may be.
    again = reply_tokens // 2 + REPAIR_TOKENS
    return max(again, lookup.RESERVED_TOKENS) if looks else again


@dataclass
class _Reply:
    """One reply on its way: as the model writes it, and as text with the real values."""

    raw: str = ""
    text: str = ""
    unknown: list[str] = field(default_factory=list)


class Writing:
    """Iterate over `pieces`, then read `text`, `prompt`, `incomplete`, `attribution`, `calls`."""

    def __init__(self, writer: Writer, fitted: Prompt, brief: Brief, stop: threading.Event) -> None:
        """Prepare; nothing is asked yet."""
        self.prompt = fitted
        self.incomplete: str | None = "stopped"
        self.attribution = Attribution.MODEL
        self.calls: list[Call] = []
        self._writer = writer
        self._brief = brief
        self._stop = stop
        self._messages: list[Any] = list(fitted.messages)
        self._reply = _Reply()

    def pieces(self) -> Generator[str, None, None]:
        """Yield the reply in pieces as it comes; what was mended is in `text` alone.

        Raises:
            RagError: Nothing came.
        """
        tools = {"tools": [lookup.TOOL]} if self._brief.search else {}
        call = yield from self._shown(self._reply, tools)
        if call.completion.tool_calls and call.completion.incomplete is None:
            self._look_up(call)
            # What it said before it looked is no part of the reply.
            self._reply = _Reply()
            call = yield from self._shown(self._reply, NO_EXTRAS)
        self.incomplete = call.completion.incomplete
        if self.incomplete is None:
            try:
                yield from self._mended()
            finally:
                self.incomplete = self._flaw()

    @property
    def text(self) -> str:
        """Return the reply, as far as it came, with the real values."""
        return self._reply.text

    @property
    def route(self) -> Model:
        """Return the route that is asked."""
        return self._writer.route

    @property
    def was_asked(self) -> bool:
        """Tell whether the route showed how it is: neither the record nor the agent ended it."""
        outcomes = {call.outcome for call in self.calls}
        return bool(outcomes - {CACHED, "stopped"})

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

    def _shown(self, reply: _Reply, extras: Mapping[str, Any]) -> Generator[str, None, Call]:
        """Ask, and yield what comes as text with markers and without placeholders."""
        sent = {**(shape.JSON_EXTRAS if self.style.as_json else {}), **extras}
        known = request_hash(self.route, self._messages, self._brief.reply_tokens, sent)
        call = Call(self.route, known, self.style.version, Completion(stop=self._stop))
        self.calls.append(call)
        asked = self._asked(call, sent)
        with closing(asked), closing(self._readable(asked, reply)) as readable:
            for piece in readable:
                reply.text += piece
                yield piece
        if self.style.as_json and call.completion.incomplete is None:
            # What stood around the JSON has been shown, and is no part of the reply.
            reply.unknown.clear()
            text = iter([shape.as_text(reply.raw)])
            reply.text = "".join(self._unmasked(text, reply.unknown))
        return call

    def _readable(self, raw: Iterator[str], reply: _Reply) -> Generator[str, None, None]:
        def keep(piece: str) -> None:
            reply.raw += piece

        text = shape.as_pieces(raw, keep) if self.style.as_json else _each(raw, keep)
        yield from self._unmasked(text, reply.unknown)

    def _unmasked(self, text: Iterator[str], unknown: list[str]) -> Iterator[str]:
        masking = self._brief.masking
        return text if masking is None else masking.unmask_pieces(text, unknown)

    def _asked(self, call: Call, extras: Mapping[str, Any]) -> Generator[str, None, None]:
        """Yield what the model writes, or what it wrote when it was asked the same before."""
        earlier = self._brief.recall(str(call.request_hash))
        if earlier is not None:
            call.outcome = CACHED
            call.completion.incomplete = None
            call.reply = earlier
            yield earlier
            return
        yield from self._requested(call, extras)

    def _requested(self, call: Call, extras: Mapping[str, Any]) -> Generator[str, None, None]:
        begun = time.perf_counter()
        limit = self._brief.reply_tokens
        stream = self._writer.chat.stream(self._messages, limit, call.completion, extras)
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
        if self._is_sound(self._reply):
            return
        try:
            if self._has_room():
                yield from self._repaired()
        finally:
            # Whoever leaves meanwhile leaves a whole reply.
            if self.attribution == Attribution.MODEL:
                self._attribute()

    def _has_room(self) -> bool:
        """Tell whether the window takes the reply and the wish for another one as well."""
        try:
            said = self._brief.counter.count_text(self._reply.raw)
        except RagError:
            return False
        needed = self.prompt.tokens + said + REPAIR_TOKENS + self._brief.reply_tokens
        return needed <= self.route.window_tokens

    def _repaired(self) -> Generator[str, None, None]:
        hits, before = self.prompt.hits, list(self._messages)
        again = _Reply()
        self._messages = [*before, *prompt.repair(self._reply.raw, len(hits), self.style)]
        try:
            with closing(self._shown(again, NO_EXTRAS)) as pieces:
                for _ in pieces:
                    # What is shown already stays until the better reply is whole.
                    yield ""
        except RagError:
            return
        finally:
            self._messages = before
        whole = self.calls[-1].completion.incomplete is None
        # An excuse without a source would be sound, and no better.
        if whole and markers_in(again.text) and self._is_sound(again):
            self._reply = again
            self.attribution = Attribution.REPAIRED

    def _is_sound(self, reply: _Reply) -> bool:
        if self.style.as_json and shape.is_broken(reply.raw):
            return False
        return is_sound(reply.text, self.prompt.hits)

    def _attribute(self) -> None:
        hits = self.prompt.hits
        known = normalise(self.text, len(hits))
        self._reply.text = attribute(known, hits, self._brief.encoder, self._brief.supports)
        if self.text != known:
            self.attribution = Attribution.AFTERWARDS

    def _flaw(self) -> str | None:
        """Say why a reply that came to its end cannot be used as it is."""
        if self._reply.unknown:
            # It made up a placeholder: nobody knows whose name is meant.
            return "placeholder"
        is_broken = self.style.as_json and shape.is_broken(self._reply.raw)
        return "malformed" if is_broken else None


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
