"""What an agent wants changed about a draft, in a click or in words."""

from collections.abc import Callable

import streamlit as st

from app.text import t
from app.workflow.tickets import TicketView
from rag.pipeline import Wish
from rag.prompt import LANGUAGES

# What the model is told for each chip.
KINDS = {
    "shorter": "Make the reply shorter.",
    "warmer": "Make the tone warmer.",
    "steps": "Write the reply as numbered steps.",
}
MAX_CHARACTERS = 300


def show(view: TicketView, act: Callable[[Wish], None]) -> None:
    """Show chips and a line to write on, and act on them."""
    key = f"inbox.change.{view.ticket.id}"
    kinds = st.pills(
        t("inbox.change_kind"),
        list(KINDS),
        selection_mode="multi",
        format_func=lambda kind: t(f"inbox.change_{kind}"),
        key=f"{key}.kinds",
    )
    language = st.pills(
        t("inbox.change_language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=f"{key}.language",
    )
    words = st.text_input(t("inbox.change_text"), key=f"{key}.text", max_chars=MAX_CHARACTERS)
    told = " ".join(filter(None, [*(KINDS[kind] for kind in kinds), words.strip()]))
    nothing = not (told or language)
    if st.button(t("inbox.change_button"), key=f"{key}.button", disabled=nothing):
        act(Wish(told, language or "", afresh=True))
