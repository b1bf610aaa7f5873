"""The rules of a desk's own that drafting follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.cite import CitedClaim, cite
from rag.policy import NO_POLICY, Policy
from rag.retrieve import Hit
from rag.tables import ClaimKind
from rag.topics import Topic
from rag.voice import Voice, body


@dataclass(frozen=True, slots=True)
class House:
    """How replies are to sound, what is left to people, where data may go, who approves.

    `regions` are those that tickets may be sent to; None where the desk names none.
    """

    voice: Voice
    topics: Sequence[Topic] = ()
    regions: frozenset[str] | None = None
    policy: Policy = NO_POLICY

    def claims(self, text: str, hits: Sequence[Hit], language: str) -> list[CitedClaim]:
        """Return what a reply states; greeting and sign-off only what cites or binds the desk."""
        start, end = body(text, self.voice, language)
        return [
            claim
            for claim in cite(text, hits)
            if claim.evidence
            or claim.kind != ClaimKind.FACT
            or (claim.start < end and claim.end > start)
        ]
