"""Our own HTML where Streamlit has no element for it: a tree of nodes, described in Python.

Text becomes text nodes, whatever is in it. A tree that is shown anew changes in place only where it
differs, so that scroll, focus and what is unfolded stay.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

Element = dict[str, Any]
Node = str | Element
OnAct = Callable[[str, str], None]

_FOLDER = Path(__file__).parent
_mount = v2.component(
    "support_copilot.tree",
    html='<div class="tree"></div>',
    css=(_FOLDER / "tree.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "tree.js").read_text(encoding="utf-8"),
)


def node(tag: str, *children: Node | None, key: str | None = None, **attributes: object) -> Element:
    """Return an element; attributes of None are left out, "class_" and "aria_label" are meant."""
    given = {
        name.rstrip("_").replace("_", "-"): str(value)
        for name, value in attributes.items()
        if value is not None
    }
    shown = [child for child in children if child is not None]
    return {"tag": tag, "key": key, "attributes": given, "children": shown}


def button(label: str, action: str, subject: str, about: str = "") -> Element:
    """Return a button that acts on a subject; `about` tells it from its like when read aloud."""
    name = f"{label}: {about}" if about else None
    attributes = {"type": "button", "class": "act", "aria-label": name}
    key = f"{action}.{subject}"
    return {**_element("button", label, attributes, key), "act": [action, subject]}


def link(label: str, address: str, action: str, subject: str) -> Element:
    """Return a link whose plain click acts here; with Ctrl, and when copied, it is an address."""
    key = f"{action}.{subject}"
    return {**_element("a", label, {"href": address}, key), "act": [action, subject]}


def show(key: str, *nodes: Node | None, on_act: OnAct | None = None) -> None:
    """Show nodes; a click on a button or a link of theirs calls `on_act(action, subject)`."""

    def acted() -> None:
        clicked = st.session_state[key]["act"]
        if on_act is not None and clicked:
            on_act(str(clicked["action"]), str(clicked["subject"]))

    shown = [child for child in nodes if child is not None]
    _mount(data={"nodes": shown}, key=key, on_act_change=acted)


def _element(tag: str, label: str, attributes: dict[str, str | None], key: str) -> Element:
    given = {name: value for name, value in attributes.items() if value is not None}
    return {"tag": tag, "key": key, "attributes": given, "children": [label]}
