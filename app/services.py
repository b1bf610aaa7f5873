"""The composition root: builds everything from the settings, each part when first used."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from filelock import FileLock
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app import schema
from app.desk import desk, desk_house, desk_learns
from app.encoders import Encoders, of
from app.errors import UnavailableDatabaseError
from app.settings import Settings
from app.webhook import Webhook
from app.worker import Worker
from ingest.db import Database
from ingest.embed import PassageEncoder
from ingest.files import FileStore
from ingest.index.chroma import ChromaIndex
from ingest.index.protocol import VectorIndex
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from ingest.query_encoder import QueryEncoder
from ingest.weights import Weights
from rag.groundedness import Groundedness
from rag.learn import Learner
from rag.llm import LiteLlmModel, patience_with
from rag.models import EXTRACTIVE, resolve
from rag.pipeline import Drafter
from rag.retrieve import Retriever
from rag.verify import Verifier
from rag.writing import Writer


class Services:
    """What the use cases need; knows nothing of who calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def home(self) -> Path:
        """Return the folder of this desk's state."""
        return self.settings.home

    @cached_property
    def database(self) -> Database:
        """Return the record, its tables up to date."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            database = Database(self.settings.url)
            schema.upgrade(database, FileLock(self.home / "schema.lock"))
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise UnavailableDatabaseError(url=_without_secrets(self.settings.url)) from error
        return database

    @property
    def desk_name(self) -> str:
        """Return the name of the desk."""
        with self.database.write() as session:
            return desk(session).name

    @cached_property
    def files(self) -> FileStore:
        """Return the store of uploaded bytes."""
        return FileStore(self.home / "files")

    @cached_property
    def weights(self) -> Weights:
        """Return the files of the embedding model that serves."""
        return self.encoders.weights

    @cached_property
    def encoders(self) -> Encoders:
        """Return the configured embedding model and those trained from it."""
        return of(self)

    @cached_property
    def query_encoder(self) -> QueryEncoder:
        """Return the encoder of queries."""
        return QueryEncoder(self.weights)

    @cached_property
    def index(self) -> ServedIndex:
        """Return the vector index as it is served."""
        return ServedIndex(self.database, self._engine, self.weights.fingerprint)

    @cached_property
    def retriever(self) -> Retriever:
        """Return the search over the knowledge base."""
        return Retriever(self.database, self.query_encoder, self.index, desk_learns)

    @cached_property
    def drafter(self) -> Drafter:
        """Return what makes drafts."""
        return Drafter(
            self.database,
            self.retriever,
            self.query_encoder,
            self.verifier,
            self.settings.abstain_below,
            self.settings.reply_tokens,
            self.settings.mask,
            self.settings.spending_limit,
            desk_house,
        )

    @cached_property
    def verifier(self) -> Verifier:
        """Return what tells whether passages support claims."""
        return Verifier(self.groundedness)

    @cached_property
    def groundedness(self) -> Groundedness:
        """Return the model that checks claims: always the packaged one, which it was trained on."""
        return Groundedness(Weights())

    def writer(self, name: str | None = None) -> Writer | None:
        """Return the model that writes drafts, the desk's or another; None is the embedded one.

        For the desk's own others stand in where it fails; another is meant as it is named.

        Raises:
            RagError: There is no such model, or it was retired.
        """
        settings = self.settings
        chosen = name or settings.model
        if chosen == EXTRACTIVE:
            return None
        window = settings.model_window or None
        writer = self._writer(chosen, settings.model_url, settings.model_key, window)
        if name:
            return writer
        stand_ins: tuple[Writer, ...] = ()
        if settings.fallback_model:
            stand_ins = (
                self._writer(settings.fallback_model, settings.fallback_url, settings.fallback_key),
            )
        return replace(writer, stand_ins=stand_ins)

    @property
    def sorter(self) -> Writer | None:
        """Return the model that reads tickets before they are drafted, None where none does."""
        settings = self.settings
        if not settings.triage_model:
            return None
        sorter = self._writer(settings.triage_model, settings.triage_url, settings.triage_key)
        return replace(sorter, stand_ins=())

    def _writer(
        self, name: str, url: str, key: SecretStr, window_tokens: int | None = None
    ) -> Writer:
        secret = key.get_secret_value() or None
        route = resolve(name, url=url or None, key=secret, window_tokens=window_tokens)
        patience = patience_with(route, self.settings.model_patience)
        return Writer(route, LiteLlmModel(route, patience))

    @cached_property
    def ingestion(self) -> Ingestion:
        """Return what taking documents in needs."""
        embedder = PassageEncoder(self.weights)
        return Ingestion(self.database, self.files, embedder, self.index, self.weights)

    @cached_property
    def worker(self) -> Worker:
        """Return the worker of this home."""
        return Worker(self.ingestion, self.home, self.learner)

    @property
    def webhook(self) -> Webhook | None:
        """Return where sent replies are posted to; None where nowhere."""
        settings = self.settings
        if not settings.webhook_url:
            return None
        return Webhook(settings.webhook_url, settings.webhook_key.get_secret_value())

    @cached_property
    def learner(self) -> Learner:
        """Return what learns from solved tickets."""
        return Learner(self.database, self.ingestion.embedder)

    @property
    def _engine(self) -> VectorIndex:
        if self.settings.engine == "pgvector":
            from ingest.index.pgvector import PgVectorIndex

            return PgVectorIndex(self.database)
        return ChromaIndex(self.home / "index")


def _without_secrets(url: str) -> str:
    """Return a database's address without the passwords that it may hold."""
    try:
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except ArgumentError:
        return "of COPILOT_DATABASE_URL"
