"""Full text in PostgreSQL: a tsvector for each passage under a GIN index.

PostgreSQL has no BM25, and no folding of accents without an extension. So words are folded here,
and the score is BM25's with `ts_rank` where BM25 has the frequency of a term: it grows ever more
slowly with the occurrences, too, and is smaller in long passages.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, select, text
from sqlalchemy.orm import Session

from ingest.index.protocol import Neighbour
from ingest.lexical.terms import COMMON, folded, weight
from ingest.tables import Passage, Version, VersionStatus, Visibility

BATCH_SIZE = 1_000
# A word that stands once in a passage of usual length has about 0.1, where BM25 has 1 of 2.2.
FULL_FREQUENCY = 0.22
# Without a list of pending entries, which every search would have to read through.
INDEX = (
    "CREATE INDEX lexical_passages_terms ON lexical_passages"
    " USING gin (terms) WITH (fastupdate = off)"
)
ADD = text("""
    INSERT INTO lexical_passages (passage_id, terms)
    SELECT passage_id, to_tsvector('simple', words)
    FROM unnest(CAST(:passage_ids AS text[]), CAST(:words AS text[])) AS given (passage_id, words)
""")
REMOVE = text("""
    DELETE FROM lexical_passages
    WHERE passage_id IN (SELECT id FROM passages WHERE version_id = :version_id)
""")
# What is frequent is known from statistics; only the rest is counted, which is soon done.
COUNT = text("""
    WITH frequent AS MATERIALIZED (
        SELECT word, share * pg_class.reltuples AS passages
        FROM pg_stats
        JOIN pg_class ON pg_class.oid = CAST('lexical_passages' AS regclass)
        CROSS JOIN unnest(
            CAST(CAST(most_common_elems AS text) AS text[]), most_common_elem_freqs
        ) AS element (word, share)
        WHERE schemaname = current_schema() AND tablename = 'lexical_passages'
            AND attname = 'terms' AND word = ANY (CAST(:terms AS text[])))
    SELECT term, CAST(coalesce(
        (SELECT passages FROM frequent WHERE word = term),
        (SELECT count(*) FROM (
            SELECT 1 FROM lexical_passages
            WHERE terms @@ plainto_tsquery('simple', term) LIMIT :enough) AS occurrences)
    ) AS integer)
    FROM unnest(CAST(:terms AS text[])) AS given (term)
""")
PASSAGES = text("SELECT reltuples FROM pg_class WHERE oid = CAST('lexical_passages' AS regclass)")
# From the best on, and only until there are k: who may be seen is looked up row by row.
SEARCH = text("""
    WITH wanted AS MATERIALIZED (
        SELECT phraseto_tsquery('simple', term) AS query, weight
        FROM unnest(CAST(:terms AS text[]), CAST(:weights AS float8[])) AS given (term, weight)),
    found AS MATERIALIZED (
        SELECT passage_id, weight * ts_rank('{1, 1, 1, 1}', terms, query, 1) AS part
        FROM wanted JOIN lexical_passages ON terms @@ query),
    ranked AS (
        SELECT passage_id, sum(part) AS score FROM found
        GROUP BY passage_id ORDER BY score DESC, passage_id)
    SELECT passage_id, score
    FROM ranked CROSS JOIN LATERAL (
        SELECT 1
        FROM passages
        JOIN versions ON versions.id = passages.version_id
        JOIN documents ON documents.id = versions.document_id
        WHERE passages.id = ranked.passage_id
            AND documents.visibility = ANY (CAST(:visibilities AS text[]))
            AND NOT EXISTS (
                SELECT 1 FROM suspicions
                WHERE suspicions.version_id = passages.version_id AND state <> 'released'
                    AND coalesce(suspicions.passage_id, passages.id) = passages.id)
        OFFSET 0) AS permitted
    ORDER BY score DESC, passage_id
    LIMIT :k
""")


def create(connection: Connection) -> None:
    """Create the table and its index."""
    connection.execute(
        text(
            "CREATE TABLE lexical_passages"
            " (passage_id VARCHAR(64) PRIMARY KEY, terms TSVECTOR NOT NULL)"
        )
    )
    # Ten times as many frequent words are known as by default.
    connection.execute(text("ALTER TABLE lexical_passages ALTER terms SET STATISTICS 300"))
    connection.execute(text(INDEX))


def drop(connection: Connection) -> None:
    """Drop the table."""
    connection.execute(text("DROP TABLE lexical_passages"))


def add(session: Session, version_id: str) -> None:
    """Add a version's passages."""
    _fill(session, Version.id == version_id)


def remove(session: Session, version_id: str) -> None:
    """Take out those of a version's passages that are here."""
    session.execute(REMOVE, {"version_id": version_id})


def rebuild(session: Session) -> None:
    """Empty the table and fill it with the passages of all current versions; searches wait."""
    session.execute(text("TRUNCATE lexical_passages"))
    # Building the index anew takes a quarter of the time of adding to it row by row.
    session.execute(text("DROP INDEX lexical_passages_terms"))
    _fill(session, Version.status == VersionStatus.CURRENT)
    session.execute(text(INDEX))
    session.execute(text("ANALYZE lexical_passages"))


def spelt(terms: Sequence[str]) -> list[str]:
    """Fold them."""
    return list(dict.fromkeys(folded(term) for term in terms))


def count(session: Session, terms: Sequence[str]) -> dict[str, int]:
    """Estimate in how many passages each term is; exact where these are few."""
    rows = session.execute(COUNT, {"terms": list(terms), "enough": COMMON + 1})
    return dict(rows.all())


def passages(session: Session) -> float:
    """Return the number of passages as it was when last analysed."""
    return float(session.scalar(PASSAGES) or 0)


def search(
    session: Session,
    counts: Mapping[str, int],
    passages: float,
    k: int,
    visibilities: Collection[Visibility],
) -> list[Neighbour]:
    """Return the k passages with the highest sum of weighted ranks, best first."""
    rows = session.execute(
        SEARCH,
        {
            "terms": list(counts),
            "weights": [weight(passages, holding) for holding in counts.values()],
            "visibilities": [visibility.value for visibility in visibilities],
            "k": k,
        },
    )
    return [Neighbour(passage_id, score) for passage_id, score in rows]


def _fill(session: Session, condition: ColumnElement[bool]) -> None:
    query = (
        select(Passage.id, Version.title, Passage.heading_path, Passage.text)
        .join(Version)
        .where(condition)
        .execution_options(yield_per=BATCH_SIZE)
    )
    for rows in session.execute(query).partitions():
        words = [folded(" ".join([row.title, *row.heading_path, row.text])) for row in rows]
        session.execute(ADD, {"passage_ids": [row.id for row in rows], "words": words})
