"""Desks as processes of their own have them: real but for the model, hashed words in its place."""

from pathlib import Path

from app.services import Services
from app.settings import Settings
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from tests.fakes import HashEmbedder


def open_desk(home: Path) -> Services:
    """Open the desk of a home folder, which is made where there is none."""
    services = Services(Settings(home=home))
    embedder = HashEmbedder()
    index = ServedIndex(services.database, services._engine, embedder.fingerprint)
    ingestion = Ingestion(services.database, services.files, embedder, index, services.weights)
    # Cached properties: what is here already is not built.
    vars(services).update(query_encoder=embedder, index=index, ingestion=ingestion)
    return services
