"""Where tickets may be sent to be drafted."""

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import rules
from app.workflow.access import Actor
from ingest.errors import CopilotError

KEY, LIMITED = "desk.regions", "desk.regions.limited"


def show(services: Services, actor: Actor) -> None:
    """Show the regions that are allowed, and let them be changed; each change is kept at once."""
    allowed = rules.read(services, actor.id).regions
    st.session_state.setdefault(LIMITED, allowed is not None)
    st.session_state.setdefault(KEY, sorted(allowed or ()))
    st.subheader(t("regions.title"))
    st.toggle(t("regions.limited"), key=LIMITED, on_change=_save, args=(services, actor))
    if st.session_state[LIMITED]:
        st.pills(
            t("regions.allowed"),
            rules.REGIONS,
            selection_mode="multi",
            format_func=lambda region: t(f"regions.{region}"),
            key=KEY,
            on_change=_save,
            args=(services, actor),
        )
    st.caption(t("regions.hint"))


def _save(services: Services, actor: Actor) -> None:
    wanted = st.session_state.get(KEY, []) if st.session_state[LIMITED] else None
    try:
        rules.save_regions(services, actor.id, wanted)
    except CopilotError as error:
        session.put(session.PROBLEM, plain(str(error)))
        return
    session.put(session.NOTICE, t("regions.saved"))
