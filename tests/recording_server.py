"""A server on this machine that writes down what providers would be sent, whatever the path.

It answers in each provider's own way: Ollama's lines of JSON under `/api/chat`, the chat
completions' events elsewhere. The usage that it reports is fixed, so that costs can be told::

    with recording() as server:
        ...  # talk to server.at("/inference/v1")
        assert server.asked[0].path == "/inference/v1/chat/completions"
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
PROMPT_TOKENS = 12_345
REPLY_TOKENS = 678
WORDS = "All is well."


@dataclass(frozen=True)
class Asked:
    """One request: path, headers with lower-case names, and the parsed body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class RecordingServer:
    """What was asked so far, oldest first."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    def at(self, path: str) -> str:
        """Return the server's address with a path of the provider's."""
        return f"http://{HOST}:{self.port}{path}"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.recording = RecordingServer(self.server_port)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, body)
        if self.path == "/api/show":
            # LiteLLM's own question to Ollama, about the model and not about a ticket.
            self._send("application/json", [json.dumps({"model_info": {}})])
            return
        self.server.recording.asked.append(asked)
        if self.path.endswith("/api/chat"):
            self._send("application/x-ndjson", _ollama(body["model"]))
        else:
            self._send("text/event-stream", _events(body))

    def _send(self, kind: str, parts: list[str]) -> None:
        content = "".join(parts).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the access log out of the tests' output."""


@contextmanager
def recording() -> Iterator[RecordingServer]:
    """Listen on a free port."""
    http = _Listener()
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield http.recording
    http.shutdown()
    http.server_close()


def _events(body: dict[str, Any]) -> list[str]:
    frame = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
    usage = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": REPLY_TOKENS,
        "total_tokens": PROMPT_TOKENS + REPLY_TOKENS,
    }
    said = {"index": 0, "delta": {"role": "assistant", "content": WORDS}, "finish_reason": None}
    ended = {"index": 0, "delta": {}, "finish_reason": "stop"}
    # Mistral's own API counts without being asked and knows no such option.
    counts = "stream_options" in body or body["model"].startswith("open-")
    chunks: list[dict[str, Any]] = [{"choices": [said]}, {"choices": [ended]}]
    counted = [{"choices": [], "usage": usage}] if counts else []
    sent = [json.dumps(frame | chunk) for chunk in chunks + counted]
    return [f"data: {event}\n\n" for event in [*sent, "[DONE]"]]


def _ollama(model: str) -> list[str]:
    frame = {"model": model, "created_at": "2026-11-01T00:00:00Z"}
    said = {"message": {"role": "assistant", "content": WORDS}, "done": False}
    ended = {
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": PROMPT_TOKENS,
        "eval_count": REPLY_TOKENS,
    }
    return [json.dumps(frame | part) + "\n" for part in (said, ended)]
