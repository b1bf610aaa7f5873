"""A desk with real parts for tests: real encoders, loaded once a run, and small documents."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from app.services import Services
from app.settings import Settings
from ingest import jobs, sources
from ingest.embed import PassageEncoder
from ingest.pipeline import Ingestion, ingest_documents
from ingest.query_encoder import QueryEncoder
from ingest.sources import Upload
from ingest.store import document_id
from ingest.tables import Document, Passage, Version, VersionStatus, Visibility
from ingest.weights import Weights
from rag.groundedness import Groundedness
from rag.retrieve import Hit
from rag.tickets import TicketLine, save
from rag.verify import Verifier

REPLY_TOKENS = 200


@cache
def weights() -> Weights:
    return Weights()


@cache
def passage_encoder() -> PassageEncoder:
    return PassageEncoder(weights())


@cache
def query_encoder() -> QueryEncoder:
    return QueryEncoder(weights())


@cache
def verifier() -> Verifier:
    return Verifier(Groundedness(weights()))


def share_encoders(services: Services) -> None:
    """Give services the models of this process: what is there already is not built."""
    shared = {"weights": weights(), "query_encoder": query_encoder(), "verifier": verifier()}
    vars(services).update(shared)
    vars(services)["ingestion"] = Ingestion(
        services.database, services.files, passage_encoder(), services.index, weights()
    )


class TestDesk(Services):
    """Services of a home folder that share this process's encoders."""

    __test__ = False

    def __init__(self, home: Path, **settings: Any) -> None:
        known = {"reply_tokens": REPLY_TOKENS, **settings}
        super().__init__(Settings().model_copy(update={"home": home, **known}))
        share_encoders(self)

    def publish(self, source: str, text: str, **details: Any) -> str:
        """Take in one text as a public document, and return its id."""
        name = source if "." in source else f"{source}.md"
        given = {"visibility": Visibility.PUBLIC, "owner": "Olu", **details}
        self.take_in([Upload(source, name, text.encode(), given)])
        return document_id(source)

    def take_in(self, uploads: Sequence[Upload]) -> None:
        sources.submit(self.database, self.files, uploads, "tests")
        ingest_documents(self.ingestion, jobs.claim(self.database, "tests", len(uploads)))

    def ticket(self, body: str, subject: str = "Question", **fields: Any) -> str:
        """Add a ticket, and return its id."""
        line = TicketLine.model_validate(
            {"id": "T-1", "subject": subject, "body": body, "locale": "en", **fields}
        )
        with self.database.write() as session:
            return save(session, line).id


def hit(
    text: str,
    rank: int = 1,
    *,
    title: str = "Manual",
    page: int | None = None,
    start: int = 0,
    score: float = 0.8,
) -> Hit:
    """Return a hit whose passage stands at `start` in its version's text."""
    number = f"{rank}-{abs(hash(text)) % 10**8}"
    passage = Passage(
        id=f"p{number}",
        version_id="d.1",
        ordinal=rank,
        heading_path=[],
        text=text,
        start=start,
        end=start + len(text),
        first_page=page,
        last_page=page,
        content_hash=number,
    )
    version = Version(
        id="d.1",
        document_id="d",
        number=1,
        sha256="0" * 64,
        status=VersionStatus.CURRENT,
        visibility=Visibility.PUBLIC,
        labels=[],
        title=title,
        file_name="manual.md",
        media_type="text/markdown",
        parser="markdown",
        language="en",
        text=" " * start + text,
        passages=1,
    )
    document = Document(
        id="d", source="manual.md", title=title, owner="Olu", visibility=Visibility.PUBLIC
    )
    return Hit(rank, score, passage, version, document, "close in meaning")
