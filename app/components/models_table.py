"""The routes to language models, and what each costs and may do."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import streamlit as st

from app.components import regions_form, tree
from app.components.models_desk import DASH, dollars, drafting, month, place
from app.components.tree import Node, node
from app.services import Services
from app.text import t
from app.workflow import models
from app.workflow.access import Actor
from rag.models import EXTRACTIVE
from rag.routes import PROMPT_TOKENS, REPLY_TOKENS, Load, Route

DEFAULT_TICKETS = 1_000
MAX_TICKETS = 10_000_000
NUMBERS = {"window", "input", "output", "month"}
# Of the table; else the words of narrow columns are broken.
WIDTHS = {
    "route": "14%",
    "company": "13%",
    "processed": "11%",
    "retention": "17%",
    "training": "12%",
    "contract": "10%",
    "notes": "23%",
}


def show(services: Services, actor: Actor) -> None:
    """Show what drafts at this desk, and all the routes that could."""
    view = models.overview(services, actor.id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        tree.show("models.desk", *drafting(view.desk))
        if view.desk.name != EXTRACTIVE and view.desk.problem is None:
            _ask(services, actor, view.desk.name)
    with right:
        tree.show("models.month", *month(view.month))
        regions_form.show(services, actor)
    _routes(view.routes, view.desk.name)
    tree.show("models.data", *data_table(view.routes))


def _ask(services: Services, actor: Actor, name: str) -> None:
    if st.button(t("models.ask"), key="models.ask"):
        with st.spinner(t("models.asking", model=name)):
            models.ask(services, actor.id)
        # What came of it stands above the button, where it is drawn before.
        st.rerun()


@st.fragment
def _routes(routes: Sequence[Route], desk: str) -> None:
    """Show the routes with what a month costs; another number of tickets draws this part anew."""
    tree.show("models.title", node("h3", t("models.routes")))
    tickets = st.number_input(
        t("models.tickets"),
        0,
        MAX_TICKETS,
        DEFAULT_TICKETS,
        step=100,
        key="models.tickets",
        width=260,
    )
    tree.show("models.routes", *cost_table(routes, desk, Load(int(tickets))))


def cost_table(routes: Sequence[Route], desk: str, load: Load) -> list[Node]:
    """Return each route with its state, who reads what it is sent, and what it costs."""
    cells: dict[str, Callable[[Route], Node]] = {
        "state": _state,
        "region": lambda route: place(route.region),
        "window": lambda route: f"{route.window_tokens:,}",
        "input": lambda route: dollars(route.input_usd),
        "output": lambda route: dollars(route.output_usd),
        "month": lambda route: dollars(load.cost_usd(route)),
        "source": _source,
        "features": _features,
    }
    words = t("models.assumed", prompt=f"{PROMPT_TOKENS:,}", reply=f"{REPLY_TOKENS:,}")
    return [
        _table(routes, cells, lambda route: _name(route, desk)),
        node("p", words, class_="quiet"),
    ]


def data_table(routes: Sequence[Route]) -> list[Node]:
    """Return each route with what becomes of the data that it is sent."""
    cells: dict[str, Callable[[Route], Node]] = {
        "company": _company,
        "processed": lambda route: route.processed_in,
        "retention": lambda route: route.retention,
        "training": lambda route: route.training,
        "contract": lambda route: address(route.contract),
        "notes": lambda route: route.notes or DASH,
    }
    return [
        node("h3", t("models.data")),
        _table(routes, cells, lambda route: route.name),
    ]


def address(url: str) -> Node:
    """Return a link that reads as its server's name; what is no web address is no link."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return url or DASH
    name = parts.hostname.removeprefix("www.")
    return node("a", name, href=url, target="_blank", rel="noopener noreferrer")


def _table(
    routes: Sequence[Route],
    cells: dict[str, Callable[[Route], Node]],
    name_of: Callable[[Route], Node],
) -> Node:
    heads = [
        node(
            "th",
            t(f"models.column_{column}"),
            scope="col",
            class_=_class(column),
            # Of the head alone: on a phone there is none, and no columns.
            width=WIDTHS.get(column),
        )
        for column in ("route", *cells)
    ]
    rows = [
        node(
            "tr",
            node("th", name_of(route), scope="row"),
            *(_cell(column, cell(route)) for column, cell in cells.items()),
        )
        for route in routes
    ]
    return node("table", node("thead", node("tr", *heads)), node("tbody", *rows))


def _cell(column: str, content: Node) -> Node:
    return node("td", content, class_=_class(column), data_label=t(f"models.column_{column}"))


def _class(column: str) -> str | None:
    return "number" if column in NUMBERS else None


def _name(route: Route, desk: str) -> Node:
    here = node("div", t("models.here"), class_="quiet") if route.name == desk else None
    return node("span", route.name, here)


def _state(route: Route) -> Node:
    reason = node("div", f"{route.reason}.", class_="quiet") if route.reason else None
    return node("span", t(f"models.status_{route.status}"), reason)


def _features(route: Route) -> str:
    there = {"json": route.json_mode, "functions": route.tools}
    return ", ".join(t(f"models.{name}") for name, has in there.items() if has) or DASH


def _source(route: Route) -> Node:
    if not route.price_source or route.price_read is None:
        return DASH
    return node("span", address(route.price_source), node("div", str(route.price_read)))


def _company(route: Route) -> str:
    if route.country == "yours":
        return route.company
    return t("models.company", company=route.company, country=route.country)
