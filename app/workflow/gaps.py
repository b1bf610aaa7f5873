"""Gaps: questions that the documents did not answer."""

from sqlalchemy import select

from app.roles import Permission
from app.services import Services
from app.workflow.access import require
from rag.tables import Gap

SHOWN = 200


def latest(services: Services, user_id: str) -> list[Gap]:
    """Return the newest gaps, newest first."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_DOCUMENTS_WRITE)
        return list(session.scalars(select(Gap).order_by(Gap.at.desc()).limit(SHOWN)))
