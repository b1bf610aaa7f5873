"""The catalogue as it is, and what is said of one that cannot be used."""

from pathlib import Path

import pytest

from rag.errors import CatalogueError
from rag.routes import CATALOGUE, Load, cost_usd, is_allowed, may_replace, read_routes

TABLE = """
[mine]
id = "openai/mine"
window_tokens = 8192
tokenizer = "server"
json_mode = true
tools = false
input_usd = 1.0
output_usd = 2.0
price_source = "https://example.com/prices"
price_read = 2026-11-20
status = "active"
company = "Example"
country = "DE"
region = "eu"
processed_in = "unknown"
retention = "unknown"
training = "unknown"
contract = "https://example.com/contract"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models.toml"


def _reason(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        read_routes(file)
    assert str(file) in str(raised.value)
    return str(raised.value.fields["reason"])


def test_a_new_route_is_one_table(file: Path) -> None:
    file.write_text(CATALOGUE.read_text(encoding="utf-8") + TABLE, encoding="utf-8")

    routes = read_routes(file)

    assert len(routes) == len(read_routes()) + 1
    assert routes["mine"].window_tokens == 8_192
    assert routes["mine"].template == "mistral"


@pytest.mark.parametrize(
    ("line", "instead", "reason"),
    [
        ("window_tokens = 8192", "", "mine.window_tokens: Field required"),
        ("region = ", 'regoin = "eu"\nregion = ', "mine.regoin: Unexpected keyword argument"),
        ('"eu"', '"moon"', "mine.region: Input should be 'eu', 'us'"),
        ("8192", "0", "mine.window_tokens: Input should be greater than 0"),
        ("output_usd = 2.0", "", "one of input_usd and output_usd is missing"),
        ("price_read = 2026-11-20", "", "a price needs price_source and price_read"),
        ('"active"', '"retired"', "what is retired needs a reason"),
        ('"openai/mine"', '"mine"', "mine.id: String should match pattern"),
        ("[mine]", "mine = 1\n[other]", "mine is no table"),
        ("[mine]", "[mine", "Expected ']'"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(
    file: Path, line: str, instead: str, reason: str
) -> None:
    assert reason in _reason(file, TABLE.replace(line, instead, 1))


def test_a_catalogue_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(CatalogueError) as raised:
        read_routes(file)

    assert raised.value.fields["path"] == file


def test_the_windows_are_the_models_own() -> None:
    routes = read_routes()
    windows = {name: route.window_tokens for name, route in routes.items() if "8x" in name}

    assert windows.pop("mixtral-8x22b-together") == 65_536
    assert set(windows.values()) == {32_768}


def test_prices_are_those_of_the_providers_lists() -> None:
    prices = {name: (route.input_usd, route.output_usd) for name, route in read_routes().items()}

    assert prices == {
        "mixtral-8x7b-together": (0.60, 0.60),
        "mixtral-8x22b-together": (1.20, 1.20),
        "discolm-8x7b-together": (0.60, 0.60),
        "mixtral-8x7b-openrouter": (0.54, 0.54),
        "mixtral-8x7b-deepinfra": (0.54, 0.54),
        "mixtral-8x7b-mistral": (0.60, 1.80),
        "mixtral-8x7b-fireworks": (0.40, 1.60),
        "mixtral-8x7b-groq": (None, None),
        "mixtral-8x7b-ollama": (0.0, 0.0),
        "mixtral-8x7b-vllm": (0.0, 0.0),
        "mixtral-8x7b-huggingface": (None, None),
        "mixtral-8x7b-proxy": (None, None),
        "openai-compatible": (None, None),
    }


def test_only_discolm_speaks_chatml() -> None:
    spoken = {name for name, route in read_routes().items() if route.template == "chatml"}

    assert spoken == {"discolm-8x7b-together"}


def test_of_one_company_the_same_is_said_everywhere() -> None:
    said = {
        (route.country, route.region, route.processed_in, route.retention, route.training)
        for route in read_routes().values()
        if route.company.startswith("Together")
    }

    assert len(said) == 1


def test_every_hosted_route_links_its_contract() -> None:
    hosted = [route for route in read_routes().values() if route.hosted]

    assert len(hosted) == 8
    assert all(route.contract.startswith("https://") for route in hosted)
    assert all(route.price_source.startswith("https://") for route in hosted if route.input_usd)


def test_a_month_is_tickets_times_tokens_times_prices() -> None:
    routes = read_routes()
    month = Load(20_000, prompt_tokens=4_000, reply_tokens=350)

    # 20,000 x (4,000 x 0.60 + 350 x 1.80) / 1,000,000, and so on.
    assert month.cost_usd(routes["mixtral-8x7b-mistral"]) == pytest.approx(60.60)
    assert month.cost_usd(routes["mixtral-8x22b-together"]) == pytest.approx(104.40)
    assert month.cost_usd(routes["mixtral-8x7b-ollama"]) == 0
    assert month.cost_usd(routes["mixtral-8x7b-huggingface"]) is None
    assert month.cost_usd(routes["mixtral-8x7b-groq"]) is None


def test_a_price_that_is_half_known_is_unknown() -> None:
    assert cost_usd(0.6, None, 1_000, 10) is None
    assert cost_usd(0.5, 2.0, 1_000_000, 500_000) == pytest.approx(1.50)


def test_a_desk_sends_nothing_outside_its_regions() -> None:
    assert is_allowed("eu", {"eu"})
    assert not is_allowed("us", {"eu"})
    assert not is_allowed("yours", {"eu"})
    assert not is_allowed("eu", set())
    assert is_allowed("local", set())
    assert is_allowed("us", None)
    assert is_allowed("unknown", None)
    assert not is_allowed("unknown", {"unknown", "eu"})


def test_a_stand_in_never_crosses_the_desks_regions() -> None:
    assert may_replace("eu", "local", {"eu"})
    assert may_replace("eu", "us", {"eu", "us"})
    assert may_replace("eu", "eu", None)
    assert not may_replace("eu", "us", {"eu"})
    assert not may_replace("eu", "us", None)
    assert not may_replace("unknown", "us", None)
    assert not may_replace("us", "us", set())
