"""What the scripted server puts on the wire, and what LiteLLM makes of each fault.

The second half documents traps: places where the library reports a broken answer as a good one, or
an error under a name that suggests the wrong remedy. The product's own checks rest on these facts,
so an upgrade that changes one should fail here first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.openai_server import STREAM_ERROR, Fault, Reply, Request, ScriptedServer

TEXT = "Open the settings page and clear the cookies of the site. [1]"
CHUNKS = Reply(TEXT).chunks()
HALF = "".join(CHUNKS[: len(CHUNKS) // 2])
MESSAGES = [{"role": "user", "content": "hello there"}]
PATIENCE = 0.4
"""Seconds after which the tests' clients give up; stalls and hangs last longer than any test."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A running server with an empty queue."""
    with ScriptedServer() as running:
        yield running


# -- on the wire ---------------------------------------------------------------------------------


def post(server: ScriptedServer, *, timeout: float = 5.0, **body: Any) -> httpx.Response:
    """Sends a chat request and reads the whole answer."""
    body = {"model": "m", "messages": MESSAGES} | body
    return httpx.post(f"{server.url}/chat/completions", json=body, timeout=timeout)


def events(server: ScriptedServer, *, timeout: float = 5.0, **body: Any) -> Iterator[Any]:
    """Streams an answer, event by event; `[DONE]` comes as that string."""
    body = {"model": "m", "messages": MESSAGES, "stream": True} | body
    url = f"{server.url}/chat/completions"
    with httpx.stream("POST", url, json=body, timeout=timeout) as response:
        for line in response.iter_lines():
            if line:
                data = line.removeprefix("data: ")
                yield data if data == "[DONE]" else json.loads(data)


def streamed_text(seen: list[Any]) -> str:
    """Joins the text of the events seen."""
    frames = [event for event in seen if isinstance(event, dict) and event.get("choices")]
    return "".join(frame["choices"][0]["delta"].get("content", "") for frame in frames)


def test_lists_its_models(server: ScriptedServer) -> None:
    answer = httpx.get(f"{server.url}/models").json()
    assert [model["id"] for model in answer["data"]] == ["scripted"]


def test_plain_answer(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, headers={"X-Region": "eu"}))
    response = post(server)
    answer = response.json()
    assert answer["choices"][0]["message"]["content"] == TEXT
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14}
    assert answer["model"] == "m"
    assert response.headers["x-region"] == "eu"


def test_records_what_it_was_sent(server: ScriptedServer) -> None:
    httpx.post(
        f"{server.url}/chat/completions",
        json={"messages": MESSAGES, "temperature": 0.5},
        headers={"Authorization": "Bearer key"},
    )
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer key"
    assert request.body["temperature"] == 0.5
    assert request.prompt == "hello there"


def test_prompt_joins_parts() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    body = {"messages": [{"role": "system", "content": "zero"}, {"role": "user", "content": parts}]}
    assert Request("/", {}, body).prompt == "zero\none\ntwo"


def test_stream_with_usage(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, chunk=10))
    seen = list(events(server, stream_options={"include_usage": True}))
    texts = [event["choices"][0]["delta"].get("content") for event in seen[1:-3]]
    assert texts == Reply(TEXT, chunk=10).chunks()
    assert seen[-3]["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert seen[-2]["choices"] == []
    assert seen[-2]["usage"]["total_tokens"] == 14
    assert seen[-1] == "[DONE]"


def test_stream_without_usage(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT))
    assert not any("usage" in event for event in list(events(server))[:-1])


def test_given_token_count_wins(server: ScriptedServer) -> None:
    server.enqueue(Reply("Yes.", prompt_tokens=700))
    assert post(server).json()["usage"]["prompt_tokens"] == 700


def test_delay_comes_before_each_chunk(server: ScriptedServer) -> None:
    server.enqueue(Reply("abcdef", chunk=2, delay=0.05))
    started = time.monotonic()
    assert streamed_text(list(events(server))) == "abcdef"
    assert time.monotonic() - started >= 0.15


