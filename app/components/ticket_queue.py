"""The agent's queue: open and answered tickets, oldest first."""

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import tickets
from app.workflow.access import Actor
from rag.tables import Ticket, TicketStatus

HEIGHT = 640
SUBJECT_CHARACTERS = 60


def show(services: Services, actor: Actor) -> None:
    """Show the queue; a click opens a ticket."""
    kinds = {t("inbox.open"): TicketStatus.OPEN, t("inbox.answered"): TicketStatus.ANSWERED}
    kind = st.segmented_control(
        t("inbox.title"), list(kinds), default=t("inbox.open"), key="inbox.kind", required=True
    )
    rows = tickets.queue(services, actor.id, kinds[kind])
    if not rows:
        st.caption(t("inbox.empty"))
        return
    opened = session.opened_ticket()
    with st.container(height=HEIGHT, border=False, key="queue"):
        for ticket in rows:
            _row(ticket, is_open=ticket.id == opened)


def _row(ticket: Ticket, *, is_open: bool) -> None:
    mark = "▶ " if is_open else ""
    subject = plain(_short(ticket.subject))
    urgent = f" · {t('inbox.urgent')}" if ticket.triage.get("urgency") == "high" else ""
    label = f"{mark}**{plain(ticket.id)}** · {plain(ticket.language)}{urgent}  \n{subject}"
    st.button(
        label,
        key=f"inbox.ticket.{ticket.id}",
        type="primary" if is_open else "secondary",
        width="stretch",
        wrap=True,
        on_click=session.open_ticket,
        args=(ticket.id,),
    )


def _short(subject: str) -> str:
    return subject[:SUBJECT_CHARACTERS] + ("…" if len(subject) > SUBJECT_CHARACTERS else "")
