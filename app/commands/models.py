"""The command that helps to choose a route to a language model."""

from dataclasses import asdict
from typing import Any

from app import console
from app.services import Services
from rag.errors import RagError
from rag.llm import LiteLlmModel, patience_with
from rag.probe import probe
from rag.routes import PROMPT_TOKENS, REPLY_TOKENS, Load, Route, read_routes

PROBE_SECONDS = 15.0
WORKS = "works"
NOT_ASKED = "not asked"


def models(
    services: Services, tickets: int, prompt_tokens: int | None, reply_tokens: int | None
) -> None:
    """List every route with its features, what a month costs, and whether the desk's works."""
    load = Load(
        tickets,
        PROMPT_TOKENS if prompt_tokens is None else prompt_tokens,
        REPLY_TOKENS if reply_tokens is None else reply_tokens,
    )
    state = _state(services)
    chosen = services.settings.model
    routes = sorted(read_routes().values(), key=lambda route: _order(route, load))
    rows = [_row(route, load, state if route.name == chosen else None) for route in routes]
    document = {**asdict(load), "desk": {"model": chosen, "probe": state}, "routes": rows}
    console.show(document, _lines(document))


def _order(route: Route, load: Load) -> tuple[bool, bool, float]:
    """Put what can be used first, and the cheaper before the dearer."""
    cost = load.cost_usd(route)
    return route.status == "retired", cost is None, cost or 0.0


def _row(route: Route, load: Load, state: str | None) -> dict[str, Any]:
    cost = load.cost_usd(route)
    unasked = "retired" if route.status == "retired" else NOT_ASKED
    return asdict(route) | {
        "probe": state or unasked,
        "month_usd": None if cost is None else round(cost, 2),
    }


def _state(services: Services) -> str:
    """Ask the desk's own model: of no other is there a key."""
    try:
        writer = services.writer()
    except RagError as error:
        return error.describe()[0]
    if writer is None:
        # The embedded drafter.
        return WORKS
    patience = patience_with(writer.route, PROBE_SECONDS)
    return probe(LiteLlmModel(writer.route, patience)).error or WORKS


def _lines(document: dict[str, Any]) -> list[str]:
    rows = document["routes"]
    width = max(len(row["name"]) for row in rows)
    head = f"{'':{width}}  window  $/M in  $/M out  features    region   $ a month  state"
    return [
        head,
        *(line for row in rows for line in _route_lines(row, width)),
        f"{document['tickets']} tickets a month, {document['prompt_tokens']} prompt and"
        f" {document['reply_tokens']} reply tokens each. A dash: tokens have no price there.",
        "With --json: notes, sources of the prices, and what becomes of the data.",
        f"This desk uses {document['desk']['model']}: {document['desk']['probe']}",
    ]


def _route_lines(row: dict[str, Any], width: int) -> list[str]:
    features = ", ".join(
        name for name, there in (("json", row["json_mode"]), ("tools", row["tools"])) if there
    )
    line = (
        f"{row['name']:{width}}  {row['window_tokens']:>6}  {_usd(row['input_usd']):>6}"
        f"  {_usd(row['output_usd']):>7}  {features or '-':<10}  {row['region']:<7}"
        f"  {_usd(row['month_usd']):>9}  {row['probe']}"
    )
    why = [f"{'':{width}}  {row['status']}: {row['reason']}."] if row["reason"] else []
    return [line, *why]


def _usd(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:.2f}"
