"""A sent reply whose source has changed: what was told, what stands there now, what to do."""

import streamlit as st

from app import session
from app.components import tree
from app.components.changes import comparison
from app.components.plain import plain
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import recalls
from app.workflow.access import Actor
from app.workflow.changed_sources import Change, Recall
from ingest.changes import between
from ingest.errors import CopilotError


def show(services: Services, actor: Actor, recall: Recall) -> None:
    """Show a reply with its changes and the two things that can be done about it."""
    approval = recall.approval
    with st.container(border=True):
        fields = {"ticket": plain(recall.ticket.id), "subject": plain(recall.ticket.subject)}
        st.markdown(t(f"recalls.worst_{recall.worst}", **fields))
        when = f"{approval.sent_at or approval.at:%Y-%m-%d %H:%M} UTC"
        st.caption(t("recalls.sent", who=plain(approval.decided_by), when=when))
        for place, change in enumerate(recall.changes):
            _change(change, key=f"recall.{approval.id}.{place}")
        if actor.may(Permission.DESK_RECALLS_WRITE):
            _verbs(services, actor, approval.id)


def _change(change: Change, key: str) -> None:
    st.caption(t("recalls.told", title=plain(change.title)))
    st.text(change.told)
    if not change.now:
        st.caption(t(f"recalls.nothing_{change.drift}"))
        return
    sides = (t("recalls.was"), t("recalls.now"))
    tree.show(key, *comparison(between(change.was, change.now), sides))


def _verbs(services: Services, actor: Actor, approval_id: str) -> None:
    prepare, dismiss = st.columns(2)
    prepare.button(
        t("recalls.prepare"),
        key=f"recalls.prepare.{approval_id}",
        type="primary",
        width="stretch",
        on_click=_prepare,
        args=(services, actor, approval_id),
    )
    with dismiss, st.popover(t("recalls.dismiss"), width="stretch"):
        reason = st.text_input(t("recalls.reason"), key=f"recalls.reason.{approval_id}")
        st.button(
            t("recalls.dismiss_button"),
            key=f"recalls.dismiss.{approval_id}",
            on_click=_dismiss,
            args=(services, actor, approval_id, reason),
        )


def _prepare(services: Services, actor: Actor, approval_id: str) -> None:
    try:
        ticket_id = recalls.prepare(services, actor.id, approval_id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("recalls.prepared", ticket=ticket_id))


def _dismiss(services: Services, actor: Actor, approval_id: str, reason: str) -> None:
    try:
        recalls.dismiss(services, actor.id, approval_id, reason)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("recalls.dismissed"))
