"""The desk's state, for `doctor` and for `/readyz`."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text

from app.services import Services
from app.tables import Delivery
from ingest import jobs
from ingest.tables import Document
from rag.errors import VerifierError
from rag.tables import Approval, ApprovalState


def report(services: Services) -> dict[str, Any]:
    """Describe the desk: record, index, queue, models."""
    state = services.index.state()
    with services.database.read() as session:
        documents = session.scalar(select(func.count()).select_from(Document))
        waiting = jobs.unfinished(session)
        sealed = session.scalar(_count(Approval, Approval.state == ApprovalState.SEALED))
        undelivered = session.scalar(_count(Delivery, Delivery.delivered_at.is_(None)))
    return {
        "database": services.database.dialect,
        "documents": documents,
        "engine": state.engine,
        "generation": state.generation,
        "embedding_model": state.model,
        "passages": state.passages,
        "delta": state.delta,
        "jobs_unfinished": waiting,
        "replies_waiting": sealed,
        "replies_undelivered": undelivered,
        "model": services.settings.model,
        "verifier": _verifier(services),
    }


def _count(kind: type[Approval | Delivery], which: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(kind).where(which)


def is_ready(services: Services) -> bool:
    """Tell whether the record answers, queries can be encoded and claims checked."""
    with services.database.read() as session:
        session.execute(text("SELECT 1"))
    services.query_encoder.encode("ready")
    services.verifier.judge([("The desk is ready.", "All is well.")])
    return True


def _verifier(services: Services) -> str:
    """Name the weights that check claims, or say why none are."""
    try:
        return services.groundedness.fingerprint
    except VerifierError as error:
        return str(error)
