"""An open draft whose sources have changed since it was made."""

from dataclasses import asdict

import streamlit as st

from app import session
from app.components import moved, sending
from app.services import Services
from app.text import t
from app.workflow import approving, drafts
from app.workflow.access import Actor
from app.workflow.drafts import DraftView
from ingest.errors import CopilotError
from rag.seal import MovedKind
from rag.tables import Draft


def show(services: Services, actor: Actor, draft: DraftView, text: str) -> None:
    """Say what a draft cites that no longer stands in its source, and offer what stands there."""
    row = draft.draft
    found = drafts.stale(services, actor.id, row.id, text)
    if not found:
        return
    st.warning(t("stale.lead"))
    for place, each in enumerate([] if sending.tells_of_sources(draft.decision) else found):
        key = f"stale.{row.id}.{row.version}.{place}"
        moved.show(asdict(each), key, t("moved.drafted"))
    if any(each.kind == MovedKind.VERSION for each in found):
        st.button(
            t("stale.renew"),
            key=f"inbox.renew.{row.id}",
            on_click=_renew,
            args=(services, actor, row),
        )


def _renew(services: Services, actor: Actor, row: Draft) -> None:
    try:
        approving.renew(services, actor.id, row.id, row.version)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.CITATION, None)
    session.put(session.NOTICE, t("stale.renewed"))
