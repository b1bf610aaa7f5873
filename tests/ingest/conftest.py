from pathlib import Path

import pytest

from ingest.db import Database
from ingest.files import FileStore
from ingest.index.exact import ExactIndex
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from ingest.weights import Weights
from tests.fakes import HashEmbedder
from tests.ingest.knowledge_base import KnowledgeBase


@pytest.fixture
def knowledge_base(
    database: Database, tmp_path: Path, weights: Weights, embedder: HashEmbedder
) -> KnowledgeBase:
    """Return an empty knowledge base on each database in turn, searched exactly."""
    index = ServedIndex(database, ExactIndex(), embedder.fingerprint)
    files = FileStore(tmp_path / "files")
    return KnowledgeBase(Ingestion(database, files, embedder, index, weights), embedder)
