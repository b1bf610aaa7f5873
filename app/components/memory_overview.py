"""The state of the memory: whether it has a say, how much it holds, where its votes go."""

from collections.abc import Sequence

import streamlit as st

from app import session
from app.components import tree
from app.components.memory_card import card, percent
from app.components.memory_links import document_link, hidden_documents
from app.components.tree import Node, node
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import memory
from app.workflow.access import Actor
from app.workflow.memory import Exposure, HeadView, Tally
from ingest.errors import CopilotError
from rag.cases import JOIN_DAYS

COUNTS = ("voting", "waiting", "off", "removed")


def show(services: Services, actor: Actor) -> None:
    """Show the state of the memory."""
    view = memory.overview(services, actor.id)
    _learning(services, actor, learns=view.learns)
    if not view.tallies:
        st.info(t("memory.empty"))
    else:
        left, right = st.columns(2, gap="large")
        with left:
            tree.show("memory.tallies", *tallies(view.tallies))
        with right:
            tree.show("memory.exposure", *exposure(view.exposure, actor))
    if view.tallies or view.serving:
        tree.show("memory.serving", *serving(view.serving))


def _learning(services: Services, actor: Actor, *, learns: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(t("memory.learns" if learns else "memory.learns_not"), width="stretch")
        if actor.may(Permission.DESK_MEMORY_WRITE):
            st.button(
                t("memory.switch_off" if learns else "memory.switch_on"),
                key="memory.learning",
                on_click=_switch,
                args=(services, actor),
                kwargs={"on": not learns},
            )


def _switch(services: Services, actor: Actor, *, on: bool) -> None:
    try:
        memory.switch_learning(services, actor.id, on=on)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("memory.switched_on" if on else "memory.switched_off"))


def tallies(rows: Sequence[Tally]) -> list[Node]:
    """Return how many cases there are, by origin and state."""
    names = [
        node("th", t(f"memory.column_{name}"), scope="col", class_="number") for name in COUNTS
    ]
    body = [
        node(
            "tr",
            node("th", t(f"memory.origin_{row.origin}"), scope="row"),
            *(_number(name, f"{getattr(row, name):,}") for name in COUNTS),
        )
        for row in rows
    ]
    origin = node("th", t("memory.column_origin"), scope="col")
    return [
        node("h3", t("memory.tallies")),
        node("table", node("thead", node("tr", origin, *names)), node("tbody", *body)),
        node("p", t("memory.waiting_explained", days=JOIN_DAYS), class_="quiet"),
    ]


def exposure(found: Exposure, actor: Actor) -> list[Node]:
    """Return the share of the most voted documents in all votes, and these documents."""
    heading = node("h3", t("memory.exposure"))
    if not found.votes:
        return [heading, node("p", t("memory.exposure_none"))]
    share = t(
        "memory.exposure_share",
        count=len(found.top) + found.hidden,
        percent=percent(found.top_votes / found.votes),
        votes=f"{found.votes:,}",
    )
    rows = [
        _voted(document_link(actor, row.document_id, row.title), row.votes, found.votes)
        for row in found.top
    ]
    if found.hidden:
        rows.append(_voted(hidden_documents(found.hidden), found.hidden_votes, found.votes))
    heads = [
        node("th", t("memory.column_document"), scope="col"),
        node("th", t("memory.column_votes"), scope="col", class_="number"),
        node("th", t("memory.column_share"), scope="col", class_="number"),
    ]
    table = node("table", node("thead", node("tr", *heads)), node("tbody", *rows))
    return [heading, node("p", share), table]


def serving(head: HeadView | None) -> list[Node]:
    """Return what serves."""
    heading = node("h3", t("memory.serving"))
    if head is None:
        return [heading, node("p", t("memory.serving_none"))]
    return [heading, *card(head)]


def _voted(name: Node, votes: int, all_votes: int) -> Node:
    return node(
        "tr",
        node("th", name, scope="row"),
        _number("votes", f"{votes:,}"),
        _number("share", percent(votes / all_votes)),
    )


def _number(name: str, text: str) -> Node:
    return node("td", text, class_="number", data_label=t(f"memory.column_{name}"))
