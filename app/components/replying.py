"""The reply: draft it, check it, edit it, approve or reject it, copy it."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from app import session
from app.components import (
    attention,
    blank_notes,
    confirmations,
    conflicts,
    record_chips,
    reopened,
    second_person,
    sending,
    shield,
    stale,
    verbs,
    verified_marks,
)
from app.components.plain import plain
from app.components.reply import Chosen, reply
from app.components.source import source
from app.models_line import models_line
from app.services import Services
from app.text import t
from app.workflow import checking, drafts, tickets
from app.workflow.access import Actor
from app.workflow.drafts import UNSETTLED, DraftView, Reopened
from app.workflow.tickets import TicketView
from ingest.tables import Visibility
from rag.cite import CitedClaim
from rag.corrections import CORRECTION
from rag.retrieve import Hit
from rag.standing import Standing, standing
from rag.tables import ApprovalState, Attribution, DraftStatus, TicketStatus
from rag.voice import Deviation

EDITOR_HEIGHT = 220
# A passage further from the question than this would only mislead.
WORTH_SHOWING = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source: a hit, and the span in its version's text."""

    hit: Hit
    start: int
    end: int


def show(services: Services, actor: Actor, view: TicketView) -> Place | None:
    """Show the reply column and return the place in a source to show beside it."""
    st.subheader(t("inbox.reply"))
    _say(view)
    if found := reopened.chosen(services, actor, view):
        return _as_it_was(found)
    draft = view.draft
    if draft is None:
        if view.withheld:
            st.info(t("inbox.withheld"))
        st.caption(models_line(services))
        verbs.draft_button(services, actor, view, t("inbox.draft"))
        return None
    if draft.draft.model == CORRECTION and draft.draft.status in UNSETTLED:
        st.info(t("inbox.correction"))
    if draft.draft.status in UNSETTLED:
        return _open_draft(services, actor, view, draft)
    return _settled(services, actor, view, draft)


def _say(view: TicketView) -> None:
    """Say what became of the last click, and what to know of the ticket."""
    if session.get(session.PROBLEM):
        st.error(plain(session.get(session.PROBLEM)))
        session.put(session.PROBLEM, None)
    if session.get(session.NOTICE):
        st.success(session.get(session.NOTICE))
    if view.is_long:
        st.info(t("inbox.long", count=f"{len(view.messages[-1][1]):,}"))


def show_source(place: Place | None) -> None:
    """Show the source column."""
    st.subheader(t("inbox.source"))
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
    sending.came_back(draft.decision)
    _explain(view, draft)
    _masked(draft)
    key = f"inbox.text.{row.id}"
    edited = draft.proposal != row.text
    writing = st.toggle(
        t("inbox.edit"), key=f"inbox.edit.{row.id}", value=edited or row.status != DraftStatus.READY
    )
    if writing:
        st.session_state.setdefault(key, verbs.text_of(draft))
        # Kept by a callback, which runs first: a click elsewhere must not cost what was typed.
        st.text_area(
            t("inbox.editor"), key=key, height=EDITOR_HEIGHT, on_change=verbs.keep, args=(row.id,)
        )
        verbs.keep(row.id)
    text = verbs.text_of(draft)
    stale.show(services, actor, draft, text)
    checked = checking.check(services, actor.id, row.id, text)
    claims = checked.claims
    marks = verified_marks.read(services, actor, claims)
    place = _reply(text, claims, checked.standings, key=f"reply.{row.id}", notes=marks)
    verified_marks.show(marks)
    _warn_internal(claims)
    _sounds(drafts.deviations(services, actor.id, row.id, text))
    attention.show(row.id, checked)
    side = conflicts.show(row.id, checked.conflicts)
    record_chips.show(view, claims)
    blank_notes.show(text)
    confirmations.show(actor, row.id, claims)
    verbs.show(services, actor, view, draft)
    reopened.choose(view)
    return place or (Place(side.hit, side.start, side.end) if side else _nearest(draft))


def _settled(services: Services, actor: Actor, view: TicketView, draft: DraftView) -> Place | None:
    row = draft.draft
    decision = draft.decision
    if row.status == DraftStatus.REJECTED or decision is None:
        _rejected(draft)
        verbs.draft_button(services, actor, view, t("inbox.again"))
        return None
    if decision.state == ApprovalState.WAITING:
        second_person.show(services, actor, decision, draft.claims)
        return _reply(
            decision.final_text, draft.cited, _standings(draft), key=f"reply.{decision.id}"
        )
    if decision.state == ApprovalState.SEALED:
        sending.show(services, actor, decision)
        return _reply(
            decision.final_text, draft.cited, _standings(draft), key=f"reply.{decision.id}"
        )
    when = f"{decision.sent_at or decision.at:%Y-%m-%d %H:%M} UTC"
    st.caption(t("inbox.approved", who=plain(decision.decided_by), when=when))
    st.button(t("inbox.next"), key="inbox.next", on_click=_open_next, args=(services, actor))
    place = _reply(decision.final_text, draft.cited, _standings(draft), key=f"reply.{decision.id}")
    st.caption(t("inbox.copy"))
    st.code(drafts.without_markers(decision.final_text), language=None, wrap_lines=True)
    with st.expander(t("inbox.copy_with_sources")):
        st.code(drafts.with_sources(draft), language=None, wrap_lines=True)
    reopened.choose(view)
    return place


