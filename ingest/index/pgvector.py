"""PostgreSQL with pgvector: generations as rows of one table, for desks with several servers."""

from collections.abc import Collection, Iterable

from pgvector.sqlalchemy import Vector as VectorType
from sqlalchemy import (
    Column,
    Delete,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.engine import Connection

from ingest.db import Database
from ingest.index.protocol import Neighbour, Rows, Vector
from ingest.tables import Visibility

BATCH_SIZE = 2_000
# Outside the common metadata: the table exists on PostgreSQL only (migration 0001).
generation_rows = Table(
    "generation_rows",
    MetaData(),
    Column("generation", String(64), primary_key=True),
    Column("passage_id", String(64), primary_key=True),
    Column("visibility", String(16), nullable=False),
    Column("embedding", VectorType(), nullable=False),
)


class PgVectorIndex:
    """Generations in the database itself, each with its own partial HNSW index."""

    engine = "pgvector"

    def __init__(self, database: Database) -> None:
        self._database = database

    def build(self, generation: str, rows: Iterable[Rows]) -> None:
        """Write a generation and its index in one transaction."""
        with self._database.engine.begin() as connection:
            connection.execute(_of(generation))
            dimensions = 0
            for part in rows:
                dimensions = part.vectors.shape[1]
                _insert(connection, generation, part)
            if dimensions:
                connection.execute(text(_index_statement(generation, dimensions)))
                # Without statistics the planner scans a new generation instead of using its index.
                connection.execute(text("ANALYZE generation_rows"))

    def holds(self, generation: str) -> bool:
        """Published rows are in the same database as their pointer: they are there."""
        return bool(generation)

    def probe(self, generation: str, passages: int) -> bool:
        """Count the generation's rows."""
        count = (
            select(func.count())
            .select_from(generation_rows)
            .where(generation_rows.c.generation == generation)
        )
        with self._database.engine.connect() as connection:
            return connection.scalar(count) == passages

    def search(
        self, generation: str, vector: Vector, k: int, visibilities: Collection[Visibility]
    ) -> list[Neighbour]:
        """Return up to k nearest passages in each visibility class, best first."""
        column = generation_rows.c.embedding.cast(VectorType(len(vector)))
        distance = column.cosine_distance(vector)
        hits: list[Neighbour] = []
        with self._database.engine.begin() as connection:
            # Filtered neighbours: go on scanning until k are found.
            connection.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
            for visibility in visibilities:
                query = (
                    select(generation_rows.c.passage_id, literal(1.0) - distance)
                    # As literals, or the planner does not see that the partial index fits.
                    .where(
                        generation_rows.c.generation == literal(generation, literal_execute=True)
                    )
                    .where(generation_rows.c.visibility == visibility.value)
                    .order_by(distance)
                    .limit(k)
                )
                hits += [Neighbour(row[0], float(row[1])) for row in connection.execute(query)]
        return sorted(hits, key=lambda hit: -hit.score)

    def drop(self, generation: str) -> None:
        """Delete the generation's index and rows."""
        with self._database.engine.begin() as connection:
            connection.execute(text(f"DROP INDEX IF EXISTS {_index_name(generation)}"))
            connection.execute(_of(generation))

    def strays(self, published: Collection[str]) -> list[str]:  # noqa: ARG002 (the protocol's)
        """Name nothing: a build is one transaction, and another worker may be about to publish."""
        return []


def _of(generation: str) -> Delete:
    return delete(generation_rows).where(generation_rows.c.generation == generation)


def _insert(connection: Connection, generation: str, part: Rows) -> None:
    for begin in range(0, len(part.passage_ids), BATCH_SIZE):
        end = begin + BATCH_SIZE
        connection.execute(
            insert(generation_rows),
            [
                {
                    "generation": generation,
                    "passage_id": passage_id,
                    "visibility": part.visibility.value,
                    "embedding": vector,
                }
                for passage_id, vector in zip(
                    part.passage_ids[begin:end], part.vectors[begin:end], strict=True
                )
            ],
        )


def _index_name(generation: str) -> str:
    return f"hnsw_{generation}"


def _index_statement(generation: str, dimensions: int) -> str:
    # Generation names are our own hexadecimal digits, so they are safe inside a statement.
    return (
        f"CREATE INDEX {_index_name(generation)} ON generation_rows"
        f" USING hnsw ((embedding::vector({dimensions})) vector_cosine_ops)"
        f" WITH (m = 16, ef_construction = 200) WHERE generation = '{generation}'"
    )
