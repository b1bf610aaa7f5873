"""Facts that nobody supplied: marked in the reply, and listed before it can be approved."""

from collections.abc import Iterable, Iterator
from typing import Any

import streamlit as st

from app.components.plain import plain
from app.text import t
from rag.blanks import blanks, split


def show(text: str) -> None:
    """Say what is still to be filled in."""
    if empty := blanks(text):
        st.warning(t("blanks.lead", blanks=plain(" · ".join(empty))))


def marked(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Set the blanks of a reply's stretches of text apart."""
    for part in parts:
        if part["kind"] != "text":
            yield part
            continue
        for text, is_blank in split(part["text"]):
            blank = {"state": f"{part.get('state', '')} blank".strip(), "note": t("blanks.note")}
            yield {**part, "text": text, **(blank if is_blank else {})}
