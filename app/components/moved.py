"""What is not as it was: in a sentence, and line by line where there is a difference to see."""

from collections.abc import Mapping

import streamlit as st

from app.components import tree
from app.components.changes import comparison
from app.components.plain import plain
from app.text import t
from ingest.changes import between
from rag.seal import MovedKind

COMPARED = {
    MovedKind.TEXT,
    MovedKind.CLAIMS,
    MovedKind.VERDICT,
    MovedKind.THREAD,
    MovedKind.VERSION,
}


def show(moved: Mapping[str, str], key: str, then: str) -> None:
    """Show one thing that moved: its kind, of which document, what it was then and what it is."""
    fields = {name: plain(moved[name]) for name in ("what", "was", "now")}
    st.markdown(t(f"moved.{moved['kind']}", **fields))
    if moved["kind"] not in COMPARED:
        return
    if moved["was"] == moved["now"]:
        st.caption(t("moved.same"))
        return
    changes = between(moved["was"], moved["now"])
    tree.show(key, *comparison(changes, (then, t("moved.present"))))
