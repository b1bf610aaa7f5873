"""The reply: draft it, check it, edit it, approve or reject it, copy it."""

from contextlib import closing
from dataclasses import dataclass

import streamlit as st

from app import session
from app.components.plain import plain
from app.components.reply import Chosen, reply, state
from app.components.source import source
from app.models_line import models_line
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import drafts
from app.workflow.access import Actor
from app.workflow.drafts import UNSETTLED, DraftView
from app.workflow.tickets import TicketView
from ingest.errors import CopilotError
from ingest.tables import Visibility
from rag.cite import CitedClaim
from rag.retrieve import Hit
from rag.tables import DraftStatus

EDITOR_HEIGHT = 220


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source: a hit, and the span in its version's text."""

    hit: Hit
    start: int
    end: int


def show(services: Services, actor: Actor, view: TicketView) -> Place | None:
    """Show the reply column and return the place in a source to show beside it."""
    st.text(t("inbox.reply"))
    notice = session.get(session.NOTICE)
    if notice:
        st.success(notice)
    if view.is_long:
        st.info(t("inbox.long", count=f"{len(view.messages[-1][1]):,}"))
    draft = view.draft
    if draft is None:
        if view.withheld:
            st.info(t("inbox.withheld"))
        st.caption(models_line(services))
        _draft_button(services, actor, view, t("inbox.draft"))
        return None
    if draft.draft.status in UNSETTLED:
        return _open_draft(services, actor, view, draft)
    return _settled(services, actor, view, draft)


def show_source(place: Place | None) -> None:
    """Show the source column."""
    st.text(t("inbox.source"))
    if place is None:
        st.caption(t("inbox.source_hint"))
        return
    hit = place.hit
    source(
        hit.document,
        hit.version,
        hit.passage.first_page,
        (place.start, place.end),
        key=f"source.{hit.passage.id}.{place.start}",
    )


def _open_draft(
    services: Services, actor: Actor, view: TicketView, draft: DraftView
) -> Place | None:
    row = draft.draft
    _explain(view, draft)
    key = f"inbox.text.{row.id}"
    writing = st.toggle(
        t("inbox.edit"), key=f"inbox.edit.{row.id}", value=row.status != DraftStatus.READY
    )
    if writing:
        st.session_state.setdefault(key, session.get(f"kept.{row.id}") or row.text)
        text = st.text_area(t("inbox.editor"), key=key, height=EDITOR_HEIGHT)
        # A widget's state goes when it is hidden; what was typed must not.
        session.put(f"kept.{row.id}", text)
    else:
        text = session.get(f"kept.{row.id}") or row.text
    claims = drafts.preview(services, actor.id, row.id, text)
    place = _reply(text, claims, key=f"reply.{row.id}")
    _warn_internal(claims)
    _summary(claims)
    _verbs(services, actor, view, draft, text)
    return place or _nearest(draft)


def _settled(services: Services, actor: Actor, view: TicketView, draft: DraftView) -> Place | None:
    row = draft.draft
    decision = draft.decision
    if row.status == DraftStatus.REJECTED or decision is None:
        _rejected(draft)
        _draft_button(services, actor, view, t("inbox.again"))
        return None
    when = f"{decision.at:%Y-%m-%d %H:%M} UTC"
    st.caption(t("inbox.approved", who=plain(decision.decided_by), when=when))
    claims = drafts.preview(services, actor.id, row.id, decision.final_text)
    place = _reply(decision.final_text, claims, key=f"reply.{decision.id}")
    st.caption(t("inbox.copy"))
    st.code(drafts.without_markers(decision.final_text), language=None, wrap_lines=True)
    with st.expander(t("inbox.copy_with_sources")):
        st.code(drafts.with_sources(draft), language=None, wrap_lines=True)
    return place


def _reply(text: str, claims: list[CitedClaim], key: str) -> Place | None:
    """Show a text with its citations, and return the place of the citation that is open."""
    opened = session.get(session.CITATION)
    clicked = reply(text, claims, opened, key)
    if clicked is not None and clicked != opened:
        session.put(session.CITATION, clicked)
        st.rerun()
    return _place(claims, opened) if opened else None


def _place(claims: list[CitedClaim], opened: Chosen) -> Place | None:
    if opened.claim >= len(claims):
        return None
    for evidence in claims[opened.claim].evidence:
        if evidence.marker == opened.marker:
            return Place(evidence.hit, evidence.quote_start, evidence.quote_end)
    return None


