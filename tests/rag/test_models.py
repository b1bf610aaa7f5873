"""What LiteLLM really sends for each route, what it costs, and how much fits."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from rag import provider
from rag.budget import Question, fit
from rag.errors import MissingUrlError, RetiredModelError, UnknownModelError
from rag.llm import Completion, LiteLlmModel
from rag.lookup import TOOL
from rag.models import UNLISTED_WINDOW_TOKENS, Model, resolve
from rag.prompt import ThreadMessage
from rag.provider import Usage
from rag.routes import Route, read_routes
from rag.shape import JSON_EXTRAS
from rag.tokens import ChatMessageDict, counter
from tests.rag.desk import hit
from tests.recording_server import PROMPT_TOKENS, REPLY_TOKENS, WORDS, RecordingServer, recording

KEY = "sk-our-own-key"
MESSAGES: list[ChatMessageDict] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is E17?"},
]
USABLE = [route for route in read_routes().values() if route.status != "retired"]
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
# Path and model of the request, and what 12,345 prompt and 678 reply tokens cost, by hand.
SENT: dict[str, tuple[str, str, float | None]] = {
    "mixtral-8x7b-together": ("/v1/chat/completions", MIXTRAL, 0.0078138),
    "mixtral-8x22b-together": (
        "/v1/chat/completions",
        "mistralai/Mixtral-8x22B-Instruct-v0.1",
        0.0156276,
    ),
    "discolm-8x7b-together": (
        "/v1/chat/completions",
        "DiscoResearch/DiscoLM-mixtral-8x7b-v2",
        0.0078138,
    ),
    "mixtral-8x7b-openrouter": (
        "/api/v1/chat/completions",
        "mistralai/mixtral-8x7b-instruct",
        0.00703242,
    ),
    "mixtral-8x7b-deepinfra": ("/v1/openai/chat/completions", MIXTRAL, 0.00703242),
    "mixtral-8x7b-mistral": ("/v1/chat/completions", "open-mixtral-8x7b", 0.0086274),
    "mixtral-8x7b-fireworks": (
        "/inference/v1/chat/completions",
        "accounts/fireworks/models/mixtral-8x7b-instruct",
        0.0060228,
    ),
    "mixtral-8x7b-ollama": ("/api/chat", "mixtral:8x7b", 0.0),
    "mixtral-8x7b-vllm": ("/v1/chat/completions", MIXTRAL, 0.0),
    "mixtral-8x7b-huggingface": ("/v1/chat/completions", MIXTRAL, None),
    "mixtral-8x7b-proxy": ("/chat/completions", "mixtral-8x7b", None),
    "openai-compatible": ("/v1/chat/completions", "mixtral-8x7b-instruct", None),
}


@pytest.fixture(scope="module", autouse=True)
def litellm_is_loaded() -> None:
    provider.load()


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording() as running:
        yield running


def _here(route: Route, server: RecordingServer) -> Model:
    """Return a route's model with the provider's path on this machine's server."""
    path = urlsplit(route.url or "http://endpoint/v1").path
    return resolve(route.name, url=server.at(path), key=KEY)


def _ask(model: Model) -> Completion:
    completion = Completion()
    assert "".join(LiteLlmModel(model).stream(MESSAGES, 50, completion)) == WORDS
    return completion


def test_every_usable_route_has_its_request_written_down() -> None:
    assert {route.name for route in USABLE} == set(SENT)


@pytest.mark.parametrize("route", USABLE, ids=lambda route: route.name)
def test_the_request_of_a_route_is_the_providers_own(route: Route, server: RecordingServer) -> None:
    path, model_id, cost = SENT[route.name]
    model = _here(route, server)

    completion = _ask(model)

    [asked] = server.asked
    assert asked.path == path
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == model_id
    assert asked.body["stream"] is True
    assert [
        {"role": message["role"], "content": message["content"]}
        for message in asked.body["messages"]
    ] == MESSAGES
    limits = asked.body["options"] if route.name == "mixtral-8x7b-ollama" else asked.body
    names = ("num_predict", "max_tokens")
    assert [limits[name] for name in names if name in limits] == [50]
    assert limits["temperature"] == provider.TEMPERATURE
    assert "max_retries" not in asked.body
    assert completion == Completion(Usage(PROMPT_TOKENS, REPLY_TOKENS), None)
    assert model.cost_usd(PROMPT_TOKENS, REPLY_TOKENS) == (cost and pytest.approx(cost))


@pytest.mark.parametrize(
    "route", [route for route in USABLE if route.json_mode], ids=lambda route: route.name
)
def test_a_route_with_json_is_asked_for_it_in_its_own_words(
    route: Route, server: RecordingServer
) -> None:
    completion = Completion()
    stream = LiteLlmModel(_here(route, server)).stream(MESSAGES, 50, completion, JSON_EXTRAS)
    assert "".join(stream) == WORDS

    [asked] = server.asked
    if route.name == "mixtral-8x7b-ollama":
        assert asked.body["format"] == "json"
    else:
        assert asked.body["response_format"] == {"type": "json_object"}
    assert "allowed_openai_params" not in asked.body


@pytest.mark.parametrize(
    "route", [route for route in USABLE if route.tools], ids=lambda route: route.name
)
def test_a_route_with_tools_is_offered_the_search(route: Route, server: RecordingServer) -> None:
    completion = Completion()
    extras = {"tools": [TOOL]}
    stream = LiteLlmModel(_here(route, server)).stream(MESSAGES, 50, completion, extras)
    assert "".join(stream) == WORDS

    [asked] = server.asked
    assert asked.body["tools"] == [TOOL]


