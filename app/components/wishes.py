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
    labels = {t(f"inbox.change_{kind}"): told for kind, told in KINDS.items()}
    for language in LANGUAGES.values():
        labels[t("inbox.change_language", language=language)] = f"Write in {language}."
    chosen = st.pills(
        t("inbox.change_kind"), list(labels), selection_mode="multi", key=f"{key}.kinds"
    )
    words = st.text_input(t("inbox.change_text"), key=f"{key}.text", max_chars=MAX_CHARACTERS)
    told = " ".join(filter(None, [*(labels[label] for label in chosen), words.strip()]))
    if st.button(t("inbox.change_button"), key=f"{key}.button", disabled=not told):
        act(Wish(told, afresh=True))