def test_queue_first_then_a_cited_sentence_of_the_first_passage(server: ScriptedServer) -> None:
    server.enqueue(Reply("first"))
    prompt = "Cite as [1].\n[3] Hold the key. Then wait.\n[4] Something else.\n\nQuestion: how?"
    messages = [{"role": "user", "content": prompt}]
    answers = [post(server, messages=messages).json() for _ in range(2)]
    texts = [answer["choices"][0]["message"]["content"] for answer in answers]
    assert texts == ["first", "According to the manual, Hold the key [3]."]


def test_default_answer_without_passages(server: ScriptedServer) -> None:
    content = post(server).json()["choices"][0]["message"]["content"]
    assert content == "I could not find this in the manual."


def test_responder_of_ones_own() -> None:
    with ScriptedServer(lambda body: Reply(body["messages"][-1]["content"].upper())) as server:
        assert post(server).json()["choices"][0]["message"]["content"] == "HELLO THERE"


def test_error_status_with_retry_after(server: ScriptedServer) -> None:
    server.enqueue(Reply("slow down", status=429, headers={"Retry-After": "7"}))
    response = post(server, stream=True)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json()["error"]["message"] == "slow down"


def test_serves_requests_side_by_side(server: ScriptedServer) -> None:
    server.enqueue(*[Reply("x", delay=0.2)] * 8)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(server).status_code, range(8)))
    assert answers == [200] * 8
    assert time.monotonic() - started < 1.2


def test_cut_ends_early_but_in_good_order(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.CUT))
    seen = list(events(server, stream_options={"include_usage": True}))
    assert streamed_text(seen) == HALF
    assert seen[-1]["choices"][0]["finish_reason"] is None


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
def test_broken_plain_answer(server: ScriptedServer, fault: Fault) -> None:
    server.enqueue(Reply(TEXT, fault=fault))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post(server)


def test_reset_breaks_the_stream_off(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.RESET))
    seen: list[Any] = []
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        collect(events(server), seen)
    assert streamed_text(seen) == HALF


def test_stall_goes_on_after_its_time(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.STALL, seconds=0.2))
    assert streamed_text(list(events(server))) == TEXT


def test_stall_keeps_the_connection_open(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.STALL))
    seen: list[Any] = []
    with pytest.raises(httpx.ReadTimeout):
        collect(events(server, timeout=PATIENCE), seen)
    assert streamed_text(seen) == HALF


@pytest.mark.parametrize("stream", [False, True])
def test_hang_sends_no_byte(server: ScriptedServer, stream: bool) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.HANG))
    with pytest.raises(httpx.ReadTimeout):
        post(server, stream=stream, timeout=PATIENCE)


def test_hang_closes_after_its_time(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.HANG, seconds=0.05))
    with pytest.raises(httpx.RemoteProtocolError):
        post(server)


def test_html_page_with_status_200(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.HTML))
    response = post(server, stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


def test_error_event_in_the_stream(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.SSE_ERROR))
    seen = list(events(server))
    assert streamed_text(seen) == HALF
    assert seen[-1]["error"]["message"] == STREAM_ERROR


def test_leaving_does_not_wait_for_a_hang() -> None:
    with ThreadPoolExecutor(1) as pool:
        with ScriptedServer() as server:
            server.enqueue(Reply(fault=Fault.HANG, seconds=60))
            waiting = pool.submit(post, server)
            while not server.requests:
                time.sleep(0.01)
            started = time.monotonic()
        with pytest.raises(httpx.RemoteProtocolError):
            waiting.result()
    assert time.monotonic() - started < 1


def collect(source: Iterator[Any], seen: list[Any]) -> list[Any]:
    """Appends to `seen` one by one, so that it keeps what came before an error."""
    for event in source:
        seen.append(event)
    return seen


