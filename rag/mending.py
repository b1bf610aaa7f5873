"""Citations that a reply lacks or does not need, told by the verifier and changed in its text."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.cite import MARKER_WITH_BLANK, CitedClaim, Evidence, bare_text, markers_in
from rag.evidence import evidence_text
from rag.overlap import overlap
from rag.quoting import Judge
from rag.retrieve import Hit
from rag.tables import Label

# So much of a claim's words must stand close together in a passage for it to be asked, and so many
# passages are asked.
MIN_SHARE = 0.6
ASKED = 2
_RUN = re.compile(rf"(?:{MARKER_WITH_BLANK.pattern})+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mend:
    """A citation to add to a claim, or to take away; claims count from 0, markers from 1."""

    claim: int
    marker: int
    adds: bool


@dataclass(frozen=True, slots=True)
class Mended:
    """A reply with right citations, its checked claims, and the markers that came and went."""

    text: str
    claims: list[CitedClaim]
    notes: dict[str, str]


def mended(
    text: str, hits: Sequence[Hit], check: Callable[[str], list[CitedClaim]], judge: Judge
) -> Mended:
    """Make the citations of a reply right; `check` returns its checked claims."""
    claims = check(text)
    changes = mends(claims, hits, judge)
    if not changes:
        return Mended(text, claims, {})
    text = apply(text, claims, changes)
    return Mended(text, check(text), _notes(changes))


def mends(claims: Sequence[CitedClaim], hits: Sequence[Hit], judge: Judge) -> list[Mend]:
    """Return what would make the citations of checked claims right.

    A claim without a citation gets the passage that supports it. Of several passages one that
    neither supports the claim alone nor is missed by it goes; one that contradicts it stays.
    """
    found = []
    for number, claim in enumerate(claims):
        if not claim.evidence:
            marker = _missing(claim, hits, judge)
            found += [Mend(number, marker, adds=True)] if marker else []
        elif len(claim.evidence) > 1:
            found += [Mend(number, marker, adds=False) for marker in _unneeded(claim, judge)]
    return found


def apply(text: str, claims: Sequence[CitedClaim], changes: Sequence[Mend]) -> str:
    """Return the text that the claims are of, with its citations changed."""
    # From the end, so that what comes before stays in its place.
    for number in sorted({change.claim for change in changes}, reverse=True):
        start, end = claims[number].start, claims[number].end
        stated = text[start:end]
        for change in changes:
            if change.claim == number:
                stated = _changed(stated, change)
        text = text[:start] + stated + text[end:]
    return text


def _missing(claim: CitedClaim, hits: Sequence[Hit], judge: Judge) -> int:
    """Return the marker of the passage that supports a claim best; 0 if none does."""
    stated = bare_text(claim.text)
    texts = [evidence_text(hit) for hit in hits]
    shares = [overlap(stated, text).nearest for text in texts]
    near = sorted(
        (at for at in range(len(hits)) if shares[at] >= MIN_SHARE), key=lambda at: -shares[at]
    )
    asked = near[:ASKED]
    findings = judge([(stated, texts[at]) for at in asked])
    supporting = [
        (finding.probability, -at)
        for at, finding in zip(asked, findings, strict=True)
        if finding.label == Label.SUPPORTED
    ]
    return 1 - max(supporting)[1] if supporting else 0


def _unneeded(claim: CitedClaim, judge: Judge) -> list[int]:
    stated, kept = bare_text(claim.text), list(claim.evidence)
    weak = [each for each in kept if each.finding and each.finding.label == Label.NOT_ENOUGH_INFO]
    gone = []
    for evidence in sorted(weak, key=_probability):
        rest = [each for each in kept if each is not evidence]
        together = "\n\n".join(evidence_text(each.hit) for each in rest)
        if rest and judge([(stated, together)])[0].label == Label.SUPPORTED:
            kept = rest
            gone.append(evidence.marker)
    return gone


def _probability(evidence: Evidence) -> float:
    return evidence.finding.probability if evidence.finding else 0.0


def _notes(changes: Sequence[Mend]) -> dict[str, str]:
    added = [f"[{change.marker}]" for change in changes if change.adds]
    removed = [f"[{change.marker}]" for change in changes if not change.adds]
    notes = {"citations_added": " ".join(added), "citations_removed": " ".join(removed)}
    return {name: markers for name, markers in notes.items() if markers}


def _changed(stated: str, change: Mend) -> str:
    return f"{stated} [{change.marker}]" if change.adds else _without(stated, change.marker)


def _without(text: str, marker: int) -> str:
    def rewrite(run: re.Match[str]) -> str:
        kept = [other for other in markers_in(run.group()) if other != marker]
        blank = " " if run.group()[0].isspace() else ""
        return blank + "".join(f"[{other}]" for other in kept) if kept else ""

    return _RUN.sub(rewrite, text)
