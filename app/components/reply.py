"""The reply with its citations as buttons."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlit.components import v2

from app.components import claim_states
from app.components.blank_notes import marked
from app.text import t
from rag.cite import MARKER, CitedClaim, Evidence, markers_in
from rag.standing import Standing

Part = dict[str, Any]
_FOLDER = Path(__file__).parent
_mount = v2.component(
    "support_copilot.reply",
    html='<div class="reply"></div>',
    css=(_FOLDER / "reply.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "reply.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The citation that was clicked: the claim's position from 0, and the marker."""

    claim: int
    marker: int


def reply(
    text: str,
    claims: Sequence[CitedClaim],
    standings: Sequence[Standing],
    opened: Chosen | None,
    key: str,
    notes: Mapping[int, str],
) -> Chosen | None:
    """Show a reply and return the citation that was clicked just now.

    `notes` say more of some claims, by their places from 0.
    """
    stated = [
        (claim, state, notes.get(at, ""))
        for at, (claim, state) in enumerate(zip(claims, standings, strict=True))
    ]
    parts = list(marked(_parts(text, stated, opened)))
    result = _mount(data={"parts": parts}, key=key, on_cite_change=lambda: None)
    clicked = getattr(result, "cite", None)
    return Chosen(int(clicked["claim"]), int(clicked["marker"])) if clicked else None


def _parts(
    text: str, claims: Sequence[tuple[CitedClaim, Standing, str]], opened: Chosen | None
) -> Iterator[Part]:
    position = 0
    for number, (claim, state, more) in enumerate(claims):
        yield {"kind": "text", "text": text[position : claim.start]}
        note = claim_states.note(number + 1, claim, state)
        shown = {"state": state, "note": f"{note}; {more}" if more else note}
        yield from (part | shown for part in _claim_parts(number, claim, opened))
        if claim_states.SIGNS[state]:
            yield {"kind": "sign", "text": claim_states.SIGNS[state], **shown}
        position = claim.end
    yield {"kind": "text", "text": text[position:]}


def _claim_parts(number: int, claim: CitedClaim, opened: Chosen | None) -> Iterator[Part]:
    cited = {evidence.marker: evidence for evidence in claim.evidence}
    position = 0
    for match in MARKER.finditer(claim.text):
        if before := claim.text[position : match.start()].rstrip():
            yield {"kind": "text", "text": before}
        for marker in markers_in(match.group()):
            if marker in cited:
                is_open = opened == Chosen(number, marker)
                yield _chip(number, cited[marker], is_open=is_open)
        position = match.end()
    if rest := claim.text[position:]:
        yield {"kind": "text", "text": rest}


def _chip(number: int, evidence: Evidence, *, is_open: bool) -> Part:
    return {
        "kind": "chip",
        "marker": evidence.marker,
        "claim": number,
        "quote": evidence.quote,
        "label": _label(evidence.marker, evidence.hit.version.title, evidence.quote),
        "open": is_open,
    }


def _label(marker: int, title: str, quote: str) -> str:
    return t("inbox.chip", marker=marker, title=title, quote=quote[:200])
