"""What owners should know: documents that repeat or contradict each other."""

import re
from math import ceil

import streamlit as st

from app import session
from app.components import tree
from app.components.addresses import of_document
from app.components.opened import open_document
from app.components.plain import plain
from app.components.tree import Node, button, link, node
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.findings import OpenFinding, Place
from ingest.tables import FindingKind

PAGE_ROWS = 20
QUOTE_CHARACTERS = 600
# Not the digits of a name, as in "CF-2" and "E17".
_FIGURE = re.compile(r"(?<![\w-])\d+(?:[.,:/\u2019\u00a0\u202f]\d+)*")
# Shares from which on these words are true.
_SHARES = ((0.99, "all"), (0.9, "nearly_all"), (0.75, "most"), (0.0, "much"))


def show(services: Services, actor: Actor) -> None:
    """Show findings, newest first, each with the button that settles it."""
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        session.put(session.PROBLEM, None)
    rows = documents.open_findings(services, actor.id)
    if not rows:
        st.info(t("findings.empty"))
        return
    st.write(t("findings.lead"))
    pages = ceil(len(rows) / PAGE_ROWS)
    number = st.pagination(pages, key=f"findings.page.{pages}") if pages > 1 else 1
    shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    tree.show(
        "findings.list",
        *map(finding, shown),
        on_act=lambda action, subject: _act(services, actor, action, subject),
    )


def _act(services: Services, actor: Actor, action: str, subject: str) -> None:
    if action == "open":
        open_document(subject)
        return
    try:
        documents.settle_finding(services, actor.id, subject)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("findings.settled"))


def finding(row: OpenFinding) -> Node:
    """Return a finding: what it is, and what both documents say."""
    if row.kind == FindingKind.NEAR_DUPLICATE:
        heading = t("findings.near_duplicate", share=share(row.share or 0.0))
    else:
        heading = t("findings.number_conflict")
    sides = [
        _side(one, other, row.kind)
        for one, other in ((row.first, row.other), (row.other, row.first))
    ]
    about = f"{row.first.title} / {row.other.title}"
    return node(
        "section",
        node("h3", heading),
        node("div", *sides, class_="sides"),
        button(t("findings.settle"), "settle", row.id, about),
        key=row.id,
        class_="finding",
    )


def share(part: float) -> str:
    """Return a share of a text in words."""
    name = next(name for least, name in _SHARES if part >= least)
    return t(f"findings.share_{name}", percent=round(100 * part))


def _side(place: Place, other: Place, kind: FindingKind) -> Node:
    facts = t("findings.place", number=place.version, owner=place.owner)
    text = place.text.strip()[:QUOTE_CHARACTERS]
    figures = kind == FindingKind.NUMBER_CONFLICT
    return node(
        "div",
        node("p", link(place.title, of_document(place.document_id), "open", place.document_id)),
        node("p", facts, class_="quiet"),
        node("blockquote", *(marked(text, other.text) if figures else [text])),
    )


def marked(text: str, other: str) -> list[Node]:
    """Return a text with those figures marked that are others in the other text."""
    ours, theirs = _FIGURE.findall(text), _FIGURE.findall(other)
    # Sentences built alike have each figure in the same place.
    against = theirs if len(ours) == len(theirs) else None
    parts: list[Node] = []
    position = 0
    for number, match in enumerate(_FIGURE.finditer(text)):
        figure = match.group()
        if figure in theirs if against is None else figure == against[number]:
            continue
        parts += [text[position : match.start()], node("mark", figure)]
        position = match.end()
    return [part for part in [*parts, text[position:]] if part]
