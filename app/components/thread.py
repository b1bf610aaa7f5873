"""The ticket as the customer wrote it."""

import streamlit as st

from app.text import t
from app.workflow.tickets import TicketView
from rag.tables import Author

HEIGHT = 560


def show(view: TicketView) -> None:
    """Show subject, facts and messages, newest message first in sight."""
    st.text(view.ticket.subject)
    customer = view.ticket.customer
    unknown = t("inbox.unknown")
    st.caption(
        t(
            "inbox.facts",
            name=customer.get("name", unknown),
            country=customer.get("country", unknown),
            product=customer.get("product", unknown),
            language=view.ticket.language,
        )
    )
    with st.container(height=HEIGHT, border=False):
        for author, body in reversed(view.messages):
            kind = "customer" if author == Author.CUSTOMER else "agent"
            with st.container(border=True):
                st.caption(t(f"inbox.from_{kind}"))
                st.text(body)
