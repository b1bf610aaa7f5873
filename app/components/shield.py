"""Text that speaks to a language model, or hides something: shown with a shield, and decided on."""

from collections.abc import Iterator, Sequence
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
from app.workflow import suspicions
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.guard.hidden import INVISIBLE
from ingest.quarantine import Held
from ingest.tables import Suspicion, SuspicionState, Version

ICON = ":material/shield:"
PAGE_ROWS = 20
# Of a long passage, so much around the first suspicious words.
BEFORE, AFTER = 200, 600
MAX_QUOTES, QUOTE_CHARACTERS = 3, 160
_ACTS = {"release": SuspicionState.RELEASED, "keep": SuspicionState.KEPT}


def tell(services: Services, actor: Actor) -> None:
    """Say above all sections that something waits for an owner."""
    states = [held.state for held in suspicions.waiting(services, actor.id)]
    if count := states.count(SuspicionState.QUARANTINED):
        st.warning(t("shield.waiting", count=count), icon=ICON)


def show(services: Services, actor: Actor) -> None:
    """Show what is held back, each with its reason and the buttons that decide."""
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        session.put(session.PROBLEM, None)
    rows = suspicions.waiting(services, actor.id)
    if not rows:
        st.info(t("shield.empty"))
        return
    st.write(t("shield.lead"))
    pages = ceil(len(rows) / PAGE_ROWS)
    number = st.pagination(pages, key=f"shield.page.{pages}") if pages > 1 else 1
    shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    tree.show(
        "shield.list",
        *map(_held, shown),
        on_act=lambda action, subject: _act(services, actor, action, subject),
    )


def of_version(services: Services, actor: Actor, version: Version) -> dict[str, str]:
    """Return by passage why it is suspicious; say here what is so of the whole version."""
    sentences: dict[str, str] = {}
    for held in suspicions.of_version(services, actor.id, version.id):
        if held.passage is not None:
            sentences[held.passage.id] = t(f"shield.passage_{held.state}", kinds=_kinds(held))
        elif held.state != SuspicionState.RELEASED:
            quote = plain(held.suspicions[0].quote[:QUOTE_CHARACTERS])
            st.warning(t("shield.of_document", quote=quote, kinds=_kinds(held)), icon=ICON)
    return sentences


def of_ticket(quotes: Sequence[str]) -> None:
    """Say that a ticket holds suspicious text."""
    if quotes:
        shown = [f"“{plain(quote[:QUOTE_CHARACTERS])}”" for quote in quotes[:MAX_QUOTES]]
        st.warning(t("shield.ticket", quotes=", ".join(shown)), icon=ICON)


def _act(services: Services, actor: Actor, action: str, subject: str) -> None:
    if action == "open":
        open_document(subject)
        return
    state = _ACTS[action]
    try:
        suspicions.decide(services, actor.id, subject, state)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t(f"shield.done_{state}"))


def _held(held: Held) -> Node:
    first = held.suspicions[0]
    state = t(f"shield.state_{held.state}", who=first.decided_by or "")
    facts = t("shield.facts", number=held.version.number, owner=held.document.owner, state=state)
    keep = held.state == SuspicionState.QUARANTINED
    address = of_document(held.document.id)
    about = _title(held)
    return node(
        "section",
        node("h3", link(about, address, "open", held.document.id)),
        node("p", _kinds(held)),
        node("p", facts, class_="quiet"),
        node("blockquote", *_marked(held)),
        node(
            "div",
            button(t("shield.release"), "release", first.id, about),
            button(t("shield.keep"), "keep", first.id, about) if keep else None,
            class_="acts",
        ),
        key=first.id,
        class_="shielded",
    )


def _title(held: Held) -> str:
    title = INVISIBLE.sub("", held.version.title)
    if held.passage is None:
        return t("shield.of_name", title=title)
    return t("shield.of_passage", title=title, ordinal=held.passage.ordinal)


def _kinds(held: Held) -> str:
    kinds = dict.fromkeys(suspicion.kind for suspicion in held.suspicions)
    return "; ".join(t(f"shield.kind_{kind}") for kind in kinds)


def _marked(held: Held) -> Iterator[Node]:
    """Yield the text with its suspicious words marked, or the words alone."""
    passage = held.passage
    if passage is None:
        yield from (node("mark", suspicion.quote) for suspicion in held.suspicions)
        return
    spans = sorted(held.suspicions, key=lambda suspicion: suspicion.start)
    position = max(0, spans[0].start - BEFORE)
    for span in spans:
        yield passage.text[position : span.start]
        yield _mark(span, passage.text)
        position = span.end
    yield passage.text[position : position + AFTER].rstrip()


def _mark(suspicion: Suspicion, text: str) -> Node:
    words = text[suspicion.start : suspicion.end]
    spelt = suspicion.quote != words
    return node("mark", t("shield.spelt", text=suspicion.quote) if spelt else words)
