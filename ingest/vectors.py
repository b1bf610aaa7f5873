"""Vectors as a record: each text is embedded once for each model, and kept in SQL."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from tokenizers import Tokenizer

from ingest.db import Database
from ingest.embed import Embedder
from ingest.query_encoder import MAX_TOKENS, token_offsets
from ingest.tables import Embedding, Passage, Version, VersionStatus

# Title and headings are embedded with each passage; [CLS] and [SEP] take the last two places.
PREFIX_TOKENS = 40
PASSAGE_TOKENS = MAX_TOKENS - PREFIX_TOKENS - 2
QUERY_SIZE = 1_000


def embedded_text(
    tokenizer: Tokenizer,
    title: str,
    heading_path: Sequence[str],
    text: str,
    table_header: str | None = None,
) -> str:
    """Return what is embedded for a passage: title and headings, cut to fit, then its text.

    Rows in the middle of a table come with its header.
    """
    prefix = " > ".join(dict.fromkeys([title, *heading_path]))
    starts = token_offsets(tokenizer, prefix)
    if len(starts) > PREFIX_TOKENS:
        prefix = prefix[: starts[PREFIX_TOKENS]]
    header = f"{table_header}\n" if table_header else ""
    return f"{prefix}\n{header}{text.strip()}"


def content_hash(text: str) -> str:
    """Return the key of an embedded text."""
    return hashlib.sha256(text.encode()).hexdigest()


def missing(session: Session, texts: Mapping[str, str], model: str) -> dict[str, str]:
    """Return those of the texts, keyed by content hash, that have no vector under a model."""
    hashes = list(texts)
    known: set[str] = set()
    for begin in range(0, len(hashes), QUERY_SIZE):
        some = Embedding.content_hash.in_(hashes[begin : begin + QUERY_SIZE])
        query = select(Embedding.content_hash).where(some, Embedding.model == model)
        known.update(session.scalars(query))
    return {key: text for key, text in texts.items() if key not in known}


def unembedded(database: Database, tokenizer: Tokenizer, model: str) -> dict[str, str]:
    """Return the embedded texts of current passages without a vector, by content hash."""
    columns = (
        Version.title,
        Passage.heading_path,
        Passage.text,
        Passage.table_header,
        Passage.content_hash,
    )
    with database.read() as session:
        return {
            row.content_hash: embedded_text(
                tokenizer, row.title, row.heading_path, row.text, row.table_header
            )
            for row in session.execute(_unembedded(model).with_only_columns(*columns))
        }


def has_unembedded(database: Database, model: str) -> bool:
    """Tell whether a current passage has no vector: the model is new here."""
    with database.read() as session:
        return session.scalar(_unembedded(model).limit(1)) is not None


def _unembedded(model: str) -> Select[str]:
    has_vector = (
        select(Embedding.content_hash)
        .where(Embedding.content_hash == Passage.content_hash, Embedding.model == model)
        .exists()
    )
    return (
        select(Passage.id).join(Version).where(Version.status == VersionStatus.CURRENT, ~has_vector)
    )


def encode(
    embedder: Embedder, texts: Mapping[str, str], on_progress: Callable[[Sequence[int]], None]
) -> dict[str, bytes]:
    """Embed texts and return their vectors as stored, under the same keys."""
    if not texts:
        return {}
    rows = embedder.encode(list(texts.values()), on_progress).astype("<f4")
    return {key: row.tobytes() for key, row in zip(texts, rows, strict=True)}


def add(session: Session, model: str, rows: Mapping[str, bytes]) -> None:
    """Store vectors; one that is there already stays as it is."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(Embedding).on_conflict_do_nothing(),
        [{"content_hash": key, "model": model, "vector": row} for key, row in rows.items()],
    )
