"""What becomes of a reply when things go wrong on the wire, through the real LiteLLM."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from rag import llm, provider
from rag.errors import MissingKeyError, ModelUnavailableError, RagError, UnknownModelError
from rag.llm import Completion, LiteLlmModel, Patience
from rag.models import Model
from rag.provider import Usage
from rag.tokens import ChatMessageDict
from tests.openai_server import Fault, Reply, ScriptedServer

PATIENCE = Patience(first=1.0, next=0.4, total=10.0)
SECRET = "sk-SECRET123"
TEXT = "Fill the tank of the machine and press the reset button for ten seconds. [1]"
CHUNKS = Reply(TEXT).chunks()
HALF = "".join(CHUNKS[: len(CHUNKS) // 2])
MESSAGES: list[ChatMessageDict] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is E17?"},
]


@pytest.fixture(scope="session", autouse=True)
def litellm_is_loaded() -> None:
    """Importing LiteLLM takes seconds, which the short patience below would not grant it."""
    provider.load()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)


@dataclass
class Heard:
    """What came of a request."""

    text: str
    completion: Completion


def _route(server: ScriptedServer, model: str = "openai/scripted") -> Model:
    return Model("test", model, 4_096, "server", url=server.url, key="sk-our-own-key")


def _model(server: ScriptedServer, model: str = "openai/scripted") -> LiteLlmModel:
    return LiteLlmModel(_route(server, model), PATIENCE)


def _ask(server: ScriptedServer, *replies: Reply, model: str = "openai/scripted") -> Heard:
    server.enqueue(*replies)
    completion = Completion()
    text = "".join(_model(server, model).stream(MESSAGES, 50, completion))
    return Heard(text, completion)


def _ask_in_vain(server: ScriptedServer, *replies: Reply) -> RagError:
    with pytest.raises(RagError) as raised:
        _ask(server, *replies)
    return raised.value


def test_a_reply_comes_in_pieces_with_the_providers_own_count(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT, prompt_tokens=1_234))
    completion = Completion()

    pieces = list(_model(server).stream(MESSAGES, 50, completion))

    assert len(pieces) > 3
    assert "".join(pieces) == TEXT
    assert completion == Completion(Usage(1_234, len(TEXT.split())), None)


def test_the_request_says_what_we_mean(server: ScriptedServer) -> None:
    _ask(server, Reply(TEXT))

    [request] = server.requests
    assert request.body["messages"] == MESSAGES
    assert request.body["max_tokens"] == 50
    assert request.body["temperature"] == provider.TEMPERATURE
    assert request.body["stream_options"] == {"include_usage": True}
    assert request.headers["authorization"] == "Bearer sk-our-own-key"


@pytest.mark.parametrize(
    ("fault", "text", "incomplete"),
    [
        (Fault.CUT, HALF, "cut"),
        (Fault.RESET, HALF, "cut"),
        (Fault.SSE_ERROR, HALF, "cut"),
        (Fault.STALL, HALF, "stalled"),
        (Fault.LENGTH, TEXT[: len(TEXT) // 2], "length"),
        (Fault.EMPTY, "", "empty"),
    ],
)
def test_a_broken_reply_is_kept_and_never_called_complete(
    server: ScriptedServer, fault: Fault, text: str, incomplete: str
) -> None:
    heard = _ask(server, Reply(TEXT, fault=fault, seconds=5))

    assert heard.text == text
    assert heard.completion.incomplete == incomplete
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.STALL, Fault.SSE_ERROR])
def test_of_a_broken_reply_no_count_is_invented(server: ScriptedServer, fault: Fault) -> None:
    heard = _ask(server, Reply(TEXT, fault=fault, seconds=5))

    assert heard.completion.usage == Usage(None, None)


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls"])
def test_a_reply_that_ended_for_another_reason_is_not_complete(
    server: ScriptedServer, reason: str
) -> None:
    assert _ask(server, Reply(TEXT, finish_reason=reason)).completion.incomplete == "cut"


def test_a_stream_that_never_ends_is_ended_for_it(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT * 20, delay=0.1))
    model = LiteLlmModel(_route(server), replace(PATIENCE, total=1.6))
    completion = Completion()

    begun = time.monotonic()
    text = "".join(model.stream(MESSAGES, 50, completion))

    assert completion.incomplete == "stalled"
    assert time.monotonic() - begun < 20
    assert text
    assert (TEXT * 20).startswith(text)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.SSE_ERROR, Fault.HTML])
def test_what_fails_before_the_first_word_is_tried_again(
    server: ScriptedServer, fault: Fault
) -> None:
    heard = _ask(server, Reply("x", fault=fault), Reply(TEXT))

    assert heard.text == TEXT
    assert heard.completion.incomplete is None
    assert len(server.requests) == 2


def test_a_web_page_in_place_of_an_answer_is_no_reply(server: ScriptedServer) -> None:
    error = _ask_in_vain(server, *[Reply(fault=Fault.HTML)] * 4)

    assert isinstance(error, ModelUnavailableError)
    assert error.fields["reason"] == "what it sent is no reply"
    assert len(server.requests) == 3


def test_a_server_that_says_nothing_is_not_asked_again(server: ScriptedServer) -> None:
    error = _ask_in_vain(server, Reply(TEXT, fault=Fault.HANG, seconds=5), Reply(TEXT))

    assert isinstance(error, ModelUnavailableError)
    assert error.fields["reason"] in {"no answer within 1 seconds", "it took too long"}
    assert len(server.requests) <= 3


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [
        (400, ModelUnavailableError, 1),
        (401, MissingKeyError, 1),
        (403, MissingKeyError, 1),
        (404, UnknownModelError, 1),
        (422, ModelUnavailableError, 1),
        (429, ModelUnavailableError, 3),
        (500, ModelUnavailableError, 3),
        (502, ModelUnavailableError, 3),
        (503, ModelUnavailableError, 3),
    ],
)
def test_an_error_of_the_provider_is_told_in_our_words(
    server: ScriptedServer, status: int, kind: type[RagError], requests: int
) -> None:
    message = f"Incorrect API key provided: {SECRET}. LLM Provider says prompt is 'What is E17?'"

    error = _ask_in_vain(server, *[Reply(message, status=status)] * 4)

    assert type(error) is kind
    assert len(server.requests) == requests
    for told in (str(error), repr(error)):
        assert SECRET not in told
        assert "sk-our-own-key" not in told
        assert "Incorrect" not in told
    assert error.__cause__ is None


def test_an_error_in_the_middle_is_not_told_at_all(server: ScriptedServer) -> None:
    heard = _ask(server, Reply(TEXT, fault=Fault.SSE_ERROR))

    assert "failed" not in heard.text
    assert heard.completion.incomplete == "cut"


def test_a_busy_provider_is_asked_again_when_it_wants_to_be(server: ScriptedServer) -> None:
    begun = time.monotonic()
    heard = _ask(server, Reply("slow down", status=429, headers={"Retry-After": "1"}), Reply(TEXT))

    assert heard.text == TEXT
    assert len(server.requests) == 2
    assert time.monotonic() - begun >= 1


def test_a_provider_that_wants_to_be_left_alone_for_long_is_not_asked_again(
    server: ScriptedServer,
) -> None:
    _ask_in_vain(server, Reply("slow down", status=429, headers={"Retry-After": "60"}), Reply(TEXT))

    assert len(server.requests) == 1


def test_the_third_try_counts(server: ScriptedServer) -> None:
    heard = _ask(server, Reply("a", status=500), Reply("b", status=503), Reply(TEXT))

    assert heard.text == TEXT
    assert len(server.requests) == 3


def test_a_closed_port_is_said_to_be_out_of_reach() -> None:
    with ScriptedServer() as server:
        model = _model(server)
    begun = time.monotonic()

    with pytest.raises(ModelUnavailableError) as raised:
        list(model.stream(MESSAGES, 50, Completion()))

    assert raised.value.fields["reason"] == "it cannot be reached"
    assert time.monotonic() - begun < 20


def test_an_id_without_a_known_provider_is_an_unknown_model(server: ScriptedServer) -> None:
    with pytest.raises(UnknownModelError):
        _ask(server, model="no-such-provider/model")

    assert server.requests == []


def test_a_listener_who_leaves_is_read_for_no_longer(server: ScriptedServer) -> None:
    server.enqueue(Reply(TEXT * 50, delay=0.02))
    completion = Completion()
    before = threading.active_count()

    stream = _model(server).stream(MESSAGES, 50, completion)
    first = next(stream)
    del stream
    gc.collect()

    assert TEXT.startswith(first)
    assert completion.incomplete == "stopped"
    deadline = time.monotonic() + 2
    # One thread of the server's may still be writing.
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before + 1


def test_importing_the_module_does_not_import_litellm() -> None:
    code = "import sys, rag.llm, rag.pipeline; print('litellm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_a_fast_stream_is_stopped_between_two_pieces(server: ScriptedServer) -> None:
    completion = Completion()
    server.enqueue(Reply(TEXT * 50, chunk=4))
    heard = []

    for piece in _model(server).stream(MESSAGES, 50, completion):
        heard.append(piece)
        completion.stop.set()

    assert len(heard) == 1
    assert completion.incomplete == "stopped"