@pytest.mark.parametrize("window", [None, 8_192])
def test_ollama_is_told_the_window_with_each_request(
    server: RecordingServer, window: int | None
) -> None:
    _ask(resolve("mixtral-8x7b-ollama", url=server.at(""), window_tokens=window))
    _ask(resolve("ollama_chat/any-other", url=server.at("/v1/"), window_tokens=window))

    listed, unlisted = server.asked
    assert listed.body["options"]["num_ctx"] == (window or 32_768)
    assert unlisted.path == "/api/chat"
    assert unlisted.body["options"]["num_ctx"] == (window or UNLISTED_WINDOW_TOKENS)


def test_where_the_provider_counts_nothing_no_count_is_invented(server: RecordingServer) -> None:
    # LiteLLM leaves the wish for a count out of what it sends to this provider.
    completion = _ask(resolve("deepinfra/any-other", url=server.at("/v1"), key=KEY))

    assert "stream_options" not in server.asked[0].body
    assert completion == Completion(Usage(None, None), None)


def test_openrouter_is_told_to_ask_nobody_who_collects_data(server: RecordingServer) -> None:
    _ask(_here(read_routes()["mixtral-8x7b-openrouter"], server))

    assert server.asked[0].body["provider"] == {"data_collection": "deny"}


@pytest.mark.parametrize(
    "route", [route for route in USABLE if route.hosted], ids=lambda route: route.name
)
def test_no_variable_of_the_environment_sends_a_hosted_route_elsewhere(route: Route) -> None:
    model = resolve(route.name)

    assert model.url is None
    assert model.arguments["api_base"] == route.url
    assert str(route.url).startswith("https://")


@pytest.mark.parametrize("route", USABLE, ids=lambda route: route.name)
def test_every_route_resolves_and_budgets_with_its_own_window(route: Route) -> None:
    model = resolve(route.name, url=None if route.url else "http://127.0.0.1:9/v1")
    hits = [hit("water tank pressure " * 600, rank, page=1, score=1.0) for rank in range(1, 61)]
    question = Question("E17", [ThreadMessage("customer", "What is E17?")], "en")

    prompt = fit(question, hits, model, counter(model), 700)

    assert model.window_tokens == route.window_tokens
    assert 0 < len(prompt.hits) < len(hits)
    assert prompt.tokens <= route.window_tokens - 700 == prompt.budget_tokens
    largest = max(entry["tokens"] for entry in prompt.ledger)
    assert prompt.budget_tokens - prompt.tokens < largest + 4 * len(hits)
    assert prompt.exact == (route.tokenizer != "server" and route.template == "mistral")


def test_chatml_is_counted_with_its_markers() -> None:
    mixtral = counter(resolve("mixtral-8x7b-together"))
    discolm = counter(resolve("discolm-8x7b-together"))

    assert discolm.count_text("What is E17?") == mixtral.count_text("What is E17?")
    # Two messages and the beginning of the reply: three markers, and two ends.
    words = sum(mixtral.count_text(text) for text in ("Be brief.", "What is E17?"))
    assert discolm.count(MESSAGES) >= words + 5
    assert not discolm.exact


def test_a_retired_route_is_refused_with_the_reason() -> None:
    with pytest.raises(RetiredModelError) as raised:
        resolve("mixtral-8x7b-groq")

    assert "Groq ended it on 20 March 2025" in str(raised.value)


def test_an_endpoint_of_ones_own_needs_its_address() -> None:
    with pytest.raises(MissingUrlError) as raised:
        resolve("mixtral-8x7b-huggingface")

    assert "COPILOT_MODEL_URL" in str(raised.value)


def test_a_name_that_is_nowhere_is_unknown() -> None:
    with pytest.raises(UnknownModelError):
        resolve("mixtral-9x9b")


def test_a_window_larger_than_the_models_own_is_not_believed() -> None:
    assert resolve("mixtral-8x7b-vllm", window_tokens=131_072).window_tokens == 32_768
    assert resolve("mixtral-8x7b-vllm", window_tokens=8_192).window_tokens == 8_192
    assert resolve("openai-compatible", window_tokens=131_072).window_tokens == 131_072
    assert resolve("openai/mine", window_tokens=131_072).window_tokens == 131_072


@pytest.mark.parametrize(
    ("name", "url", "region"),
    [
        ("mixtral-8x7b-mistral", None, "eu"),
        ("mixtral-8x7b-mistral", "https://api.us.example/v1", "unknown"),
        ("mixtral-8x7b-together", None, "us"),
        ("mixtral-8x7b-ollama", None, "local"),
        ("mixtral-8x7b-ollama", "http://localhost:11434", "local"),
        ("mixtral-8x7b-ollama", "http://gpu.example:11434", "unknown"),
        ("mixtral-8x7b-together", "https://www.api.together.ai/v1/", "us"),
        ("openai/gpt", "https://api.openai.com/v1", "unknown"),
        ("openai/own", "http://gpu.lan:8000/v1", "yours"),
        ("openai/own", "http://10.0.0.7:8000/v1", "yours"),
        ("mixtral-8x7b-proxy", "http://127.0.0.1:4000", "yours"),
        ("openai/mine", "http://127.0.0.1:8080/v1", "yours"),
        ("openai/gpt-oss", None, "unknown"),
    ],
)
def test_where_data_goes_depends_on_the_address(name: str, url: str | None, region: str) -> None:
    assert resolve(name, url=url).region == region
