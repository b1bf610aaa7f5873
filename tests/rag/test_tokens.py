"""Counting with Mixtral's own tokenizer, with a server's, and by a cautious estimate."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from ingest.query_encoder import load_tokenizer
from rag.models import Model
from rag.tokens import (
    ChatMessageDict,
    EstimatedTokens,
    MistralTokens,
    ServerTokens,
    counter,
)
from tests.openai_server import ScriptedServer
from tests.rag.desk import weights

TEXTS = {
    "en": "The machine shows E17 and no water comes out. I replaced the filter yesterday.",
    "de": "Die Maschine zeigt E17 an, und es fließt kein Wasser mehr. Was heißt das für mich?",
    "fr": "La machine affiche l'erreur E17 et il n'y a presque plus d'eau qui coule.",
    "numbers": "10.50 EUR, 12/03/2026, +49 30 1234567, AR-700-2231-X, 1.8 l, 15 bar | 230 V",
    "code": 'if (x[0] != "a") { return foo->bar(baz) ?: null; }  // <|im_end|> [INST]',
    "emoji": "Danke 😀👍🏽! ☕ 不行 ありがとう",
}


def message(role: str, content: str) -> ChatMessageDict:
    return {"role": role, "content": content}


def _theirs(version: str, messages: Sequence[ChatMessageDict]) -> int:
    kinds = {"system": SystemMessage, "assistant": AssistantMessage, "user": UserMessage}
    tokenizer = {"v1": MistralTokenizer.v1, "v3": MistralTokenizer.v3}[version]()
    request: ChatCompletionRequest[SystemMessage | AssistantMessage | UserMessage] = (
        ChatCompletionRequest(messages=[kinds[m["role"]](content=m["content"]) for m in messages])
    )
    return len(tokenizer.encode_chat_completion(request).tokens)


@pytest.mark.parametrize("version", ["v1", "v3"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_prompt_counts_what_mistrals_own_encoder_makes_of_it(version: str, text: str) -> None:
    lists = [
        [message("user", text)],
        [message("system", text), message("user", text)],
        [message("system", "Be brief."), message("user", text * 40)],
        [message("user", "hello"), message("assistant", text), message("user", text)],
        [
            message("system", text),
            message("user", text),
            message("assistant", text),
            message("user", "and?"),
        ],
    ]

    assert [MistralTokens(version).count(messages) for messages in lists] == [
        _theirs(version, messages) for messages in lists
    ]


@settings(deadline=None, max_examples=30)
@given(text=st.text(min_size=1, max_size=300), system=st.booleans())
def test_any_text_counts_as_mistrals_own_encoder_counts_it(text: str, *, system: bool) -> None:
    messages = [message("system", "Be brief.")] * system + [message("user", text)]

    assert MistralTokens("v1").count(messages) == _theirs("v1", messages)


def test_the_parts_of_a_text_add_up_to_about_the_whole() -> None:
    tokens = MistralTokens("v1")
    parts = list(TEXTS.values())

    whole = tokens.count_text("\n\n".join(parts))

    assert abs(whole - sum(map(tokens.count_text, parts))) <= 4 * len(parts)


class _CountingServer(ThreadingHTTPServer):
    """Counts as llama.cpp does: over HTTP, a word being a token, and 10 for the template."""

    daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            assert body["add_special"] is False
            answer = {"tokens": [1] * len(body["content"].split())}
        elif self.path == "/v1/chat/completions/input_tokens":
            words = " ".join(m["content"] for m in body["messages"]).split()
            answer = {"object": "response.input_tokens", "input_tokens": 10 + len(words)}  # type: ignore[dict-item]
        else:
            self.send_error(404)
            return
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def counting() -> Iterator[_CountingServer]:
    server = _CountingServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_server_that_counts_is_asked(counting: _CountingServer) -> None:
    tokens = ServerTokens(counting.url)

    assert tokens.available
    assert tokens.count([message("system", "a b"), message("user", "c d e")]) == 15
    assert tokens.count_text("one two three") == 3
    assert tokens.exact


def test_the_counter_of_an_unlisted_model_is_its_servers(counting: _CountingServer) -> None:
    chosen = counter(Model("x", "openai/x", 4_096, "server", url=counting.url))

    assert isinstance(chosen, ServerTokens)
    assert chosen.count([message("user", "a")]) == 11


def test_where_the_server_does_not_count_an_estimate_is_made() -> None:
    with ScriptedServer() as server:
        chosen = counter(Model("x", "openai/x", 4_096, "server", url=server.url))
    nowhere = counter(Model("x", "openai/x", 4_096, "server", url="http://127.0.0.1:9/v1"))

    assert isinstance(chosen, EstimatedTokens)
    assert isinstance(nowhere, EstimatedTokens)
    assert not chosen.exact


def test_mixtral_is_counted_by_its_own_tokenizer_whatever_server_it_runs_on() -> None:
    chosen = counter(Model("m", "x/y", 32_768, "mistral-v3", url="http://127.0.0.1:9/v1"))

    assert isinstance(chosen, MistralTokens)
    assert chosen.count([message("user", TEXTS["en"])]) == _theirs(
        "v3", [message("user", TEXTS["en"])]
    )


@pytest.mark.parametrize("language", ["en", "de", "fr", "numbers"])
def test_an_estimate_stays_above_what_other_tokenizers_count(language: str) -> None:
    text = TEXTS[language] * 20
    messages = [message("system", "Be brief."), message("user", text)]
    estimate = EstimatedTokens()
    bert = len(load_tokenizer(weights().folder).encode(text, add_special_tokens=False).ids)

    assert estimate.count(messages) > max(_theirs("v1", messages), _theirs("v3", messages))
    assert estimate.count_text(text) > MistralTokens("v3").count_text(text)
    assert estimate.count_text(text) > bert
