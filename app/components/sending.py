"""An approved reply on its way: how long it waits, the way back, and why one was not sent."""

from math import ceil

import streamlit as st

from app import session
from app.components import moved
from app.components.plain import plain
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import dispatch
from app.workflow.access import Actor
from ingest.db import now
from ingest.errors import CopilotError
from rag.seal import MovedKind
from rag.tables import Approval, ApprovalState

EVERY = "1s"


def show(services: Services, actor: Actor, approval: Approval) -> None:
    """Count down until a reply is sent; the page is shown anew once it is, or has come back."""

    @st.fragment(run_every=EVERY)
    def countdown() -> None:
        try:
            present = dispatch.state(services, actor.id, approval.id)
        except CopilotError:
            st.rerun()
        if present.state != ApprovalState.SEALED or present.send_after is None:
            _fill_anew(approval.draft_id)
            st.rerun()
        seconds = ceil((present.send_after - now()).total_seconds())
        st.info(t("sending.waits", seconds=seconds) if seconds > 0 else t("sending.due"))
        if actor.may(Permission.DESK_DRAFTS_SETTLE):
            _verbs(services, actor, approval)

    countdown()


def _verbs(services: Services, actor: Actor, approval: Approval) -> None:
    undo, send = st.columns(2)
    undo.button(
        t("sending.undo"),
        key=f"inbox.undo.{approval.id}",
        type="primary",
        shortcut="z",
        width="stretch",
        on_click=_undo,
        args=(services, actor, approval),
    )
    send.button(
        t("sending.now"),
        key=f"inbox.send.{approval.id}",
        width="stretch",
        on_click=_send,
        args=(services, actor, approval.id),
    )


def _undo(services: Services, actor: Actor, approval: Approval) -> None:
    try:
        dispatch.undo(services, actor.id, approval.id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
    _fill_anew(approval.draft_id)


def _fill_anew(draft_id: str) -> None:
    """Forget the editor of before: the browser has forgotten it too and would show it empty."""
    for name in ("text", "edit"):
        st.session_state.pop(f"inbox.{name}.{draft_id}", None)


def _send(services: Services, actor: Actor, approval_id: str) -> None:
    try:
        dispatch.send_now(services, actor.id, approval_id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))


def tells_of_sources(approval: Approval | None) -> bool:
    """Tell whether what became of a source is said already, with the refusal."""
    if approval is None or approval.state != ApprovalState.REFUSED:
        return False
    return any(each["kind"] in {MovedKind.VERSION, MovedKind.WITHDRAWN} for each in approval.moved)


def came_back(approval: Approval | None) -> None:
    """Say why an open draft was approved before and yet is not sent."""
    if approval is None:
        return
    if approval.state == ApprovalState.UNDONE:
        st.info(t("sending.undone"))
    if approval.state == ApprovalState.RETURNED:
        fields = {"who": plain(approval.seconded_by or ""), "reason": plain(approval.reason)}
        st.warning(t("second.returned", **fields))
    if approval.state == ApprovalState.REFUSED:
        st.error(t("sending.refused"))
        for place, each in enumerate(approval.moved):
            moved.show(each, f"moved.{approval.id}.{place}", t("moved.approved"))
        st.caption(t("sending.again"))
