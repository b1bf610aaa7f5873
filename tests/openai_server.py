"""A scripted server that speaks the chat completions API over real HTTP, with real faults.

Tests enqueue the replies they want, in order; when none is left a responder writes one from the
request, by default an answer that quotes and cites the prompt's first passage::

    with ScriptedServer() as server:
        server.enqueue(Reply("The first half of", fault=Fault.CUT), Reply("All is well. [1]"))
        ...  # talk to server.url
        assert server.requests[0].body["stream"] is True

Faults happen on the wire, not in a mock, because what a client library makes of a cut connection
is exactly what such a test wants to know.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

HOST = "127.0.0.1"
MODEL = "scripted"

PASSAGE = re.compile(r"^\[(?P<marker>\d+)\]\s*(?P<text>\S.*)", re.MULTILINE)
"""A passage in a prompt: its marker at the start of a line, and one line of text after it."""

STREAM_ERROR = "the model server failed in the middle of the answer"
HTML_PAGE = "<html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


class Fault(StrEnum):
    """What goes wrong with a reply. Streams only where so marked; else plain answers too.

    A plain answer that is cut promises its whole length and ends in the middle; one that stalls
    does so there for `Reply.seconds`.
    """

    NONE = "none"
    CUT = "cut"
    """The stream ends in good order after half the chunks: no finish reason, no `[DONE]`."""
    RESET = "reset"
    """The connection breaks off after half the chunks, as when the other side is killed."""
    STALL = "stall"
    """After half the chunks nothing comes for `Reply.seconds`, then the rest does."""
    HTML = "html"
    """Status 200 and a web page, as a proxy or a sign-in portal answers."""
    SSE_ERROR = "sse_error"
    """An error event after half the chunks, then the end (streams only)."""
    EMPTY = "empty"
    """A complete answer without a word in it."""
    LENGTH = "length"
    """Half of the text, with finish reason `length`."""
    HANG = "hang"
    """The request is read and for `Reply.seconds` not one byte comes back; then it is closed."""


@dataclass(frozen=True)
class Reply:
    """One answer of the server.

    Attributes:
        text: What the model says.
        chunk: Characters per streamed chunk.
        delay: Seconds before each chunk.
        status: The HTTP status; from 400 on the body is an error whose message is `text`.
        headers: Extra response headers, such as `Retry-After`.
        finish_reason: Why the model ended.
        fault: What goes wrong.
        seconds: How long a stall or a hang lasts.
        prompt_tokens: Overrides the server's count, which is of whitespace-separated words.
        tool_calls: Functions that the model wants called, each with id, name and arguments.
    """

    text: str = ""
    chunk: int = 8
    delay: float = 0.0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    fault: Fault = Fault.NONE
    seconds: float = 30.0
    prompt_tokens: int | None = None
    tool_calls: tuple[Mapping[str, str], ...] = ()

    @property
    def said(self) -> str:
        """The text that the fault leaves of a complete answer."""
        if self.fault is Fault.EMPTY:
            return ""
        return self.text[: len(self.text) // 2] if self.fault is Fault.LENGTH else self.text

    @property
    def reason(self) -> str:
        """The finish reason as the fault leaves it."""
        if self.fault is Fault.LENGTH:
            return "length"
        return "tool_calls" if self.tool_calls else self.finish_reason

    def chunks(self) -> list[str]:
        """The text in the pieces in which it is streamed."""
        return [self.said[at : at + self.chunk] for at in range(0, len(self.said), self.chunk)]


@dataclass(frozen=True)
class Request:
    """What a client sent: path, headers with lower-case names, and the parsed body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return prompt_text(self.body)


Responder: TypeAlias = Callable[[dict[str, Any]], Reply]


def prompt_text(body: Mapping[str, Any]) -> str:
    """Joins the text of a request's messages, whether given as strings or as parts."""
    contents = [message.get("content") or "" for message in body.get("messages", [])]
    return "\n".join(
        content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
        for content in contents
    )


