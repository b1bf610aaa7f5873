"""What is known of a head, in words: from which data, how good, why it serves or does not."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from app.components.moments import moment
from app.components.tree import Node, node
from app.text import t
from app.workflow.memory import HeadView

MEASURES = {"recall@5": "recall", "little_history": "little_history", "ndcg@10": "ranking"}
MINUS = "\N{MINUS SIGN}"
COLUMNS = ("measure", "before", "after", "difference")


def title(head: HeadView) -> str:
    """Return when a head was learnt and what became of it."""
    learnt = t("heads.learnt_on", when=moment(head.created_at))
    name = head.state if head.fits else "foreign"
    state = t(f"heads.state_{name}", when=moment(head.changed_at))
    return f"{learnt} · {state}"


def card(head: HeadView) -> list[Node]:
    """Return what is known of a head; what its card does not say is left out."""
    parts = [data(head.card), measures(head.card), as_if_new(head.card), reason(head.card)]
    shown = [part for part in parts if part is not None]
    heading = node("p", node("strong", title(head)))
    return [heading, *(shown or [node("p", t("heads.no_card"), class_="quiet")])]


def data(card: Mapping[str, Any]) -> Node | None:
    """Return from what was learnt, and on what it was checked."""
    known = {name: number(card.get(name)) for name in ("cases", "documents")}
    counts = {name: f"{value:,.0f}" for name, value in known.items() if value is not None}
    named = {name: t(f"heads.data_{name}", **{name: count}) for name, count in counts.items()}
    sentences = [t("heads.data", **named)] if len(named) == 2 else [f"{n}." for n in named.values()]
    first, last = card.get("from"), card.get("until")
    if isinstance(first, str) and isinstance(last, str):
        sentences.append(t("heads.data_span", first=first, last=last))
    if (held_back := number(card.get("held_back"))) is not None:
        sentences.append(t("heads.data_held_back", count=f"{held_back:,.0f}"))
    if (seconds := number(card.get("seconds"))) is not None:
        sentences.append(t("heads.data_seconds", seconds=f"{seconds:,.1f}"))
    return node("p", " ".join(sentences)) if sentences else None


def measures(card: Mapping[str, Any]) -> Node | None:
    """Return how often the right document was found, before and with the head."""
    rows = [
        _measure(name, card[key])
        for key, name in MEASURES.items()
        if isinstance(card.get(key), Mapping) and card[key]
    ]
    if not rows:
        return None
    heads = [node("th", t(f"heads.column_{name}"), scope="col") for name in COLUMNS]
    return node("table", node("thead", node("tr", *heads)), node("tbody", *rows))


def as_if_new(card: Mapping[str, Any]) -> Node | None:
    """Return how well documents are found that nobody has voted for yet."""
    share = number(card.get("as_if_new"))
    return None if share is None else node("p", t("heads.as_if_new", percent=percent(share)))


def reason(card: Mapping[str, Any]) -> Node | None:
    """Return why a head serves or was refused."""
    text = card.get("reason")
    if not isinstance(text, str) or not text.strip():
        return None
    return node("p", t("heads.reason", reason=text.strip().rstrip(".")))


def difference(values: object) -> str:
    """Return a difference of shares with the bounds it likely lies between, in points."""
    given = values if isinstance(values, Sequence) and not isinstance(values, str) else []
    numbers = [number(value) for value in given]
    if not numbers or numbers[0] is None:
        return ""
    points = [f"{100 * value:+.1f}".replace("-", MINUS) for value in numbers if value is not None]
    if len(numbers) != 3 or len(points) != 3:
        return t("heads.points", points=points[0])
    low, high = (value or 0.0 for value in numbers[1:])
    name = "chance" if low <= 0 <= high else "likely"
    return t(f"heads.{name}", points=points[0], low=points[1], high=points[2])


def number(value: object) -> float | None:
    """Return a finite number as such, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.1f} %"


def _measure(name: str, values: Mapping[str, Any]) -> Node:
    shares = {side: number(values.get(side)) for side in ("before", "after")}
    texts = {side: "" if share is None else percent(share) for side, share in shares.items()}
    texts["difference"] = difference(values.get("difference"))
    cells = [
        node("td", text, data_label=t(f"heads.column_{column}")) for column, text in texts.items()
    ]
    return node("tr", node("th", t(f"heads.{name}"), scope="row"), *cells)
