"""What a reply repeats of the customer's messages and record, in the words that stand there."""

from collections.abc import Sequence

import streamlit as st

from app.components.plain import plain
from app.text import t
from app.workflow.tickets import TicketView
from rag.cite import CitedClaim, bare_text
from rag.thread_evidence import RecordedQuote, recorded_quotes


def show(view: TicketView, claims: Sequence[CitedClaim]) -> None:
    """Show a chip for each place that a reply's sentences repeat; it opens the words."""
    found: dict[RecordedQuote, str] = {}
    for claim in claims:
        for quote in recorded_quotes(claim.text, view.messages, view.ticket.customer):
            found.setdefault(quote, bare_text(claim.text))
    if not found:
        return
    st.caption(t("records.title"))
    with st.container(horizontal=True):
        for quote, claim_text in found.items():
            with st.popover(_label(quote)):
                st.text(quote.quote)
                st.caption(plain(f"→ {claim_text}"))


def _label(quote: RecordedQuote) -> str:
    kind, _, name = quote.place.partition(":")
    return t(f"records.{kind}", field=plain(name))
