"""The solved tickets of the memory: found by words, switched, removed, looked at again."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from app import session
from app.components import tree
from app.components.memory_links import document_link, hidden_documents
from app.components.moments import moment
from app.components.tree import Node, button, node
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import cases
from app.workflow.access import Actor
from app.workflow.cases import MAX_QUERY_CHARACTERS, CaseView, Kind, Solution, Standing
from ingest.db import now
from ingest.errors import CopilotError
from rag.tables import CaseState

COLUMNS = ("ticket", "solved", "origin", "documents", "state")
# They stay on one line beside long subjects and titles.
SHORT = frozenset({"solved", "state", "acts"})
SWITCHES = {
    CaseState.ACTIVE: ("switch_off", CaseState.OFF),
    CaseState.OFF: ("switch_on", CaseState.ACTIVE),
    CaseState.REMOVED: ("bring_back", CaseState.ACTIVE),
}


def show(services: Services, actor: Actor) -> None:
    """Show the solved tickets."""
    query = st.text_input(
        t("cases.filter"), key="find", max_chars=MAX_QUERY_CHARACTERS, bind="query-params"
    )
    kind = st.segmented_control(
        t("cases.kind"),
        list(Kind),
        default=Kind.KEPT,
        format_func=lambda name: t(f"cases.kind_{name}"),
        key="kind",
        required=True,
        bind="query-params",
    )
    # Another search begins on its first page.
    key = f"memory.page.{kind}.{query}"
    found = cases.find(services, actor.id, query, int(session.get(key) or 1), kind=kind)
    if not found.total:
        is_narrowed = query.strip() or kind != Kind.KEPT
        st.info(t("cases.none_found" if is_narrowed else "memory.empty"))
        return
    if found.pages > 1:
        st.pagination(found.pages, key=key)
    # A click acts on the cases as they were seen, whatever has happened to them since.
    tree.show(
        "memory.cases",
        node("p", t("cases.count", count=f"{found.total:,}"), class_="quiet", role="status"),
        table(found.rows, actor),
        on_act=lambda action, subject: _act(services, actor, found.rows, action, subject),
    )


def _act(
    services: Services, actor: Actor, rows: Sequence[CaseView], action: str, subject: str
) -> None:
    # Identifiers of documents have no blanks; those of tickets may have.
    document_id, _, ticket_id = subject.partition(" ") if action == "recheck" else ("", "", subject)
    row = next((row for row in rows if row.case.ticket_id == ticket_id), None)
    if row is None:
        return
    try:
        notice = _change(services, actor, row, action, document_id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t(f"cases.{notice}", ticket=ticket_id))


def _change(services: Services, actor: Actor, row: CaseView, action: str, document_id: str) -> str:
    """Carry a click out; returns the name of what is said of it."""
    ticket_id, seen = row.case.ticket_id, CaseState(row.case.state)
    if action == "recheck":
        cases.recheck(services, actor.id, ticket_id, document_id)
        return "rechecked"
    if action == "remove":
        cases.remove(services, actor.id, ticket_id, seen=seen)
        return "removed"
    _, state = SWITCHES[seen]
    cases.switch(services, actor.id, ticket_id, state, seen=seen)
    return "switched_off" if state == CaseState.OFF else "switched_on"


def table(rows: Sequence[CaseView], actor: Actor) -> Node:
    """Return cases as a table, with what this person may do to each."""
    may_change = actor.may(Permission.DESK_MEMORY_WRITE)
    names = [*COLUMNS, *(["acts"] if may_change else [])]
    heads = [node("th", t(f"cases.column_{name}"), scope="col") for name in names]
    body = [_row(row, actor, now()) for row in rows]
    return node("table", node("thead", node("tr", *heads)), node("tbody", *body))


def _row(row: CaseView, actor: Actor, on: datetime) -> Node:
    ticket_id = row.case.ticket_id
    subject = " ".join(row.subject.split()) or t("cases.no_subject")
    cells: dict[str, Sequence[Node]] = {
        "solved": [_day(row.case.solved_at)],
        "origin": [origin(row)],
        "documents": [_documents(row, actor)],
        "state": [state(row, on)],
    }
    if actor.may(Permission.DESK_MEMORY_WRITE):
        cells["acts"] = [_verbs(row)]
    return node(
        "tr",
        node("th", subject, node("div", ticket_id, class_="quiet"), scope="row"),
        *(_cell(name, content) for name, content in cells.items()),
        key=ticket_id,
    )


def _cell(name: str, content: Sequence[Node]) -> Node:
    style = "white-space: nowrap" if name in SHORT else None
    return node("td", *content, data_label=t(f"cases.column_{name}"), style=style)


def origin(row: CaseView) -> str:
    """Return how a case came to be known, and what is said of an approved reply."""
    words = [t(f"memory.origin_{row.case.origin}")]
    words += [t("cases.edited")] if row.case.edited else []
    words += [t("cases.own_suggestion")] if row.case.own_suggestion else []
    return ", ".join(words)


def state(row: CaseView, on: datetime) -> str:
    """Return whether a case votes."""
    is_active = row.case.state == CaseState.ACTIVE
    if is_active and row.is_open:
        return t("cases.state_open")
    if is_active and row.votes_from > on:
        return t("cases.state_waiting", day=_day(row.votes_from))
    return t(f"cases.state_{row.case.state}")


def _documents(row: CaseView, actor: Actor) -> Node:
    items = [node("li", *_solution(row, found, actor)) for found in row.solutions]
    if row.hidden:
        items.append(node("li", hidden_documents(row.hidden)))
    return node("ul", *(items or [node("li", t("cases.no_documents"))]))


def _solution(row: CaseView, found: Solution, actor: Actor) -> list[Node]:
    shown = [document_link(actor, found.document_id, found.title)]
    if found.standing == Standing.SAME:
        return shown
    class_ = "quiet" if found.standing == Standing.UNSEEN else "problem"
    shown.append(node("p", t(f"cases.standing_{found.standing}"), class_=class_))
    if found.standing == Standing.CHANGED and actor.may(Permission.DESK_MEMORY_WRITE):
        subject = f"{found.document_id} {row.case.ticket_id}"
        about = f"{found.title}, {row.case.ticket_id}"
        shown.append(button(t("cases.recheck"), "recheck", subject, about))
    return shown


def _verbs(row: CaseView) -> Node:
    ticket_id = row.case.ticket_id
    label, _ = SWITCHES[CaseState(row.case.state)]
    # One action for on and off: the button stays where it is, and so does the focus.
    verbs = [button(t(f"cases.{label}"), "switch", ticket_id, ticket_id)]
    if row.case.state != CaseState.REMOVED:
        verbs.append(button(t("cases.remove"), "remove", ticket_id, ticket_id))
    return node("div", *verbs, class_="acts", style="flex-wrap: nowrap")


def _day(at: datetime) -> str:
    return moment(at).partition(" ")[0]