# -- through LiteLLM -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a caller of LiteLLM sees of one answer.

    Attributes:
        text: All content, in order.
        reported: The finish reasons that chunks or the answer carry.
        received: The stream's `received_finish_reason`: what the server really said.
        tokens: Prompt and completion tokens of the last usage, if any was given.
        error: What was raised, if anything.
    """

    text: str
    reported: list[str]
    received: str | None
    tokens: tuple[int, int] | None
    error: Any


@pytest.fixture(scope="session")
def litellm() -> Iterator[ModuleType]:
    """The library, kept from fetching its price list over the network at import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        module: ModuleType = pytest.importorskip("litellm")
        patch.setattr(module, "suppress_debug_info", True)
        yield module


def complete(
    litellm: ModuleType, server: ScriptedServer, *, stream: bool = True, **options: Any
) -> Outcome:
    """Asks through LiteLLM without its hidden retries."""
    if stream:
        options["stream_options"] = {"include_usage": True}
    options = {"timeout": 5, "max_retries": 0} | options
    chunks: list[Any] = []
    answer: Any = None
    error: Exception | None = None
    try:
        answer = litellm.completion(
            model="openai/x",
            api_base=server.url,
            api_key="none",
            messages=MESSAGES,
            stream=stream,
            **options,
        )
        collect(iter(answer if stream else [answer]), chunks)
    except Exception as caught:  # each test says which one it expects
        error = caught
    return _outcome(chunks, answer, error)


def _outcome(chunks: list[Any], answer: Any, error: Exception | None) -> Outcome:
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    parts = [getattr(choice, "delta", None) or choice.message for choice in choices]
    usages = [usage for chunk in chunks if (usage := getattr(chunk, "usage", None))]
    return Outcome(
        text="".join(part.content or "" for part in parts),
        reported=[choice.finish_reason for choice in choices if choice.finish_reason],
        received=getattr(answer, "received_finish_reason", None),
        tokens=(usages[-1].prompt_tokens, usages[-1].completion_tokens) if usages else None,
        error=error,
    )


def test_whole_stream(litellm: ModuleType, server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT))
    outcome = complete(litellm, server)
    assert outcome == Outcome(TEXT, ["stop"], "stop", (2, 12), None)


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_other_finish_reasons_arrive(
    litellm: ModuleType, server: ScriptedServer, reason: str
) -> None:
    server.enqueue(Reply(TEXT, finish_reason=reason))
    outcome = complete(litellm, server)
    assert (outcome.reported, outcome.received) == ([reason], reason)


def test_trap_cut_stream_looks_finished(litellm: ModuleType, server: ScriptedServer) -> None:
    """Half an answer, reported as "stop" with usage that the library made up."""
    server.enqueue(Reply(TEXT, fault=Fault.CUT))
    outcome = complete(litellm, server)
    assert outcome.error is None
    assert outcome.text == HALF
    assert outcome.reported == ["stop"]
    assert outcome.tokens is not None
    assert outcome.received is None, "the only sign that the answer is not whole"


def test_trap_web_page_looks_like_an_empty_answer(
    litellm: ModuleType, server: ScriptedServer
) -> None:
    """A streamed HTML page with status 200 raises nothing at all; a plain one does."""
    server.enqueue(Reply(fault=Fault.HTML), Reply(fault=Fault.HTML))
    streamed = complete(litellm, server)
    assert streamed == Outcome("", ["stop"], None, None, None)
    plain = complete(litellm, server, stream=False)
    assert isinstance(plain.error, litellm.InternalServerError)
    assert "Bad gateway" in str(plain.error), "the page is quoted in the message"


def test_empty_answer_is_complete(litellm: ModuleType, server: ScriptedServer) -> None:
    """Told from a web page by the reason received; a plain one has content None, not ""."""
    server.enqueue(Reply(TEXT, fault=Fault.EMPTY), Reply(TEXT, fault=Fault.EMPTY))
    assert complete(litellm, server) == Outcome("", ["stop"], "stop", (2, 0), None)
    assert complete(litellm, server, stream=False).text == ""


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.STALL, Fault.SSE_ERROR])
def test_trap_error_in_mid_stream_looks_retryable(
    litellm: ModuleType, server: ScriptedServer, fault: Fault
) -> None:
    """It is a ServiceUnavailableError by class, so a rule for those would repeat half an answer."""
    server.enqueue(Reply(TEXT, fault=fault))
    outcome = complete(litellm, server, timeout=PATIENCE)
    assert isinstance(outcome.error, litellm.exceptions.MidStreamFallbackError)
    assert isinstance(outcome.error, litellm.ServiceUnavailableError)
    assert outcome.text == HALF
    assert outcome.error.generated_content == HALF
    assert not outcome.error.is_pre_first_chunk
    assert (outcome.reported, outcome.received) == ([], None)


