"""A knowledge base of one test: upload, work off, look at what came of it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from ingest import jobs, life, sources, store
from ingest.access import Scope
from ingest.db import Database
from ingest.pipeline import Ingestion, ingest_documents
from ingest.sources import Upload
from ingest.tables import Document, Event, Job, Passage, Version, VersionStatus
from rag.retrieve import Hit, Retriever
from tests.fakes import HashEmbedder

WORKER = "worker of the test"
OWNER = "olu@example.com"


@dataclass
class KnowledgeBase:
    ingestion: Ingestion
    embedder: HashEmbedder
    retriever: Retriever = field(init=False)

    def __post_init__(self) -> None:
        self.retriever = Retriever(
            self.database, self.embedder.as_query_encoder(), self.ingestion.index
        )

    @property
    def database(self) -> Database:
        return self.ingestion.database

    def submit(self, *items: Upload) -> list[Job]:
        """Queue uploads and return their jobs as they are now."""
        return self.jobs(sources.submit(self.database, self.ingestion.files, items, OWNER))

    def put(self, name: str, text: str | bytes, **details: Any) -> Job:
        """Take one document in and return its finished job."""
        data = text.encode() if isinstance(text, str) else text
        [job] = self.submit(Upload(name, name, data, details))
        self.work()
        return self.job(job.id)

    def work(self, worker: str = WORKER) -> None:
        """Work until the queue is empty."""
        while claimed := jobs.claim(self.database, worker, 16):
            ingest_documents(self.ingestion, claimed)

    def job(self, job_id: str) -> Job:
        with self.database.read() as session:
            return session.get_one(Job, job_id)

    def jobs(self, job_ids: list[str]) -> list[Job]:
        return [self.job(job_id) for job_id in job_ids]

    def search(self, question: str, k: int = 5, scope: Scope | None = None) -> list[Hit]:
        return self.retriever.search(question, k, scope or Scope.everything())

    def found(self, question: str, k: int = 5, scope: Scope | None = None) -> list[str]:
        """Return the sources of the documents found, best first."""
        return [*dict.fromkeys(hit.document.source for hit in self.search(question, k, scope))]

    def withdraw(self, source: str) -> None:
        with self.database.write() as session:
            life.withdraw_document(session, store.document_id(source), OWNER)

    def document(self, source: str) -> Document:
        with self.database.read() as session:
            return session.get_one(Document, store.document_id(source))

    def versions(self, source: str) -> list[tuple[int, VersionStatus]]:
        """Return number and status of each version of a document, in order."""
        query = (
            select(Version.number, Version.status)
            .where(Version.document_id == store.document_id(source))
            .order_by(Version.number)
        )
        with self.database.read() as session:
            return [(row.number, VersionStatus(row.status)) for row in session.execute(query)]

    def current_text(self, source: str) -> str:
        with self.database.read() as session:
            version = store.current_version(session, store.document_id(source))
            assert version is not None
            return version.text

    def passages(self, source: str) -> list[Passage]:
        """Return the passages of the current version in reading order."""
        query = (
            select(Passage)
            .join(Version)
            .where(Version.document_id == store.document_id(source))
            .where(Version.status == VersionStatus.CURRENT)
            .order_by(Passage.ordinal)
        )
        with self.database.read() as session:
            return list(session.scalars(query))

    def actions(self) -> list[str]:
        """Return the audit trail as actions, in order."""
        with self.database.read() as session:
            return list(session.scalars(select(Event.action).order_by(Event.id)))
