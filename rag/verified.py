"""What reviewers have confirmed: a claim beside the passage that it cites, word for word.

It holds as long as the document has that passage, and until a reviewer judges otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ingest.tables import Passage, Version, VersionStatus
from rag.cite import CitedClaim, bare_text
from rag.tables import MACHINE, Citation, Claim, Label, Verdict


@dataclass(frozen=True, slots=True)
class Verified:
    """A claim of a text, by its place from 0, that a reviewer has confirmed before."""

    claim: int
    judge: str
    at: datetime


def verified(session: Session, claims: Sequence[CitedClaim]) -> list[Verified]:
    """Return the claims whose every citation was confirmed, each with the newest verdict."""
    hashes = {cited.hit.passage.content_hash for claim in claims for cited in claim.evidence}
    standing = _standing(session, hashes)
    found = []
    for place, claim in enumerate(claims):
        keys = [(_folded(claim.text), cited.hit.passage.content_hash) for cited in claim.evidence]
        if keys and all(key in standing for key in keys):
            newest = max((standing[key] for key in keys), key=lambda verdict: verdict.at)
            found.append(Verified(place, newest.judge, newest.at))
    return found


def count(session: Session) -> int:
    """Return how many claims are confirmed beside passages that are current."""
    return len(_standing(session, None))


def _standing(session: Session, hashes: set[str] | None) -> dict[tuple[str, str], Verdict]:
    """Return by claim and passage the verdicts that confirm and still hold."""
    newest: dict[tuple[str, str], Verdict] = {}
    for text, content_hash, verdict in session.execute(_judged(hashes)):
        newest[_folded(text), content_hash] = verdict
    return {key: each for key, each in newest.items() if each.label == Label.SUPPORTED}


def _judged(hashes: set[str] | None) -> Select[str, str, Verdict]:
    """Select reviewers' verdicts about passages that current versions have, oldest first."""
    current = (
        select(Passage.content_hash)
        .join(Version, Version.id == Passage.version_id)
        .where(Version.status == VersionStatus.CURRENT)
    )
    query = (
        select(Claim.text, Passage.content_hash, Verdict)
        .join(Citation, Citation.claim_id == Claim.id)
        .join(Passage, Passage.id == Citation.passage_id)
        .join(Verdict, Verdict.citation_id == Citation.id)
        .where(Verdict.judge != MACHINE, Passage.content_hash.in_(current))
        .order_by(Verdict.at, Verdict.id)
    )
    return query if hashes is None else query.where(Passage.content_hash.in_(hashes))


def _folded(text: str) -> str:
    return " ".join(bare_text(text).casefold().split()).strip(" .")
