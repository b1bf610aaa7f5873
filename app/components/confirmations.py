"""The sentences of a reply that bind the desk, each to be confirmed by the agent."""

import hashlib
from collections.abc import Sequence

import streamlit as st

from app import session
from app.components.plain import plain
from app.roles import Permission
from app.text import t
from app.workflow.access import Actor
from app.workflow.confirming import to_confirm
from rag.blanks import blanks
from rag.cite import CitedClaim, bare_text


def show(actor: Actor, draft_id: str, claims: Sequence[CitedClaim]) -> None:
    """Show a box for each sentence that binds the desk; a changed sentence is asked for anew."""
    # A sentence with a blank will read otherwise.
    binding = [claim for claim in to_confirm(claims) if not blanks(claim.text)]
    if not binding or not actor.may(Permission.DESK_DRAFTS_SETTLE):
        return
    with st.container(border=True):
        st.markdown(t("confirm.title"))
        for claim in binding:
            key = f"confirm.{draft_id}.{hashlib.sha256(claim.text.encode()).hexdigest()[:16]}"
            st.session_state.setdefault(key, claim.text in confirmed(draft_id))
            st.checkbox(
                t(f"confirm.{claim.kind}", sentence=plain(bare_text(claim.text))),
                key=key,
                on_change=_keep,
                args=(draft_id, claim.text, key),
            )
        st.caption(t("confirm.hint"))


def confirmed(draft_id: str) -> frozenset[str]:
    """Return the sentences that the agent confirmed, also while they are not shown."""
    kept: frozenset[str] | None = session.get(_place(draft_id))
    return kept or frozenset()


def _keep(draft_id: str, sentence: str, key: str) -> None:
    before = confirmed(draft_id)
    is_confirmed = bool(st.session_state[key])
    session.put(_place(draft_id), before | {sentence} if is_confirmed else before - {sentence})


def _place(draft_id: str) -> str:
    return f"confirmed.{draft_id}"