def quoting(passage: re.Pattern[str] = PASSAGE) -> Responder:
    """Makes a responder that answers with the first sentence of the prompt's first passage.

    Args:
        passage: Finds a passage; its groups `marker` and `text` are used.
    """

    def respond(body: dict[str, Any]) -> Reply:
        found = passage.search(prompt_text(body))
        if found is None:
            return Reply("I could not find this in the manual.")
        sentence = re.split(r"(?<=[.!?])\s", found["text"].strip(), maxsplit=1)[0].rstrip(".!?")
        return Reply(f"According to the manual, {sentence} [{found['marker']}].")

    return respond


class ScriptedServer:
    """The server: a context manager that listens on a free port of this machine.

    Attributes:
        requests: Every chat request so far, oldest first, whatever became of it.
        responder: Writes the reply when the queue is empty.
    """

    def __init__(
        self, responder: Responder | None = None, models: tuple[str, ...] = (MODEL,)
    ) -> None:
        """Prepares a server; it listens only inside `with`."""
        self.responder = responder or quoting()
        self.requests: list[Request] = []
        self.models = models
        self._replies: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The base URL that a client is given, with the `/v1`."""
        if self._http is None:
            raise RuntimeError("the server listens only inside a with block")
        return f"http://{HOST}:{self._http.server_port}/v1"

    def enqueue(self, *replies: Reply) -> None:
        """Adds replies to those that the next requests get."""
        with self._lock:
            self._replies.extend(replies)

    def forget(self) -> None:
        """Drops the replies that nobody has asked for."""
        with self._lock:
            self._replies.clear()

    def take(self, request: Request) -> Reply:
        """Records a request and returns its reply."""
        with self._lock:
            self.requests.append(request)
            if self._replies:
                return self._replies.popleft()
        return self.responder(request.body)

    def wait(self, seconds: float) -> None:
        """Waits, but not beyond the end of the `with` block."""
        if seconds > 0:
            self._stopping.wait(seconds)

    def __enter__(self) -> Self:
        """Starts to listen."""
        self._stopping.clear()
        self._http = _Listener((HOST, 0), _handler(self))
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the stalls and hangs that are still under way, and stops."""
        self._stopping.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection open must not hold up a test
    request_queue_size = 64


