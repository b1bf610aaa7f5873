"""The desk itself: its name, and the salt under which personal detail is hidden in events."""

import secrets

from sqlalchemy.orm import Session

from app.tables import Desk

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
