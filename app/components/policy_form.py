"""What replies need before they go out: a second person, sound claims, time to undo."""

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import rules
from app.workflow.access import Actor
from ingest.errors import CopilotError
from rag.policy import MAX_UNDO_SECONDS, Policy
from rag.tables import ClaimKind

BINDING = [kind for kind in ClaimKind if kind != ClaimKind.FACT]
REFUTED = ("warn", "block")
SECOND, CONTRADICTED, UNDO = "policy.second", "policy.refuted", "policy.undo"


def show(services: Services, actor: Actor) -> None:
    """Show the policy, and let it be changed."""
    policy = rules.read(services, actor.id).policy
    st.subheader(t("policy.title"))
    with st.form("policy", border=False):
        st.pills(
            t("policy.second"),
            BINDING,
            selection_mode="multi",
            default=[kind for kind in BINDING if kind in policy.second_approver],
            format_func=lambda kind: t(f"policy.kind_{kind}"),
            key=SECOND,
        )
        st.caption(t("policy.second_hint"))
        st.radio(
            t("policy.refuted"),
            REFUTED,
            index=REFUTED.index(policy.refuted),
            format_func=lambda choice: t(f"policy.refuted_{choice}"),
            horizontal=True,
            key=CONTRADICTED,
        )
        st.number_input(
            t("policy.undo"), 0, MAX_UNDO_SECONDS, value=policy.undo_seconds, key=UNDO, width=260
        )
        st.form_submit_button(t("policy.save"), on_click=_save, args=(services, actor, policy))


def _save(services: Services, actor: Actor, seen: Policy) -> None:
    chosen = {
        "second_approver": st.session_state[SECOND],
        "refuted": st.session_state[CONTRADICTED],
        "undo_seconds": st.session_state[UNDO],
    }
    try:
        rules.save_policy(services, actor.id, rules.policy_of(chosen), seen=seen)
    except CopilotError as error:
        session.put(session.PROBLEM, plain(str(error)))
        return
    session.put(session.NOTICE, t("policy.saved"))
