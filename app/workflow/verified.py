"""What reviewers have confirmed, with the names of those who did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.roles import Permission
from app.services import Services
from app.tables import User
from app.workflow.access import require
from rag import verified
from rag.cite import CitedClaim


@dataclass(frozen=True, slots=True)
class Mark:
    """Who confirmed a claim beside this very passage, and when."""

    by: str
    on: datetime


def marks(services: Services, user_id: str, claims: Sequence[CitedClaim]) -> dict[int, Mark]:
    """Return by its place from 0 who confirmed a claim, of those that somebody did."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_TICKETS_READ)
        found = verified.verified(session, claims)
        names = _names(session, {each.judge for each in found})
    return {each.claim: Mark(names.get(each.judge, each.judge), each.at) for each in found}


def count(services: Services, user_id: str) -> int:
    """Return how many claims are confirmed beside passages that are current."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_DRAFTS_AUDIT)
        return verified.count(session)


def _names(session: Session, judges: set[str]) -> dict[str, str]:
    query = select(User.email, User.name).where(User.email.in_(judges))
    return {email: name for email, name in session.execute(query) if name}
