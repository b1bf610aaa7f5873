"""The ticket as the customer wrote it."""

from typing import Any

import streamlit as st

from app.components import shield
from app.components.plain import plain
from app.text import t
from app.workflow.tickets import TicketView
from rag.tables import Author

HEIGHT = 560


def show(view: TicketView) -> None:
    """Show subject, facts and messages, newest message first in sight."""
    st.subheader(plain(view.ticket.subject))
    customer, unknown = view.ticket.customer, t("inbox.unknown")
    facts = {
        name: plain(str(customer.get(name, unknown))) for name in ("name", "country", "product")
    }
    st.caption(t("inbox.facts", language=plain(view.ticket.language), **facts))
    if made := view.ticket.triage:
        fields = {name: plain(str(made[name])) for name in ("intent", "urgency")}
        st.caption(t("inbox.triage", answer=_answerable(made), **fields))
    shield.of_ticket(view.suspicious)
    with st.container(height=HEIGHT, border=False, key="thread"):
        for author, body in reversed(view.messages):
            kind = "customer" if author == Author.CUSTOMER else "agent"
            with st.container(border=True):
                st.caption(t(f"inbox.from_{kind}"))
                st.text(body)


def _answerable(triage: dict[str, Any]) -> str:
    return t("inbox.triage_answerable" if triage["answerable"] else "inbox.triage_not_answerable")
