"""Uploads on their way in, looked at anew each second, and what an owner does about them."""

import streamlit as st

from app import session
from app.components import opened, tree
from app.components.plain import plain
from app.components.upload_line import line
from app.components.upload_rows import group_nodes, groups
from app.services import Services
from app.text import t
from app.workflow import uploads
from app.workflow.access import Actor
from app.workflow.uploads import Standing
from ingest.errors import CopilotError
from ingest.tables import Job

EVERY = "1s"


def show(services: Services, actor: Actor) -> None:
    """Show uploads; while any is on its way, look again every second."""
    moving = uploads.standing(services, actor.id).is_moving

    @st.fragment(run_every=EVERY if moving else None)
    def progress() -> None:
        try:
            standing = uploads.standing(services, actor.id)
            rows = groups(uploads.recent(services, actor.id))
        except CopilotError as error:
            st.error(plain(str(error)))
            return
        # What is open, and how often to look, is decided outside of the fragment.
        if opened.opened_document() is not None or standing.is_moving != moving:
            st.rerun()
        _show(services, actor, standing, rows)

    progress()


def _show(services: Services, actor: Actor, standing: Standing, rows: dict[str, list[Job]]) -> None:
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        session.put(session.PROBLEM, None)
    if not rows:
        st.info(t("uploads.empty"))
        return
    needing = len(rows.get("failed", []) + rows.get("quarantined", []))
    tree.show(
        "uploads.progress",
        line(standing, needing),
        _verbs(rows),
        *(group_nodes(name, some) for name, some in rows.items()),
        on_act=lambda action, subject: _act(services, actor, action, subject),
    )


def _verbs(rows: dict[str, list[Job]]) -> tree.Node:
    """Return what can be done about all uploads at once."""
    unfinished = "working" in rows or "waiting" in rows
    return tree.node(
        "div",
        tree.button(t("uploads.pause_all"), "pause_all", "") if unfinished else None,
        tree.button(t("uploads.resume_all"), "resume_all", "") if "paused" in rows else None,
        tree.button(t("uploads.cancel_waiting"), "cancel_waiting", "")
        if "waiting" in rows or "paused" in rows
        else None,
        class_="acts",
    )


def _act(services: Services, actor: Actor, action: str, subject: str) -> None:
    """Do what was clicked; a refusal is shown when the uploads are."""
    try:
        match action:
            case "open":
                opened.open_document(subject)
            case "cancel":
                uploads.cancel(services, actor.id, [subject])
            case "retry":
                uploads.retry(services, actor.id, subject)
            case "discard":
                uploads.discard(services, actor.id, subject)
            case _:
                _act_on_all(services, actor, action)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))


def _act_on_all(services: Services, actor: Actor, action: str) -> None:
    rows = groups(uploads.recent(services, actor.id))

    def ids(*names: str) -> list[str]:
        return [job.id for name in names for job in rows.get(name, [])]

    match action:
        case "pause_all":
            uploads.pause(services, actor.id, ids("working", "waiting"))
        case "resume_all":
            uploads.resume(services, actor.id, ids("paused"))
        case "cancel_waiting":
            uploads.cancel(services, actor.id, ids("waiting", "paused"))
