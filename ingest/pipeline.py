"""A document's way in and out, one short function for each flow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tokenizers import Tokenizer

from ingest import jobs, store, vectors
from ingest.chunk import chunk
from ingest.db import Database
from ingest.embed import Embedder
from ingest.errors import CopilotError
from ingest.files import FileStore
from ingest.index.served import IndexState, ServedIndex
from ingest.language import detect
from ingest.parse.sandbox import parse_file
from ingest.query_encoder import load_tokenizer, token_offsets
from ingest.store import Prepared
from ingest.tables import Job
from ingest.weights import Weights


@dataclass(frozen=True)
class Ingestion:
    """What taking documents in needs."""

    database: Database
    files: FileStore
    embedder: Embedder
    index: ServedIndex
    weights: Weights

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer in whose tokens passages are measured."""
        return load_tokenizer(self.weights.folder)


def ingest_documents(ingestion: Ingestion, claimed: Sequence[Job]) -> None:
    """Take in the documents of claimed jobs; each is stored, or its job says why not."""
    job_ids = [job.id for job in claimed]
    prepared: list[Prepared] = []
    for job in claimed:
        jobs.renew(ingestion.database, job_ids)
        if (ready := _prepare(ingestion, job)) is not None:
            prepared.append(ready)
    if not prepared:
        return
    known = _embed(ingestion, prepared)
    for ready in prepared:
        try:
            store.add_version(ingestion.database, ready, known, ingestion.embedder.fingerprint)
        except CopilotError as error:
            _fail(ingestion, ready.job, error)


def rebuild_index(ingestion: Ingestion) -> IndexState:
    """Embed what the current model has not embedded yet, then build a new generation."""
    texts = store.unembedded(ingestion.database, ingestion.tokenizer, ingestion.embedder)
    fresh = vectors.encode(ingestion.embedder, texts, lambda _: None)
    with ingestion.database.write() as session:
        vectors.add(session, ingestion.embedder.fingerprint, fresh)
    return ingestion.index.rebuild()


def _prepare(ingestion: Ingestion, job: Job) -> Prepared | None:
    """Read and split a document; None if its job ended here."""
    try:
        if store.keep_unchanged(ingestion.database, job):
            return None
        jobs.report(ingestion.database, [job.id], "reading", 0, 0)
        parsed = parse_file(ingestion.files.path(job.sha256), job.file_name)
    except CopilotError as error:
        _fail(ingestion, job, error)
        return None
    tokenizer = ingestion.tokenizer
    chunks = chunk(parsed, lambda text: token_offsets(tokenizer, text), vectors.PASSAGE_TOKENS)
    title = str(job.details.get("title") or parsed.title)
    texts = [
        vectors.embedded_text(
            tokenizer, title, part.heading_path, parsed.text[part.start : part.end]
        )
        for part in chunks
    ]
    return Prepared(job, parsed, title, detect(parsed.text), chunks, texts)


def _fail(ingestion: Ingestion, job: Job, error: CopilotError) -> None:
    with ingestion.database.write() as session:
        jobs.fail(session, job.id, error)


def _embed(ingestion: Ingestion, prepared: Sequence[Prepared]) -> dict[str, bytes]:
    """Embed the texts of a batch of documents that have no vector yet, all together."""
    texts = {vectors.content_hash(text): text for ready in prepared for text in ready.texts}
    model = ingestion.embedder.fingerprint
    with ingestion.database.read() as session:
        missing = vectors.missing(session, texts, model)
    job_ids = [ready.job.id for ready in prepared]

    def show(done: int) -> None:
        jobs.report(ingestion.database, job_ids, "embedding", done, len(missing))

    show(0)
    return vectors.encode(ingestion.embedder, missing, show)
