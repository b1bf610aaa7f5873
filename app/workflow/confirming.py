"""Sentences that bind the desk: no reply with one is approved before a person stands by it."""

from collections.abc import Collection, Sequence
from typing import Any

from app.errors import UnconfirmedError
from rag.cite import CitedClaim, bare_text
from rag.policy import Policy


def to_confirm(claims: Sequence[CitedClaim]) -> list[CitedClaim]:
    """Return the sentences that a person must stand by; one that stands twice is asked once."""
    return list({claim.text: claim for claim in claims if claim.needs_confirmation}.values())


def require_confirmed(claims: Sequence[CitedClaim], confirmed: Collection[str]) -> None:
    """See that a person stands by each sentence that binds the desk, as it is worded now.

    Raises:
        UnconfirmedError: Nobody confirmed one; it names the first.
    """
    for claim in to_confirm(claims):
        if claim.text not in confirmed:
            raise UnconfirmedError(sentence=bare_text(claim.text))


def needs_second(claims: Sequence[CitedClaim], policy: Policy) -> bool:
    """Tell whether the desk wants a second person to approve one of the sentences."""
    return any(claim.kind in policy.second_approver for claim in to_confirm(claims))


def detail(claims: Sequence[CitedClaim]) -> dict[str, Any]:
    """Return what an event says of an approval: which claims were confirmed, by their ordinals."""
    ordinals = [
        ordinal for ordinal, claim in enumerate(claims, start=1) if claim.needs_confirmation
    ]
    return {"confirmed": ordinals} if ordinals else {}
