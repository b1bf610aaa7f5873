"""How a claim stands: what the machine says of it, or whose word it is."""

from enum import StrEnum

from rag.cite import CitedClaim, bare_text
from rag.tables import Label


class Standing(StrEnum):
    """What is known of a claim; `OWN` is the agent's own word, which needs no source."""

    SUPPORTED = "supported"
    DOUBTFUL = "doubtful"
    REFUTED = "refuted"
    UNCITED = "uncited"
    OWN = "own"
    UNCHECKED = "unchecked"

    @property
    def needs_a_look(self) -> bool:
        """Tell whether somebody should look at the claim before it is sent."""
        return self in {Standing.DOUBTFUL, Standing.REFUTED, Standing.UNCITED}


_OF = {
    Label.SUPPORTED: Standing.SUPPORTED,
    Label.NOT_ENOUGH_INFO: Standing.DOUBTFUL,
    Label.REFUTED: Standing.REFUTED,
}


def standing(claim: CitedClaim, drafted: str) -> Standing:
    """Return how a claim stands; without a citation it is the agent's own if no draft had it."""
    if not claim.evidence:
        is_drafted = bare_text(claim.text) in bare_text(drafted)
        return Standing.UNCITED if is_drafted else Standing.OWN
    return _OF[claim.finding.label] if claim.finding else Standing.UNCHECKED
