"""Who is at the browser, and what they have open."""

from typing import Any

import streamlit as st

from app import auth, resources, sign_in
from app.components.link import link
from app.text import t
from app.workflow.access import Actor, actor_of

TICKET = "open_ticket"
CITATION = "open_citation"
CONFLICT = "open_conflict"
NOTICE = "notice"
PROBLEM = "problem"
STREAM = "stream"
APPROVED_AT = "approved_at"
REOPENED = "reopened_reply"


def current_actor() -> Actor | None:
    """Return the signed-in person with the role they have now, read anew for each action."""
    token = st.context.cookies.get(auth.COOKIE)
    services = resources.services()
    user_id = sign_in.user_id_of(services, token)
    if user_id is None:
        return None
    with services.database.read() as session:
        return actor_of(session, user_id)


def actor() -> Actor:
    """Return the signed-in person; without one the page ends here with the way to the form."""
    found = current_actor()
    if found is None:
        st.warning(t("login.expired"))
        link(t("login.button"), "/login")
        st.stop()
    return found


def put(key: str, value: Any) -> None:
    """Remember something for this browser session."""
    st.session_state[key] = value


def get(key: str) -> Any:
    """Return what was remembered, else None."""
    return st.session_state.get(key)


def open_ticket(ticket_id: str | None) -> None:
    """Open a ticket, and close what belonged to the one before; the address names it."""
    for key in (CITATION, CONFLICT, NOTICE, PROBLEM):
        put(key, None)
    put(TICKET, ticket_id)
    if ticket_id is None:
        st.query_params.pop("ticket", None)
    else:
        st.query_params["ticket"] = ticket_id


def opened_ticket() -> str | None:
    """Return the open ticket: after a reload, the one that the address names."""
    found = get(TICKET) or st.query_params.get("ticket")
    return str(found) if found else None