def _as_it_was(found: Reopened) -> Place | None:
    draft = found.view
    reopened.head(found)
    place = _reply(draft.text, draft.cited, _standings(draft), key=f"reopened.{draft.draft.id}")
    verbs.ledger(draft)
    reopened.behind(draft)
    return place


def _open_next(services: Services, actor: Actor) -> None:
    waiting = tickets.queue(services, actor.id, TicketStatus.OPEN)
    session.open_ticket(waiting[0].id if waiting else None)


def _reply(
    text: str,
    claims: list[CitedClaim],
    standings: list[Standing],
    key: str,
    notes: Mapping[int, str] | None = None,
) -> Place | None:
    """Show a text with its citations, and return the place of the citation that is open."""
    opened = session.get(session.CITATION)
    clicked = reply(text, claims, standings, opened, key, notes or {})
    if clicked is not None and clicked != opened:
        session.put(session.CITATION, clicked)
        session.put(session.CONFLICT, None)
        st.rerun()
    return _place(claims, opened) if opened else None


def _standings(draft: DraftView) -> list[Standing]:
    return [standing(claim, draft.draft.text) for claim in draft.cited]


def _place(claims: list[CitedClaim], opened: Chosen) -> Place | None:
    if opened.claim >= len(claims):
        return None
    for evidence in claims[opened.claim].evidence:
        if evidence.marker == opened.marker:
            return Place(evidence.hit, evidence.quote_start, evidence.quote_end)
    return None


def _explain(view: TicketView, draft: DraftView) -> None:
    """Say why a draft is empty, not whole, or not by the desk's model."""
    row = draft.draft
    notes = {name: plain(note) for name, note in row.notes.items()}
    if row.status == DraftStatus.ABSTAINED:
        st.warning(t(f"inbox.abstained_{row.reason}", language=view.ticket.language, **notes))
    elif row.status == DraftStatus.INCOMPLETE:
        st.warning(t("inbox.incomplete", reason=t(f"inbox.incomplete_{row.reason}")))
    elif row.reason:
        st.info(t(f"inbox.notice_{row.reason}", **notes))
    if notes.get("removed"):
        st.warning(t("inbox.removed", parts=notes["removed"]), icon=shield.ICON)
    if notes.get("unanswered"):
        st.info(t("inbox.unanswered", parts=notes["unanswered"]))
    attention.show_mended(row.notes)
    if row.attribution != Attribution.MODEL:
        st.info(t(f"inbox.attribution_{row.attribution}"))


def _masked(draft: DraftView) -> None:
    """Say what personal data the model did not see."""
    counts = draft.draft.masked
    if counts:
        kinds = ", ".join(t(f"masked.{kind}", count=count) for kind, count in counts.items())
        st.caption(t("masked.chip", kinds=kinds))


def _warn_internal(claims: list[CitedClaim]) -> None:
    titles = {
        evidence.hit.version.title
        for claim in claims
        for evidence in claim.evidence
        if evidence.hit.document.visibility != Visibility.PUBLIC
    }
    if titles:
        st.warning(t("inbox.internal", titles=plain(", ".join(sorted(titles)))))


def _sounds(deviations: list[Deviation]) -> None:
    """Say where the text does not sound as the desk wants it to."""
    if deviations:
        notes = dict.fromkeys(map(_sound, deviations))
        st.warning(t("voice_notes.lead", notes=" ".join(notes)))


def _sound(deviation: Deviation) -> str:
    fields = {"found": plain(deviation.found), "instead": plain(deviation.instead or "")}
    return t(f"voice_notes.{deviation.kind}", **fields)


def _rejected(draft: DraftView) -> None:
    decision = draft.decision
    if decision is None:
        return
    key = "inbox.rejected" if decision.reason else "inbox.rejected_plain"
    st.caption(t(key, who=plain(decision.decided_by), reason=plain(decision.reason)))
    st.text(draft.draft.text)


def _nearest(draft: DraftView) -> Place | None:
    """Without a draft the best found place is shown, for the agent to answer from."""
    hit = max(draft.considered, key=lambda hit: hit.score, default=None)
    if draft.draft.status != DraftStatus.ABSTAINED or hit is None or hit.score < WORTH_SHOWING:
        return None
    return Place(hit, hit.passage.start, hit.passage.end)
