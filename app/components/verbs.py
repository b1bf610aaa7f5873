"""What an agent can do with a draft: have it made, approve, reject, look behind it."""

from contextlib import closing
from time import monotonic

import streamlit as st

from app import session
from app.components import confirmations, wishes
from app.components.plain import plain
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import approving, drafts
from app.workflow.access import Actor
from app.workflow.drafts import DraftView
from app.workflow.tickets import TicketView
from ingest.errors import CopilotError
from rag.clarify import clarifying
from rag.models import EXTRACTIVE
from rag.pipeline import Wish
from rag.tables import DraftStatus, ModelCall

REPEAT_SECONDS = 0.8
LEDGER_COLUMNS = ("title", "page", "score", "tokens", "included", "reason")


def text_of(draft: DraftView) -> str:
    """Return the reply as the agent left it."""
    kept = session.get(f"kept.{draft.draft.id}")
    return draft.proposal if kept is None else str(kept)


def keep(draft_id: str) -> None:
    """Keep what is typed; a widget's own state goes when the widget is hidden."""
    session.put(f"kept.{draft_id}", st.session_state[f"inbox.text.{draft_id}"])


def show(services: Services, actor: Actor, view: TicketView, draft: DraftView) -> None:
    """Show what an agent can do with a draft."""
    row = draft.draft
    if actor.may(Permission.DESK_DRAFTS_SETTLE):
        approve, reject = st.columns(2)
        with approve:
            # A callback: it acts on the draft that was seen, whatever has happened to it since.
            st.button(
                t("inbox.approve"),
                key=f"inbox.approve.{row.id}",
                type="primary",
                shortcut="Ctrl+Enter",
                help=t("inbox.approve_help"),
                width="stretch",
                on_click=_approve,
                args=(services, actor, draft),
            )
        with reject, st.popover(t("inbox.reject"), width="stretch"):
            reason = st.text_input(t("inbox.reject_reason"), key=f"inbox.reason.{row.id}")
            if st.button(t("inbox.reject_button"), key=f"inbox.reject.{row.id}"):
                _reject(services, actor, draft, reason)
    again, change = st.columns(2)
    with again:
        draft_button(services, actor, view, t("inbox.again"))
    if services.settings.model != EXTRACTIVE:
        with change, st.popover(t("inbox.change"), width="stretch"):
            wishes.show(view, lambda wish: _stream(services, actor, view, wish))
    if row.status == DraftStatus.ABSTAINED:
        _ask_customer(view, draft)
    ledger(draft)


def _approve(services: Services, actor: Actor, draft: DraftView) -> None:
    row = draft.draft
    # Keys repeat, and what they hit then may be the next ticket.
    if monotonic() - (session.get(session.APPROVED_AT) or 0.0) < REPEAT_SECONDS:
        return
    try:
        confirmed = confirmations.confirmed(row.id)
        approving.approve(services, actor.id, row.id, row.version, text_of(draft), confirmed)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, None)
    session.put(session.APPROVED_AT, monotonic())


def _reject(services: Services, actor: Actor, draft: DraftView, reason: str) -> None:
    try:
        approving.reject(services, actor.id, draft.draft.id, draft.draft.version, reason)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    session.put(session.NOTICE, t("inbox.notice_rejected"))
    st.rerun()


def draft_button(services: Services, actor: Actor, view: TicketView, label: str) -> None:
    """Show the button that has a reply drafted."""
    first = view.draft is None
    pressed = st.button(
        label,
        key=f"inbox.draft.{view.ticket.id}",
        type="primary" if first else "tertiary",
        shortcut="g" if first else None,
    )
    if pressed:
        # Who has it drafted again does not want the same.
        _stream(services, actor, view, Wish(afresh=not first))


def _ask_customer(view: TicketView, draft: DraftView) -> None:
    """Offer a question in the customer's language, which states nothing, in place of a reply."""
    question = clarifying(view.ticket.language)
    row = draft.draft
    if question and not text_of(draft).strip():
        st.button(
            t("inbox.ask_customer"),
            key=f"inbox.ask.{row.id}",
            on_click=take,
            args=(row.id, question),
        )


def take(draft_id: str, text: str) -> None:
    """Put a text in place of what the agent left."""
    session.put(f"kept.{draft_id}", text)
    st.session_state[f"inbox.text.{draft_id}"] = text


def _stream(services: Services, actor: Actor, view: TicketView, wish: Wish) -> None:
    """Show a draft as it comes; any click stops it, and what came is kept as not whole."""
    session.put(session.NOTICE, None)
    session.put(session.CITATION, None)
    place = st.empty()
    stop = st.empty()
    stop.button(t("inbox.stop"), key=f"inbox.stop.{view.ticket.id}")
    text = ""
    try:
        with st.spinner(t("inbox.drafting"), show_time=True):
            stream = drafts.begin(services, actor.id, view.ticket.id, None, wish)
            session.put(session.STREAM, stream)
            with closing(stream.pieces()) as pieces:
                for piece in pieces:
                    text += piece
                    place.text(text)
    except CopilotError as error:
        stop.empty()
        st.error(plain(str(error)))
        return
    finally:
        session.put(session.STREAM, None)
    st.rerun()


def stop_running() -> None:
    """Keep what a draft brought that a click has interrupted, before the page is read anew."""
    stream = session.get(session.STREAM)
    if stream is not None:
        stream.stop()
        session.put(session.STREAM, None)


def ledger(draft: DraftView) -> None:
    """Show what a draft was made from, by which model, and what it cost."""
    row = draft.draft
    left_out = sum(not entry["included"] for entry in row.ledger)
    with st.expander(t("inbox.ledger")):
        cost = (
            t("inbox.cost_unknown")
            if row.cost_usd is None
            else t("inbox.cost", usd=f"{row.cost_usd:.4f}")
        )
        st.caption(t("inbox.made_by", model=row.model, seconds=f"{row.seconds:.1f}", cost=cost))
        if row.budget_tokens:
            fields = {"tokens": row.prompt_tokens, "budget": row.budget_tokens}
            st.caption(t("inbox.ledger_tokens", left_out=left_out, **fields))
        st.dataframe(
            [{name: entry[name] for name in LEDGER_COLUMNS} for entry in row.ledger],
            hide_index=True,
        )
        for call in draft.calls:
            st.caption(_call(call))


def _call(call: ModelCall) -> str:
    """Tell of one request to a model, with the id that logs and traces have."""
    unknown = t("inbox.unknown")
    first = unknown if call.first_seconds is None else f"{call.first_seconds:.1f}"
    counts = (call.prompt_tokens, call.completion_tokens)
    read, written = (unknown if count is None else f"{count:,}" for count in counts)
    return t(
        "inbox.call",
        route=plain(call.model),
        revision=plain(call.revision or unknown),
        outcome=plain(call.outcome),
        read=read,
        written=written,
        first=first,
        seconds=f"{call.seconds:.1f}",
        prompt=call.prompt_version or unknown,
        id=call.id,
    )
