"""Brings the tables of all three packages up to date."""

from filelock import FileLock
from sqlalchemy import inspect, text

from ingest.db import Database

HEAD = "0012"
# Any constant will do: it names the lock under which one process at a time migrates PostgreSQL.
MIGRATION_LOCK = 7_302_012


def upgrade(database: Database, lock: FileLock) -> None:
    """Apply the migrations that are missing; cheap where none is."""
    if _is_current(database):
        return
    # Alembic is imported only where there is something to do: it would cost every command 0.2 s.
    from alembic import command
    from alembic.config import Config

    with lock, database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", "app:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _is_current(database: Database) -> bool:
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version == HEAD