def _handler(script: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    """Binds the request handler, which the standard library wants as a class, to a script."""

    class Handler(_Handler):
        server_script = script

    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_script: ScriptedServer

    def do_GET(self) -> None:
        """Answers the list of models."""
        if self.path.rstrip("/") != "/v1/models":
            self._json(404, _error("no such page", 404))
            return
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "tests"}
            for name in self.server_script.models
        ]
        self._json(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        """Answers a chat request as the script says."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            self._json(400, _error("the body is not JSON", 400))
            return
        if self.path.rstrip("/") != "/v1/chat/completions":
            self._json(404, _error("no such page", 404))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server_script.take(Request(self.path, headers, body))
        with suppress(BrokenPipeError, ConnectionResetError):  # the client may leave at any time
            self._answer(reply, body)

    def _answer(self, reply: Reply, body: dict[str, Any]) -> None:
        if reply.fault is Fault.HANG:
            self.server_script.wait(reply.seconds)
            self.close_connection = True
        elif reply.fault is Fault.HTML:
            self._send(200, HTML_PAGE.encode(), "text/html; charset=utf-8", reply.headers)
        elif reply.status >= 400:
            self._json(reply.status, _error(reply.text, reply.status), reply.headers)
        elif body.get("stream"):
            self._stream(reply, body)
        else:
            self._plain(reply, body)

    def _plain(self, reply: Reply, body: dict[str, Any]) -> None:
        self.server_script.wait(reply.delay)
        content = json.dumps(_completion(reply, body)).encode()
        half = len(content) // 2
        self._head(reply, "application/json", {"Content-Length": str(len(content))})
        self.wfile.write(content[:half])
        self.wfile.flush()
        if reply.fault in (Fault.CUT, Fault.RESET):
            self._break_off(reset=reply.fault is Fault.RESET)
            return
        if reply.fault is Fault.STALL:
            self.server_script.wait(reply.seconds)
        self.wfile.write(content[half:])

    def _stream(self, reply: Reply, body: dict[str, Any]) -> None:
        self._head(reply, "text/event-stream", {"Transfer-Encoding": "chunked"})
        for event in _events(reply, body):
            if isinstance(event, float):
                self.server_script.wait(event)
            else:
                self._write_chunk(f"data: {event}\n\n".encode())
        if reply.fault is Fault.RESET:
            self._break_off(reset=True)
        else:
            self._write_chunk(b"")  # ends the body in good order, even where the answer is cut

    def _write_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _break_off(self, *, reset: bool) -> None:
        """Ends the connection in the middle of a body; with `reset` the client sees an RST."""
        self.close_connection = True
        if reset:
            no_linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            self.rfile.close()  # it shares the socket, which stays open as long as it does
            self.connection.close()

    def _json(
        self, status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        self._send(status, json.dumps(value).encode(), "application/json", headers or {})

    def _send(self, status: int, content: bytes, kind: str, headers: Mapping[str, str]) -> None:
        length = {"Content-Length": str(len(content))}
        self._head(Reply(status=status, headers=headers), kind, length)
        self.wfile.write(content)

    def _head(self, reply: Reply, kind: str, framing: Mapping[str, str]) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, **framing, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the access log out of the tests' output."""


def _events(reply: Reply, body: Mapping[str, Any]) -> Iterator[str | float]:
    """The stream's events as the fault leaves them; a number is a pause in seconds."""
    chunks = reply.chunks()
    half = len(chunks) // 2
    yield _delta(body, {"role": "assistant", "content": ""})
    for position, text in enumerate(chunks):
        if position == half and reply.fault in (Fault.CUT, Fault.RESET):
            return
        if position == half and reply.fault is Fault.SSE_ERROR:
            yield json.dumps(_error(STREAM_ERROR, 500))
            return
        if position == half and reply.fault is Fault.STALL:
            yield float(reply.seconds)
        yield float(reply.delay)
        yield _delta(body, {"content": text})
    for index, call in enumerate(reply.tool_calls):
        # In two pieces, as providers send them: the name, then the arguments.
        yield _delta(body, {"tool_calls": [_tool_call(index, call, begins=True)]})
        yield _delta(body, {"tool_calls": [_tool_call(index, call, begins=False)]})
    yield _delta(body, {}, reply.reason)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps(_frame(body, "chat.completion.chunk", []) | {"usage": _usage(reply, body)})
    yield "[DONE]"


def _tool_call(index: int, call: Mapping[str, str], *, begins: bool) -> dict[str, Any]:
    if begins:
        function = {"name": call["name"], "arguments": ""}
        return {"index": index, "id": call["id"], "type": "function", "function": function}
    return {"index": index, "function": {"arguments": call["arguments"]}}


def _delta(body: Mapping[str, Any], delta: Mapping[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return json.dumps(_frame(body, "chat.completion.chunk", [choice]))


def _completion(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.said}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.reason}
    return _frame(body, "chat.completion", [choice]) | {"usage": _usage(reply, body)}


def _frame(body: Mapping[str, Any], kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    """What plain answers and stream chunks have in common; the clock is fixed for tests' sake."""
    model = body.get("model", MODEL)
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": model, "choices": choices}


def _usage(reply: Reply, body: Mapping[str, Any]) -> dict[str, int]:
    asked = reply.prompt_tokens
    prompt = len(prompt_text(body).split()) if asked is None else asked
    said = len(reply.said.split())
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def _error(message: str, status: int) -> dict[str, Any]:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}
