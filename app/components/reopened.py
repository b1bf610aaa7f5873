"""A reply that was sent, as it was then: text, sources, thread, prompt, and who decided."""

import json

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import drafts
from app.workflow.access import Actor
from app.workflow.drafts import DraftView, Reopened
from app.workflow.tickets import TicketView
from ingest.errors import CopilotError


def choose(view: TicketView) -> None:
    """Offer each reply that was sent to a ticket to be opened as it was."""
    if not view.sent:
        return
    with st.expander(t("reopened.title", count=len(view.sent))):
        for approval in view.sent:
            when = f"{approval.sent_at or approval.at:%Y-%m-%d %H:%M} UTC"
            st.button(
                t("reopened.open", when=when, who=plain(approval.decided_by)),
                key=f"inbox.reopen.{approval.id}",
                type="tertiary",
                on_click=_open,
                args=(approval.draft_id,),
            )


def chosen(services: Services, actor: Actor, view: TicketView) -> Reopened | None:
    """Return the reply that is open as it was; None where none of this ticket is."""
    draft_id = session.get(session.REOPENED)
    if draft_id not in {approval.draft_id for approval in view.sent}:
        return None
    try:
        return drafts.reopen(services, actor.id, draft_id)
    except CopilotError as error:
        st.error(plain(str(error)))
        return None


def head(found: Reopened) -> None:
    """Say that this is the past, and whether it is as it was sealed."""
    decision = found.view.decision
    if decision is not None:
        when = f"{decision.sent_at or decision.at:%Y-%m-%d %H:%M} UTC"
        st.info(t("reopened.as_it_was", who=plain(decision.decided_by), when=when))
    if found.broken is None:
        st.caption(t("reopened.unsealed"))
    elif found.broken:
        st.error(t("reopened.broken"))
    else:
        st.caption(t("reopened.whole"))
    st.button(t("reopened.back"), key="inbox.reopened.back", on_click=_open, args=(None,))


def behind(view: DraftView) -> None:
    """Show the thread that was answered and the prompt that was sent."""
    with st.expander(t("reopened.thread")):
        for author, body in view.draft.thread:
            st.caption(t(f"inbox.from_{author}"))
            st.text(body)
    with st.expander(t("reopened.prompt")):
        st.code(json.dumps(view.draft.prompt, ensure_ascii=False, indent=1), language=None)


def _open(draft_id: str | None) -> None:
    session.put(session.CITATION, None)
    session.put(session.REOPENED, draft_id)
