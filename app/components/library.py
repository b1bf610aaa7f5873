"""The list of documents: found by words and state, opened with a click."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil

import streamlit as st

from app.components import tree
from app.components.addresses import of_document
from app.components.opened import open_document
from app.components.tree import Node, link, node
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.library import Entry
from ingest.tables import VersionStatus, Visibility

PAGE_ROWS = 50
COLUMNS = ("title", "status", "visibility", "version", "language", "passages", "owner", "review_by")
NUMBERS = frozenset({"version", "passages"})


@dataclass(frozen=True, slots=True)
class Shelf:
    """All documents that a person may see, and what is known of them today."""

    entries: Sequence[Entry]
    disputed: frozenset[str]
    today: date


def is_overdue(entry: Entry, today: date) -> bool:
    """Tell whether a document in use should have been reviewed."""
    review_by = entry.document.review_by
    in_use = entry.version.status == VersionStatus.CURRENT
    return in_use and review_by is not None and review_by < today


STATES: dict[str, Callable[[Shelf, Entry], bool]] = {
    "all": lambda _shelf, _entry: True,
    "stale": lambda shelf, entry: is_overdue(entry, shelf.today),
    "restricted": lambda _shelf, entry: entry.document.visibility == Visibility.RESTRICTED,
    "withdrawn": lambda _shelf, entry: entry.version.status == VersionStatus.WITHDRAWN,
    "disputed": lambda shelf, entry: entry.document.id in shelf.disputed,
}


def today() -> date:
    """Return the day by which reviews are due."""
    return datetime.now(UTC).date()


def show(services: Services, actor: Actor) -> None:
    """Show the list of documents."""
    open_findings = documents.open_findings(services, actor.id)
    disputed = {place.document_id for row in open_findings for place in (row.first, row.other)}
    entries = documents.entries(services, actor.id)
    if not entries:
        st.info(t("documents.empty"))
        return
    shelf = Shelf(entries, frozenset(disputed), today())
    rows = _filtered(shelf)
    if not rows:
        st.info(t("documents.none_found"))
        return
    pages = ceil(len(rows) / PAGE_ROWS)
    number = st.pagination(pages, key=f"documents.page.{pages}") if pages > 1 else 1
    shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    tree.show(
        "documents.table",
        node("p", t("documents.count", count=len(rows)), class_="quiet", role="status"),
        table(shown, shelf.today),
        on_act=lambda _action, subject: open_document(subject),
    )


def table(rows: Sequence[Entry], on: date) -> Node:
    """Return documents as a table; each title opens its document."""
    heads = [
        node("th", t(f"documents.column_{name}"), scope="col", class_=_class(name))
        for name in COLUMNS
    ]
    body = [_row(entry, on) for entry in rows]
    return node("table", node("thead", node("tr", *heads)), node("tbody", *body))


def _filtered(shelf: Shelf) -> list[Entry]:
    wanted = st.text_input(t("documents.filter"), key="documents.filter").casefold().split()
    state = st.segmented_control(
        t("documents.state"),
        list(STATES),
        default="all",
        format_func=lambda name: _counted(shelf, name),
        key="documents.state",
        required=True,
    )
    found = [
        entry
        for entry in shelf.entries
        if STATES[state](shelf, entry) and all(word in _searched(entry) for word in wanted)
    ]
    # What has waited longest comes first; the others stay in the order of their titles.
    return sorted(found, key=_review_by) if state == "stale" else found


def _review_by(entry: Entry) -> date:
    return entry.document.review_by or date.max


def _counted(shelf: Shelf, state: str) -> str:
    count = sum(STATES[state](shelf, entry) for entry in shelf.entries)
    return t(f"documents.state_{state}", count=count)


def _searched(entry: Entry) -> str:
    document, version = entry.document, entry.version
    words = [version.title, version.file_name, document.owner, *document.labels]
    return " ".join(words).casefold()


def _row(entry: Entry, on: date) -> Node:
    document, version = entry.document, entry.version
    texts = {
        "status": t(f"source.status_{version.status}"),
        "visibility": visibility(entry),
        "version": str(version.number),
        "language": version.language,
        "passages": str(version.passages),
        "owner": document.owner,
        "review_by": document.review_by.isoformat() if document.review_by else "",
    }
    if is_overdue(entry, on):
        texts["review_by"] = t("documents.overdue", day=texts["review_by"])
    title = link(version.title, of_document(document.id), "open", document.id)
    cells = [
        node("td", texts[name], data_label=t(f"documents.column_{name}"), class_=_class(name))
        for name in COLUMNS[1:]
    ]
    return node("tr", node("th", title, scope="row"), *cells, key=document.id)


def visibility(entry: Entry) -> str:
    """Return in words who may see a document."""
    words = t(f"source.visibility_{entry.document.visibility}")
    if entry.document.visibility != Visibility.RESTRICTED:
        return words
    return t("documents.restricted_to", visibility=words, labels=", ".join(entry.document.labels))


def _class(name: str) -> str | None:
    return "number" if name in NUMBERS else None
