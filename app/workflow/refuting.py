"""A sentence that its source contradicts: the desk may have such replies blocked."""

from collections.abc import Sequence

from app.errors import RefutedError
from rag.cite import CitedClaim, bare_text
from rag.policy import Policy
from rag.tables import Label


def require_unrefuted(claims: Sequence[CitedClaim], policy: Policy) -> None:
    """See that no sentence is contradicted by what it cites, where the desk blocks such replies.

    Raises:
        RefutedError: One is; it names the first.
    """
    if policy.refuted != "block":
        return
    for number, claim in enumerate(claims, start=1):
        if claim.finding and claim.finding.label == Label.REFUTED:
            sentence, why = bare_text(claim.text), claim.finding.note
            raise RefutedError(number=number, sentence=sentence, why=why)
