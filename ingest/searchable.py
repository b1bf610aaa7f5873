"""What is searched changes here and nowhere else, in the transaction that decides it."""

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ingest import lexical
from ingest.events import take_turn
from ingest.tables import IndexOperation, Passage, Version, Visibility


def admit(session: Session, visibility: Visibility, version: Version) -> None:
    """Let a version's passages be found."""
    lexical.add(session, version.id)
    _log(session, visibility, version, adds=True)


def dismiss(session: Session, visibility: Visibility, version: Version) -> None:
    """Let a version's passages be found no more."""
    lexical.remove(session, version.id)
    _log(session, visibility, version, adds=False)


def _log(session: Session, visibility: Visibility, version: Version, *, adds: bool) -> None:
    take_turn(session)
    passage_ids = session.scalars(select(Passage.id).where(Passage.version_id == version.id))
    rows = [
        {"passage_id": passage_id, "visibility": visibility, "adds": adds}
        for passage_id in passage_ids
    ]
    if rows:
        session.execute(insert(IndexOperation), rows)
