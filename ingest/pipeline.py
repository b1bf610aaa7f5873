"""A document's way in and out, one short function for each flow."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tokenizers import Tokenizer

from ingest import jobs, lexical, quarantine, store, vectors
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

# How often progress is written down, and a job asked whether somebody cancelled it.
REPORT_SECONDS = 0.5
# So many are embedded together, which takes some seconds.
GROUP_PASSAGES = 1_000


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


@dataclass(frozen=True, slots=True)
class Embedded:
    """Documents that can be stored, with those vectors by content hash that are new."""

    documents: list[Prepared]
    vectors: dict[str, bytes]


class GivenUpError(Exception):
    """Nobody waits for this work any more: its jobs were cancelled, paused or taken over."""


def ingest_documents(ingestion: Ingestion, claimed: Sequence[Job]) -> None:
    """Take in the documents of claimed jobs; each is stored, or its job says why not."""
    for group in embed_documents(ingestion, read_documents(ingestion, claimed)):
        store_documents(ingestion, group)


def read_documents(ingestion: Ingestion, claimed: Sequence[Job]) -> list[Prepared]:
    """Read and split documents; those that cannot be read end here, with the reason."""
    if not claimed:
        return []
    known = store.may_be_known(ingestion.database, claimed)
    read = (_read(ingestion, job, is_new=job.id not in known) for job in claimed)
    return [ready for ready in read if ready is not None]


def embed_documents(ingestion: Ingestion, prepared: Sequence[Prepared]) -> Iterator[Embedded]:
    """Embed what is new in documents, group after group."""
    for group in _groups(prepared):
        try:
            fresh = _embed(ingestion, group)
        except GivenUpError:
            continue
        yield Embedded(group, fresh)


def store_documents(ingestion: Ingestion, group: Embedded) -> None:
    """Make each document of a group the current version, or let its job say why not."""
    model = ingestion.embedder.fingerprint
    # One commit for the group: each waits for the disk.
    with ingestion.database.write() as session:
        for ready in group.documents:
            try:
                with session.begin_nested():
                    store.add_version(session, ready, group.vectors, model)
            except CopilotError as error:
                jobs.fail(session, ready.job.id, error)


def embed_the_rest(ingestion: Ingestion) -> None:
    """Embed current passages without a vector: the model is new, or an old version came back."""
    model = ingestion.embedder.fingerprint
    texts = vectors.unembedded(ingestion.database, ingestion.tokenizer, model)
    fresh = vectors.encode(ingestion.embedder, texts, lambda _: None)
    with ingestion.database.write() as session:
        vectors.add(session, model, fresh)


def rebuild_index(ingestion: Ingestion) -> IndexState:
    """Build a new generation of the index from the vectors of all current passages."""
    embed_the_rest(ingestion)
    return ingestion.index.rebuild()


def repair_index(ingestion: Ingestion) -> IndexState:
    """Build both indexes anew, that of meanings and that of words."""
    with ingestion.database.write() as session:
        lexical.rebuild(session)
    return rebuild_index(ingestion)


def _read(ingestion: Ingestion, job: Job, *, is_new: bool) -> Prepared | None:
    """Read and split a document; None if its job ended here."""
    progress = _Progress(ingestion.database, "reading", [job])
    try:
        if not is_new and store.keep_unchanged(ingestion.database, job):
            return None
        parsed = parse_file(
            ingestion.files.path(job.sha256),
            job.file_name,
            watch=lambda done, total: progress.show({job.id: (done, total)}),
        )
    except GivenUpError:
        return None
    except CopilotError as error:
        _fail(ingestion, job, error)
        return None
    tokenizer = ingestion.tokenizer
    chunks = chunk(parsed, lambda text: token_offsets(tokenizer, text), vectors.PASSAGE_TOKENS)
    title = str(job.details.get("title") or parsed.title)
    texts = [
        vectors.embedded_text(
            tokenizer,
            title,
            part.heading_path,
            parsed.text[part.start : part.end],
            part.table_header,
        )
        for part in chunks
    ]
    names = [title, job.file_name, str(job.details.get("url") or ""), *parsed.hidden]
    inspection = quarantine.inspect(parsed.text, chunks, names)
    return Prepared(job, parsed, title, detect(parsed.text), chunks, texts, inspection)


def _fail(ingestion: Ingestion, job: Job, error: CopilotError) -> None:
    with ingestion.database.write() as session:
        if jobs.held(session, job):
            jobs.fail(session, job.id, error)


def _groups(prepared: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """Split a batch so that long documents do not keep the others waiting."""
    group: list[Prepared] = []
    passages = 0
    for ready in prepared:
        group.append(ready)
        passages += len(ready.texts)
        if passages >= GROUP_PASSAGES:
            yield group
            group, passages = [], 0
    if group:
        yield group


def _embed(ingestion: Ingestion, prepared: Sequence[Prepared]) -> dict[str, bytes]:
    """Embed the texts of a batch of documents that have no vector yet, all together.

    Raises:
        GivenUpError: No document of the batch is wanted any more.
    """
    keys = {
        ready.job.id: [vectors.content_hash(text) for text in ready.texts] for ready in prepared
    }
    texts = {
        key: text
        for ready in prepared
        for key, text in zip(keys[ready.job.id], ready.texts, strict=True)
    }
    with ingestion.database.read() as session:
        missing = vectors.missing(session, texts, ingestion.embedder.fingerprint)
    order = list(missing)
    waiting = {job: {key for key in some if key in missing} for job, some in keys.items()}
    totals = {job: len(some) for job, some in waiting.items()}
    progress = _Progress(ingestion.database, "embedding", [ready.job for ready in prepared])

    def show(done: Collection[int]) -> None:
        finished = {order[index] for index in done}
        for some in waiting.values():
            some.difference_update(finished)
        progress.show(
            {job: (totals[job] - len(some), totals[job]) for job, some in waiting.items()}
        )

    return vectors.encode(ingestion.embedder, missing, show)


class _Progress:
    """Writes down how far jobs are, now and then, and finds out when nobody waits for them."""

    def __init__(self, database: Database, stage: str, claimed: Sequence[Job]) -> None:
        self._database = database
        self._stage = stage
        self._claimed = claimed
        self._next = time.monotonic() + REPORT_SECONDS

    def show(self, progress: dict[str, tuple[int, int]]) -> None:
        """Report (done, total) by job id.

        Raises:
            GivenUpError: None of the jobs is this worker's any more.
        """
        if not self._claimed or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        wanted = jobs.still_held(self._database, self._claimed)
        if not wanted:
            raise GivenUpError
        held = {job: counts for job, counts in progress.items() if job in wanted}
        jobs.report(self._database, self._stage, held)
