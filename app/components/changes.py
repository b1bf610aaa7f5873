"""Two versions beside each other: what was taken out, put in and changed."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import streamlit as st

from app.components import tree
from app.components.plain import plain
from app.components.tree import Node, node
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.changes import Change, ChangeKind, Stretch
from ingest.errors import CopilotError
from ingest.tables import Version

# Lines around a change that stay in sight.
CONTEXT = 2
# What a person reads through, and a browser shows at once.
MAX_ROWS = 1_000
MAX_FOLDED = 200


@st.fragment
def show(services: Services, actor: Actor, versions: Sequence[Version]) -> None:
    """Show how one of two chosen versions became the other."""
    by_number = {row.number: row for row in versions}
    numbers = sorted(by_number)
    key = versions[0].document_id
    left, right = st.columns(2)
    before = left.selectbox(
        t("changes.before"), numbers, index=len(numbers) - 2, key=f"changes.before.{key}"
    )
    after = right.selectbox(
        t("changes.after"), numbers, index=len(numbers) - 1, key=f"changes.after.{key}"
    )
    ids = [by_number[number].id for number in (before, after)]
    try:
        changes = documents.compare(services, actor.id, *ids)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    if all(change.kind == ChangeKind.KEPT for change in changes):
        st.info(t("changes.none"))
        return
    heads = (t("changes.version", number=before), t("changes.version", number=after))
    tree.show(f"changes.{key}", *comparison(changes, heads))


def comparison(changes: Sequence[Change], sides: tuple[str, str]) -> list[Node]:
    """Return changes in words and as a table of two columns, unchanged stretches folded."""
    counts = {
        kind: sum(change.kind == kind for change in changes)
        for kind in (ChangeKind.CHANGED, ChangeKind.ADDED, ChangeKind.REMOVED)
    }
    heads = [node("th", side, scope="col") for side in sides]
    rows = list(_rows(changes))
    summary = t("changes.summary", **{str(kind): count for kind, count in counts.items()})
    if len(rows) > MAX_ROWS:
        summary = f"{summary} {t('changes.cut', count=MAX_ROWS)}"
    table = [node("thead", node("tr", *heads)), node("tbody", *rows[:MAX_ROWS])]
    # Another pair of versions is another table, in which nothing is unfolded yet.
    return [
        node("p", summary, role="status"),
        node("table", *table, class_="changes", key=".".join(sides)),
    ]


def _rows(changes: Sequence[Change]) -> Iterator[Node]:
    position = 0
    for is_kept, run in groupby(changes, lambda change: change.kind == ChangeKind.KEPT):
        some = list(run)
        if not is_kept:
            yield from map(_row, some)
        else:
            # No context before the first change of all, nor after the last.
            head = CONTEXT if position else 0
            tail = CONTEXT if position + len(some) < len(changes) else 0
            yield from _kept(some, head, tail)
        position += len(some)


def _kept(run: Sequence[Change], head: int, tail: int) -> Iterator[Node]:
    folded = run[head : len(run) - tail]
    if len(folded) <= 1:
        yield from map(_row, run)
        return
    yield from map(_row, run[:head])
    yield node("tr", node("td", _folded(folded), colspan=2))
    yield from map(_row, run[len(run) - tail :])


def _folded(run: Sequence[Change]) -> Node:
    words = t("changes.unchanged", count=len(run))
    if len(run) > MAX_FOLDED:
        return words
    text = "\n".join(stretch.text for change in run for stretch in change.after)
    return node("details", node("summary", words), node("div", text, class_="lines"))


def _row(change: Change) -> Node:
    sides = (("del", change.before), ("ins", change.after))
    return node("tr", *(_cell(change.kind, tag, side) for tag, side in sides))


def _cell(kind: ChangeKind, tag: str, side: Sequence[Stretch]) -> Node:
    if not side:
        return node("td", class_="none")
    pieces = [node(tag, part.text) if part.marked else part.text for part in side]
    told = None
    if kind != ChangeKind.KEPT:
        # Screen readers do not tell of del and ins by themselves.
        told = node("span", t(f"changes.told_{kind}_{tag}") + " ", class_="unseen")
    return node("td", told, *pieces)
