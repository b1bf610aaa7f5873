"""What the agent should look at before approving: the first doubtful statement, and citations."""

from collections.abc import Mapping

import streamlit as st

from app import session
from app.components import claim_states, tree, verbs
from app.components.plain import plain
from app.components.reply import Chosen
from app.components.tree import Node, button, node
from app.text import t
from app.workflow.checking import CheckedReply
from rag.cite import CitedClaim, bare_text
from rag.mending import Mend, apply

QUOTE_CHARACTERS = 300


def show(draft_id: str, checked: CheckedReply) -> None:
    """Show how the statements stand, the first that needs a look, and one-click citations."""

    def act(action: str, subject: str) -> None:
        if action == "open":
            claim, marker = map(int, subject.split("."))
            session.put(session.CITATION, Chosen(claim, marker))
        else:
            change = checked.mends[int(subject)]
            verbs.take(draft_id, apply(checked.text, checked.claims, [change]))

    offers = [_offer(number, change) for number, change in enumerate(checked.mends)]
    tree.show(
        f"claims.{draft_id}",
        node("p", claim_states.summary(checked.standings), class_="summary", role="status"),
        _first_open(checked),
        node("div", *offers, class_="acts") if offers else None,
        on_act=act,
    )


def show_mended(notes: Mapping[str, str]) -> None:
    """Say which citations of a draft the machine has added or taken away."""
    for change in ("added", "removed"):
        if markers := notes.get(f"citations_{change}"):
            st.caption(t(f"claims.mended_{change}", markers=plain(markers)))


def _first_open(checked: CheckedReply) -> Node | None:
    """Return the first statement that is refuted, else doubtful, else without a source."""
    waiting = [at for at, state in enumerate(checked.standings) if state.needs_a_look]
    if not waiting:
        return None
    at = min(waiting, key=lambda at: (not checked.claims[at].evidence, at))
    claim, state = checked.claims[at], checked.standings[at]
    lead = t("claims.sentence", number=at + 1)
    return node(
        "section",
        node("h3", f"{claim_states.SIGNS[state]} {lead}: {t(f'claims.{state}')}"),
        node("blockquote", bare_text(claim.text)[:QUOTE_CHARACTERS]),
        *_reasons(at, claim),
        key="attention",
        class_=f"attention {state}",
    )


def _reasons(at: int, claim: CitedClaim) -> list[Node]:
    if not claim.evidence or claim.finding is None:
        return []
    evidence = min(claim.evidence, key=lambda each: each.finding.probability if each.finding else 1)
    title, quote = evidence.hit.version.title, evidence.quote[:QUOTE_CHARACTERS]
    return [
        node("p", t("claims.because", reason=claim.finding.note), class_="reason"),
        node("p", t("claims.source_says", title=title), class_="quiet"),
        node("blockquote", quote),
        button(t("claims.open"), "open", f"{at}.{evidence.marker}"),
    ]


def _offer(number: int, change: Mend) -> Node:
    name = "add" if change.adds else "remove"
    label = t(f"claims.{name}", marker=change.marker, number=change.claim + 1)
    return button(label, "mend", str(number))
