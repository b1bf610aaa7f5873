"""How the routes to language models read: states, amounts, and what nobody knows."""

from datetime import UTC, datetime

import pytest

from app.components import models_table
from app.components.models_desk import drafting, month
from app.components.tree import Node
from app.workflow.models import Asked, DeskRoute, Month
from rag.probe import Probe
from rag.routes import Load, read_routes
from rag.vllm import ServerLoad

WHEN = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


def words(*nodes: Node) -> str:
    """Return what a person reads of nodes."""
    texts = (node if isinstance(node, str) else words(*node["children"]) for node in nodes)
    return " ".join(filter(None, texts))


def cells(nodes: list[Node], name: str) -> dict[str, str]:
    """Return the cells of a route's row by the words above them."""
    [table] = [node for node in nodes if isinstance(node, dict) and node["tag"] == "table"]
    rows = table["children"][-1]["children"]
    [row] = [row for row in rows if words(row["children"][0]).startswith(name)]
    return {cell["attributes"]["data-label"]: words(cell) for cell in row["children"][1:]}


def test_the_embedded_drafter_says_how_to_connect_a_model() -> None:
    shown = words(*drafting(DeskRoute("extractive")))

    assert "no language model is connected" in shown
    assert "COPILOT_MODEL" in shown


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, "Nobody has asked it since the app was started."),
        (
            Asked(Probe(0.43, None), WHEN),
            "It works: it answered within 0.4 s. Asked 2026-11-21 14:02 UTC.",
        ),
        (
            Asked(Probe(0.004, None), WHEN),
            "It works: it answered within 0.1 s. Asked 2026-11-21 14:02 UTC.",
        ),
        (
            Asked(Probe(3.0, "mine did not answer: it cannot be reached."), WHEN),
            "It does not work. mine did not answer: it cannot be reached."
            " Asked 2026-11-21 14:02 UTC.",
        ),
    ],
)
def test_what_came_of_asking_is_told_with_its_time(asked: Asked | None, told: str) -> None:
    desk = DeskRoute("openai/mine", None, "yours", 8_192, asked)

    shown = words(*drafting(desk))

    assert shown == f"What drafts openai/mine your server · a window of 8,192 tokens {told}"


def test_a_route_that_cannot_be_used_as_it_is_set_says_why() -> None:
    shown = words(*drafting(DeskRoute("mixtral-8x7b-groq", "It was ended. Choose another.")))

    assert shown == "What drafts mixtral-8x7b-groq It was ended. Choose another."


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (
            ServerLoad(2, 1, 0.875, 0.9),
            "2 request(s) running on its server, 1 waiting. Its cache is 87.5 % full; once it is"
            " full, requests wait. It has set aside 90.0 % of each accelerator's memory.",
        ),
        (ServerLoad(0, 0), "0 request(s) running on its server, 0 waiting."),
    ],
)
def test_a_server_of_ones_own_says_how_busy_it_is(load: ServerLoad, told: str) -> None:
    desk = DeskRoute("openai/mine", None, "yours", 8_192, Asked(Probe(1.0, None), WHEN), load)

    assert words(*drafting(desk)).endswith(told)


def test_a_month_is_told_beside_its_limit_and_with_what_is_not_in_it() -> None:
    shown = words(*month(Month(12.3, 50.0, 3, 1)))

    assert "12.30 of 50.00 US dollars" in shown
    assert "1 of 3 requests told no cost" in shown


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (Month(0.0, 0.0, 0, 0), "0.00 US dollars"),
        (Month(0.0, 0.0, 4, 4), "\N{EN DASH} US dollars"),
        (Month(0.0, 5.0, 4, 4), "\N{EN DASH} of 5.00 US dollars"),
        (Month(0.004, 0.0, 1, 0), "under 0.01 US dollars"),
        (Month(1234.5, 0.0, 9, 0), "1,234.50 US dollars"),
    ],
)
def test_a_cost_that_nobody_knows_is_a_dash_and_not_nought(view: Month, told: str) -> None:
    assert told in words(*month(view))


def test_a_month_that_has_reached_its_limit_says_what_happens() -> None:
    assert "The limit is reached" in words(*month(Month(5.0, 5.0, 1, 0)))
    assert "The limit is reached" not in words(*month(Month(4.99, 5.0, 1, 0)))
    assert "The limit is reached" not in words(*month(Month(4.99, 0.0, 1, 0)))


def test_a_row_tells_prices_features_and_a_months_cost() -> None:
    listed = list(read_routes().values())

    shown = models_table.cost_table(listed, "mixtral-8x7b-fireworks", Load(20_000))

    # 20,000 x (4,000 x 0.40 + 350 x 1.60) / 1,000,000
    assert cells(shown, "mixtral-8x7b-fireworks drafts at this desk") == {
        "State": "active",
        "Read by": "a company in the US",
        "Window": "32,768",
        "In, $": "0.40",
        "Out, $": "1.60",
        "A month, $": "43.20",
        "Prices from": "fireworks.ai 2026-11-20",
        "Features": "JSON",
    }
    assert cells(shown, "mixtral-8x7b-ollama")["A month, $"] == "0.00"
    proxy = cells(shown, "mixtral-8x7b-proxy")
    assert {proxy[name] for name in ("In, $", "Out, $", "A month, $", "Prices from")} == {
        "\N{EN DASH}"
    }
    groq = cells(shown, "mixtral-8x7b-groq")
    assert groq["State"] == "retired, refused Groq ended it on 20 March 2025."
    assert groq["A month, $"] == "\N{EN DASH}"


def test_a_row_tells_what_becomes_of_the_data() -> None:
    shown = models_table.data_table(list(read_routes().values()))

    mistral = cells(shown, "mixtral-8x7b-mistral")
    assert mistral["Company"] == "Mistral AI (FR)"
    assert mistral["Processed in"].startswith("EU;")
    assert mistral["Kept"].startswith("30 days to watch for abuse")
    assert mistral["Trained on"].startswith("no on paid plans")
    assert mistral["Terms"] == "legal.mistral.ai"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", ""])
def test_what_is_no_web_address_is_no_link(url: str) -> None:
    shown = models_table.address(url)

    assert shown == (url or "\N{EN DASH}")
