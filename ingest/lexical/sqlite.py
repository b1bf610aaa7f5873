"""Full text in SQLite: a contentless FTS5 table, whose row numbers a plain table maps to passages.

The numbers are not those of the passages' own rows, which VACUUM may change. FTS5 keeps no second
copy of the text; to take a passage out it is given the same words again, and `SOURCE` can give them
because versions and passages never change.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.orm import Session

from ingest.index.protocol import Neighbour
from ingest.lexical.terms import COMMON
from ingest.tables import Visibility

FULL_FREQUENCY = 2.2  # k1 + 1 in FTS5's BM25
SOURCE = """
    SELECT {columns} lexical_passages.number,
           versions.title || ' ' || passages.text || ' ' || coalesce(
               (SELECT group_concat(value, ' ') FROM json_each(passages.heading_path)), '')
    FROM versions
    JOIN passages ON passages.version_id = versions.id
    JOIN lexical_passages ON lexical_passages.passage_id = passages.id
    WHERE {condition}
"""
OF_VERSION = "versions.id = :version_id"
CURRENT = "versions.status = 'current'"
NUMBER = """
    INSERT INTO lexical_passages (passage_id)
    SELECT passages.id
    FROM versions JOIN passages ON passages.version_id = versions.id
    WHERE {condition}
    ORDER BY versions.id, passages.ordinal
"""
ADD = "INSERT INTO lexical_terms (rowid, text)" + SOURCE
REMOVE = "INSERT INTO lexical_terms (lexical_terms, rowid, text)" + SOURCE
FORGET = """
    DELETE FROM lexical_passages
    WHERE passage_id IN (SELECT id FROM passages WHERE version_id = :version_id)
"""
# The inner limit keeps a common word from being counted to its end.
COUNT = """
    SELECT value, (
        SELECT count(*) FROM (
            SELECT 1 FROM lexical_terms
            WHERE lexical_terms MATCH '"' || value || '"' LIMIT :enough))
    FROM json_each(:terms)
"""
# FTS5 sorts by rank before anything is joined, so only as many rows are looked at as are needed.
SEARCH = text("""
    SELECT lexical_passages.passage_id, -lexical_terms.rank
    FROM lexical_terms
    JOIN lexical_passages ON lexical_passages.number = lexical_terms.rowid
    JOIN passages ON passages.id = lexical_passages.passage_id
    JOIN versions ON versions.id = passages.version_id
    JOIN documents ON documents.id = versions.document_id
    WHERE lexical_terms MATCH :expression AND documents.visibility IN :visibilities
        AND passages.id NOT IN (
            SELECT passage_id FROM suspicions
            WHERE state <> 'released' AND passage_id IS NOT NULL)
        AND passages.version_id NOT IN (
            SELECT version_id FROM suspicions
            WHERE state <> 'released' AND passage_id IS NULL)
    ORDER BY lexical_terms.rank
    LIMIT :k
""").bindparams(bindparam("visibilities", expanding=True))


def create(connection: Connection) -> None:
    """Create the tables; they need SQLite 3.27 with FTS5."""
    connection.execute(
        text(
            "CREATE TABLE lexical_passages"
            " (number INTEGER PRIMARY KEY, passage_id VARCHAR(64) NOT NULL UNIQUE)"
        )
    )
    connection.execute(
        text(
            "CREATE VIRTUAL TABLE lexical_terms"
            " USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
        )
    )


def drop(connection: Connection) -> None:
    """Drop the tables."""
    for table in ("lexical_terms", "lexical_passages"):
        connection.execute(text(f"DROP TABLE {table}"))


def add(session: Session, version_id: str) -> None:
    """Add a version's passages."""
    _fill(session, OF_VERSION, version_id=version_id)


def remove(session: Session, version_id: str) -> None:
    """Take out those of a version's passages that are here."""
    of_version = {"version_id": version_id}
    session.execute(text(REMOVE.format(columns="'delete',", condition=OF_VERSION)), of_version)
    session.execute(text(FORGET), of_version)


def rebuild(session: Session) -> None:
    """Empty both tables and fill them with the passages of all current versions."""
    session.execute(text("INSERT INTO lexical_terms (lexical_terms) VALUES ('delete-all')"))
    session.execute(text("DELETE FROM lexical_passages"))
    _fill(session, CURRENT)


def spelt(terms: Sequence[str]) -> list[str]:
    """Leave them as they are: FTS5 folds them itself."""
    return list(terms)


def count(session: Session, terms: Sequence[str]) -> dict[str, int]:
    """Count each term's passages, up to one more than makes it common."""
    rows = session.execute(text(COUNT), {"terms": json.dumps(terms), "enough": COMMON + 1})
    return dict(rows.all())


def passages(session: Session) -> float:
    """Count them."""
    return float(session.scalar(text("SELECT count(*) FROM lexical_passages")) or 0)


def search(
    session: Session,
    counts: Mapping[str, int],
    _passages: float,
    k: int,
    visibilities: Collection[Visibility],
) -> list[Neighbour]:
    """Return the k passages with the best BM25, best first."""
    rows = session.execute(
        SEARCH,
        {
            "expression": " OR ".join(f'"{term}"' for term in counts),
            "visibilities": [visibility.value for visibility in visibilities],
            "k": k,
        },
    )
    return [Neighbour(passage_id, score) for passage_id, score in rows]


def _fill(session: Session, condition: str, **values: str) -> None:
    session.execute(text(NUMBER.format(condition=condition)), values)
    session.execute(text(ADD.format(columns="", condition=condition)), values)