def _explain(view: TicketView, draft: DraftView) -> None:
    """Say why a draft is empty or not whole."""
    row = draft.draft
    if row.status == DraftStatus.ABSTAINED:
        st.warning(t(f"inbox.abstained_{row.reason}", language=view.ticket.language))
    elif row.status == DraftStatus.INCOMPLETE:
        st.warning(t("inbox.incomplete", reason=t(f"inbox.incomplete_{row.reason}")))


def _warn_internal(claims: list[CitedClaim]) -> None:
    titles = {
        evidence.hit.version.title
        for claim in claims
        for evidence in claim.evidence
        if evidence.hit.document.visibility != Visibility.PUBLIC
    }
    if titles:
        st.warning(t("inbox.internal", titles=plain(", ".join(sorted(titles)))))


def _summary(claims: list[CitedClaim]) -> None:
    supported = sum(state(claim) == "supported" for claim in claims)
    waiting = len(claims) - supported
    if any(state(claim) == "doubtful" for claim in claims):
        st.error(t("inbox.doubtful"))
    if not claims:
        st.caption(t("inbox.summary_none"))
    elif waiting:
        fields = {"supported": supported, "claims": len(claims), "open": waiting}
        st.caption(t("inbox.summary", **fields))
    else:
        st.caption(t("inbox.summary_all", claims=len(claims)))


def _verbs(services: Services, actor: Actor, view: TicketView, draft: DraftView, text: str) -> None:
    row = draft.draft
    if actor.may(Permission.DESK_DRAFTS_SETTLE):
        approve, reject = st.columns(2)
        with approve:
            if st.button(
                t("inbox.approve"),
                key=f"inbox.approve.{row.id}",
                type="primary",
                shortcut="Ctrl+Enter",
                help=t("inbox.approve_help"),
                width="stretch",
            ):
                _approve(services, actor, draft, text)
        with reject, st.popover(t("inbox.reject"), width="stretch"):
            reason = st.text_input(t("inbox.reject_reason"), key=f"inbox.reason.{row.id}")
            if st.button(t("inbox.reject_button"), key=f"inbox.reject.{row.id}"):
                _reject(services, actor, draft, reason)
    _draft_button(services, actor, view, t("inbox.again"))
    _ledger(draft)


def _approve(services: Services, actor: Actor, draft: DraftView, text: str) -> None:
    try:
        drafts.approve(services, actor.id, draft.draft.id, draft.draft.version, text)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    session.put(session.NOTICE, t("inbox.notice_approved"))
    st.rerun()


def _reject(services: Services, actor: Actor, draft: DraftView, reason: str) -> None:
    try:
        drafts.reject(services, actor.id, draft.draft.id, draft.draft.version, reason)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    session.put(session.NOTICE, t("inbox.notice_rejected"))
    st.rerun()


def _draft_button(services: Services, actor: Actor, view: TicketView, label: str) -> None:
    first = view.draft is None
    pressed = st.button(
        label,
        key=f"inbox.draft.{view.ticket.id}",
        type="primary" if first else "tertiary",
        shortcut="g" if first else None,
    )
    if pressed:
        _stream(services, actor, view)


def _stream(services: Services, actor: Actor, view: TicketView) -> None:
    """Show a draft as it comes; any click stops it, and what came is kept as not whole."""
    session.put(session.NOTICE, None)
    session.put(session.CITATION, None)
    place = st.empty()
    stop = st.empty()
    stop.button(t("inbox.stop"), key=f"inbox.stop.{view.ticket.id}")
    text = ""
    try:
        with st.spinner(t("inbox.drafting")):
            stream = drafts.begin(services, actor.id, view.ticket.id, None)
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


def _rejected(draft: DraftView) -> None:
    decision = draft.decision
    if decision is None:
        return
    key = "inbox.rejected" if decision.reason else "inbox.rejected_plain"
    st.caption(t(key, who=plain(decision.decided_by), reason=plain(decision.reason)))
    st.text(draft.draft.text)


def _nearest(draft: DraftView) -> Place | None:
    """Without a draft the best found place is shown, for the agent to answer from."""
    if draft.draft.status != DraftStatus.ABSTAINED or not draft.considered:
        return None
    hit = draft.considered[0]
    return Place(hit, hit.passage.start, hit.passage.end)


def _ledger(draft: DraftView) -> None:
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
            [
                {name: entry[name] for name in ("title", "page", "score", "included", "reason")}
                for entry in row.ledger
            ],
            hide_index=True,
        )
