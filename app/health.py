"""The desk's state, for `doctor` and for `/readyz`."""

from typing import Any

from sqlalchemy import func, select, text

from app.services import Services
from ingest import jobs
from ingest.tables import Document
from rag.errors import VerifierError


def report(services: Services) -> dict[str, Any]:
    """Describe the desk: record, index, queue, models."""
    state = services.index.state()
    with services.database.read() as session:
        documents = session.scalar(select(func.count()).select_from(Document))
        waiting = jobs.unfinished(session)
    return {
        "database": services.database.dialect,
        "documents": documents,
        "engine": state.engine,
        "generation": state.generation,
        "embedding_model": state.model,
        "passages": state.passages,
        "delta": state.delta,
        "jobs_unfinished": waiting,
        "model": services.settings.model,
        "verifier": _verifier(services),
    }


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
