"""The reply with its citations as buttons."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlit.components import v2

from app.components.blank_notes import marked
from app.text import t
from rag.cite import MARKER, CitedClaim, markers_in
from rag.tables import Label

_FOLDER = Path(__file__).parent
_mount = v2.component(
    "support_copilot.reply",
    html='<div class="reply"></div>',
    css=(_FOLDER / "reply.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "reply.js").read_text(encoding="utf-8"),
)
_STATES = {
    Label.SUPPORTED: "supported",
    Label.NOT_ENOUGH_INFO: "doubtful",
    Label.REFUTED: "refuted",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The citation that was clicked: the claim's position from 0, and the marker."""

    claim: int
    marker: int


def reply(
    text: str,
    claims: Sequence[CitedClaim],
    opened: Chosen | None,
    key: str,
    notes: Mapping[int, str],
) -> Chosen | None:
    """Show a reply and return the citation that was clicked just now.

    `notes` say more of some claims, by their places from 0.
    """
    parts = list(marked(_parts(text, claims, opened, notes)))
    result = _mount(data={"parts": parts}, key=key, on_cite_change=lambda: None)
    clicked = getattr(result, "cite", None)
    return Chosen(int(clicked["claim"]), int(clicked["marker"])) if clicked else None


def state(claim: CitedClaim) -> str:
    """Return what the machine says of a claim and all that it cites."""
    if not claim.evidence:
        return "uncited"
    return _STATES[claim.finding.label] if claim.finding else "unchecked"


def _parts(
    text: str, claims: Sequence[CitedClaim], opened: Chosen | None, notes: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    position = 0
    for number, claim in enumerate(claims):
        yield {"kind": "text", "text": text[position : claim.start]}
        more = notes.get(number)
        for part in _claim_parts(number, claim, opened):
            yield part | {"note": f"{part['note']}; {more}"} if more and "note" in part else part
        position = claim.end
    yield {"kind": "text", "text": text[position:]}


def _claim_parts(number: int, claim: CitedClaim, opened: Chosen | None) -> Iterator[dict[str, Any]]:
    kind = state(claim)
    note = t(f"inbox.legend_{kind}")
    if claim.finding:
        note = f"{note} ({claim.finding.note})"
    cited = {evidence.marker: evidence for evidence in claim.evidence}
    position = 0
    for match in MARKER.finditer(claim.text):
        before = claim.text[position : match.start()].rstrip()
        if before:
            yield {"kind": "text", "text": before, "state": kind, "note": note}
        for marker in markers_in(match.group()):
            if marker in cited:
                evidence = cited[marker]
                yield {
                    "kind": "chip",
                    "marker": marker,
                    "claim": number,
                    "quote": evidence.quote,
                    "label": _label(marker, evidence.hit.version.title, evidence.quote),
                    "open": opened == Chosen(number, marker),
                }
        position = match.end()
    rest = claim.text[position:]
    if rest:
        yield {"kind": "text", "text": rest, "state": kind, "note": note}


def _label(marker: int, title: str, quote: str) -> str:
    return t("inbox.chip", marker=marker, title=title, quote=quote[:200])
