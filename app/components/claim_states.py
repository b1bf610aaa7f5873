"""How each statement of a reply stands, in words, with a sign and a line: never by colour alone."""

from collections.abc import Sequence

from app.text import t
from rag.cite import CitedClaim
from rag.standing import Standing

SIGNS = {
    Standing.SUPPORTED: "✓",
    Standing.DOUBTFUL: "?",
    Standing.REFUTED: "✗",
    Standing.UNCITED: "○",
    Standing.OWN: "✎",
    Standing.UNCHECKED: "",
}


def note(number: int, claim: CitedClaim, state: Standing) -> str:
    """Return what is known of a statement, and why the machine says so; they count from 1."""
    said = f"{t('claims.sentence', number=number)}: {t(f'claims.{state}')}"
    return f"{said} ({claim.finding.note})" if claim.finding else said


def summary(standings: Sequence[Standing]) -> str:
    """Return how many statements are supported, and which need the agent."""
    if not standings:
        return t("claims.none")
    supported = standings.count(Standing.SUPPORTED)
    open_ones = [str(at) for at, each in enumerate(standings, start=1) if each.needs_a_look]
    parts = [t("claims.supported_of", supported=supported, claims=len(standings))]
    if own := standings.count(Standing.OWN):
        parts.append(t("claims.own_count", count=own))
    if len(open_ones) == 1:
        parts.append(t("claims.needs_you", number=open_ones[0]))
    elif open_ones:
        listed = f"{', '.join(open_ones[:-1])} {t('claims.and')} {open_ones[-1]}"
        parts.append(t("claims.need_you", numbers=listed))
    return ", ".join(parts) + "."
