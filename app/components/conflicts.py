"""Two documents that contradict each other where a reply cites one of them."""

from collections.abc import Sequence

from app import session
from app.components import tree
from app.components.tree import Node, button, node
from app.text import t
from rag.conflicts import Conflict, Side


def show(draft_id: str, found: Sequence[Conflict]) -> Side | None:
    """Show conflicts, and return the place of one that is open."""
    sides = {_name(side): side for conflict in found for side in conflict.sides}

    def act(_action: str, name: str) -> None:
        session.put(session.CITATION, None)
        session.put(session.CONFLICT, name)

    if found:
        tree.show(f"conflicts.{draft_id}", *map(_card, found), on_act=act)
    return sides.get(session.get(session.CONFLICT))


def _card(conflict: Conflict) -> Node:
    cited, other = conflict.sides
    owners = dict.fromkeys(side.hit.document.owner for side in conflict.sides)
    return node(
        "section",
        node("h3", f"⚠ {t('conflicts.title')}"),
        node("div", _side(cited, other), _side(other, cited), class_="sides"),
        node("p", t("conflicts.owners", owners=", ".join(owners)), class_="quiet"),
        key=_name(cited),
        class_="finding conflict",
    )


def _side(side: Side, against: Side) -> Node:
    title, figure = side.hit.version.title, side.figure(against)
    opened = session.get(session.CONFLICT) == _name(side)
    shown = button(t("conflicts.open"), "open", _name(side), title)
    shown["attributes"]["aria-pressed"] = str(opened).lower()
    before, found, after = side.text.strip().partition(figure)
    quoted = [part for part in (before, node("mark", found) if found else "", after) if part]
    return node(
        "div",
        node("p", t("conflicts.side", title=title, figure=figure), class_="name"),
        node("blockquote", *quoted),
        shown,
    )


def _name(side: Side) -> str:
    return f"{side.hit.passage.id}.{side.start}"
