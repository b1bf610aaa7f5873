"""The desk itself: its name, and the salt under which personal detail is hidden in events."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tables import Desk
from rag.house import House
from rag.policy import Policy
from rag.topics import Topic
from rag.voice import Voice

ONLY = 1
DEFAULT_NAME = "Support desk"


def desk(session: Session) -> Desk:
    """Return the desk, made on first use; the session must be able to write."""
    found = session.get(Desk, ONLY)
    if found is None:
        found = Desk(id=ONLY, name=DEFAULT_NAME, salt=secrets.token_hex(32))
        session.add(found)
        session.flush()
    return found


def desk_learns(session: Session) -> bool:
    """Tell whether solved tickets have a say in the ranking; they have unless switched off."""
    learns = session.scalar(select(Desk.learns).where(Desk.id == ONLY))
    return learns is not False


def desk_house(session: Session) -> House:
    """Return the desk's own rules about drafts."""
    found = session.get(Desk, ONLY)
    if found is None:
        return House(Voice())
    return House(
        Voice.model_validate(found.voice),
        tuple(Topic.model_validate(topic) for topic in found.topics),
        None if found.regions is None else frozenset(found.regions),
        Policy.model_validate(found.policy),
    )
