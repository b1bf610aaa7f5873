"""A reply that waits for a second person, who approves exactly this text or sends it back."""

from collections.abc import Sequence

import streamlit as st

from app import session
from app.components.plain import plain
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import seconding
from app.workflow.access import Actor
from app.workflow.drafts import ClaimView
from ingest.errors import CopilotError
from rag.cite import bare_text
from rag.tables import Approval


def show(services: Services, actor: Actor, approval: Approval, claims: Sequence[ClaimView]) -> None:
    """Show who approved a reply first and what they stand by, with what this person can do."""
    when = f"{approval.at:%Y-%m-%d %H:%M} UTC"
    st.info(t("second.waits", who=plain(approval.decided_by), when=when))
    for view in claims:
        if view.claim.confirmed_by:
            fields = {"who": view.claim.confirmed_by, "sentence": bare_text(view.claim.text)}
            st.caption(
                t("second.confirmed", **{name: plain(text) for name, text in fields.items()})
            )
    if not actor.may(Permission.DESK_DRAFTS_SETTLE):
        return
    is_first = approval.decided_by == actor.email
    if is_first:
        st.caption(t("second.own"))
    approve, back = st.columns(2)
    approve.button(
        t("second.approve"),
        key=f"second.approve.{approval.id}",
        type="primary",
        width="stretch",
        disabled=is_first,
        on_click=_second,
        args=(services, actor, approval.id),
    )
    with back, st.popover(t("second.back"), width="stretch"):
        reason = st.text_input(t("second.reason"), key=f"second.reason.{approval.id}")
        if st.button(t("second.back_button"), key=f"second.back.{approval.id}"):
            _send_back(services, actor, approval.id, reason)


def _second(services: Services, actor: Actor, approval_id: str) -> None:
    try:
        seconding.second(services, actor.id, approval_id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))


def _send_back(services: Services, actor: Actor, approval_id: str, reason: str) -> None:
    try:
        seconding.send_back(services, actor.id, approval_id, reason)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    st.rerun()
