"""Suspicious text: what waits for an owner, and what becomes of it."""

from app.errors import NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import require
from ingest import quarantine
from ingest.quarantine import Held
from ingest.tables import SuspicionState


def waiting(services: Services, user_id: str) -> list[Held]:
    """Return what is held back in documents that this person may see, the undecided first."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return quarantine.held(session, actor.scope)


def of_version(services: Services, user_id: str, version_id: str) -> list[Held]:
    """Return what is or was suspicious in a version that this person may see."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_READ)
        return quarantine.held(session, actor.scope, version_id)


def decide(services: Services, user_id: str, suspicion_id: str, state: SuspicionState) -> None:
    """Release a suspicious text, or keep it out of search for good.

    Raises:
        NotFoundError: It is not there, or not this person's to see.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        if not quarantine.is_seen(session, actor.scope, suspicion_id):
            raise NotFoundError(what="such suspicion")
        quarantine.decide(session, suspicion_id, state, actor.email)