@pytest.mark.parametrize("stream", [False, True])
def test_hang_times_out_once(litellm: ModuleType, server: ScriptedServer, stream: bool) -> None:
    server.enqueue(*[Reply(fault=Fault.HANG)] * 4)
    outcome = complete(litellm, server, stream=stream, timeout=PATIENCE)
    assert isinstance(outcome.error, litellm.Timeout)
    assert len(server.requests) == 1


def test_trap_timeout_is_between_bytes_not_in_all(
    litellm: ModuleType, server: ScriptedServer
) -> None:
    """A slow stream may last any time; a limit on the whole answer must be ours."""
    server.enqueue(Reply("abcdef", chunk=1, delay=PATIENCE / 2))
    started = time.monotonic()
    assert complete(litellm, server, timeout=PATIENCE).text == "abcdef"
    assert time.monotonic() - started > 2 * PATIENCE


def test_trap_stream_timeout_is_ignored(litellm: ModuleType, server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, fault=Fault.STALL, seconds=0.8))
    outcome = complete(litellm, server, stream_timeout=0.2)
    assert outcome.error is None
    assert outcome.text == TEXT


def test_read_timeout_is_honoured(litellm: ModuleType, server: ScriptedServer) -> None:
    """An httpx.Timeout tells connecting from waiting for bytes."""
    server.enqueue(Reply(TEXT, fault=Fault.STALL))
    outcome = complete(litellm, server, timeout=httpx.Timeout(5, read=0.2))
    assert isinstance(outcome.error, litellm.exceptions.MidStreamFallbackError)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "name"),
    [
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailableError"),
        (400, "BadRequestError"),
        (401, "BadRequestError"),
        (404, "BadRequestError"),
    ],
)
def test_status_becomes_an_error(
    litellm: ModuleType, server: ScriptedServer, status: int, name: str, stream: bool
) -> None:
    """Trap: the body's type "invalid_request_error" hides a 401 or 404; `status_code` does not."""
    server.enqueue(*[Reply("no", status=status)] * 4)
    error = complete(litellm, server, stream=stream).error
    assert type(error).__name__ == name
    assert error.status_code == status
    assert len(server.requests) == 1


def test_trap_retry_after_is_not_in_the_response(
    litellm: ModuleType, server: ScriptedServer
) -> None:
    server.enqueue(Reply("slow down", status=429, headers={"Retry-After": "7"}))
    error = complete(litellm, server).error
    assert "retry-after" not in error.response.headers
    assert error.litellm_response_headers["retry-after"] == "7"


def test_trap_default_retries_are_hidden(litellm: ModuleType, server: ScriptedServer) -> None:
    """One call, three requests on the wire."""
    server.enqueue(*[Reply("no", status=500, headers={"Retry-After": "0.01"})] * 9)
    complete(litellm, server, max_retries=None)
    assert len(server.requests) == 3


def test_trap_error_text_is_the_providers(litellm: ModuleType, server: ScriptedServer) -> None:
    server.enqueue(Reply("bad key sk-SECRET123", status=401))
    assert "sk-SECRET123" in str(complete(litellm, server).error)


def test_prompt_too_long_for_llama_cpp(litellm: ModuleType, server: ScriptedServer) -> None:
    """The wording of llama.cpp's server is recognised."""
    text = (
        "request (4200 tokens) exceeds the available context size (4096 tokens), try increasing it"
    )
    server.enqueue(Reply(text, status=400))
    assert isinstance(complete(litellm, server).error, litellm.ContextWindowExceededError)
