from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from filelock import FileLock
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError, StatementError

import app.tables
import rag.tables
from app import schema
from ingest import lexical
from ingest.db import Base, Database, now, storable
from ingest.tables import Document, Event, Job, Version, VersionStatus, Visibility

# Imported for their tables.
_ = (app.tables, rag.tables)


def a_job(**fields: object) -> Job:
    given = {"source": "a.md", "sha256": "0", "file_name": "a.md", "actor": "ann", "details": {}}
    return Job(**{**given, **fields})  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001

    with pytest.raises(StatementError, match="naive datetime"), database.write() as session:
        session.add(a_job(lease_until=naive))

    with database.read() as session:
        assert session.get(Job, "x") is None


def test_a_time_of_another_zone_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=5, minutes=30)))

    with database.write() as session:
        session.add(a_job(id="j", lease_until=moment))

    with database.read() as session:
        kept = session.get_one(Job, "j").lease_until
    assert kept == datetime(2026, 1, 1, 21, 34, 5, 678901, UTC)
    assert kept.utcoffset() == timedelta(0)


def test_no_time_stays_no_time(database: Database) -> None:
    with database.write() as session:
        session.add(a_job(id="j"))

    with database.read() as session:
        assert session.get_one(Job, "j").lease_until is None


def test_now_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)


def is_mapped(table: str | None) -> bool:
    """Tables that each database has in its own way are not mapped."""
    return table != "generation_rows" and not str(table).startswith(lexical.PREFIX)


def test_the_migrated_tables_are_those_the_code_describes(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or is_mapped(name),
            },
        )
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_upgrading_a_second_time_changes_nothing(database: Database, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "schema.lock")
    with database.write() as session:
        session.add(a_job(id="j"))
    before = set(inspect(database.engine).get_table_names())

    schema.upgrade(database, lock)

    with database.read() as session:
        assert session.get_one(Job, "j").source == "a.md"
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == schema.HEAD
    assert set(inspect(database.engine).get_table_names()) == before
    # Nothing was to be done, so nobody had to wait for a turn.
    assert not Path(lock.lock_file).exists()


def test_the_head_that_the_code_expects_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "app:migrations")
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_postgresql_holds_the_rows_of_generations_and_sqlite_does_not(database: Database) -> None:
    tables = inspect(database.engine).get_table_names()

    assert ("generation_rows" in tables) == (database.dialect == "postgresql")


def test_a_write_that_fails_leaves_nothing_behind(database: Database) -> None:
    def fail_after_adding() -> None:
        with database.write() as session:
            session.add(a_job(id="j"))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_adding()

    with database.read() as session:
        assert session.get(Job, "j") is None


def test_a_document_cannot_have_two_current_versions(database: Database) -> None:
    def version(number: int) -> Version:
        return Version(
            id=f"d.{number}",
            document_id="d",
            number=number,
            sha256="0",
            status=VersionStatus.CURRENT,
            visibility=Visibility.INTERNAL,
            labels=[],
            title="T",
            file_name="t.md",
            media_type="text/markdown",
            parser="markdown",
            language="en",
            text="t",
            passages=0,
        )

    with database.write() as session:
        session.add(
            Document(id="d", source="s", title="T", owner="o", visibility=Visibility.PUBLIC)
        )
        session.flush()
        session.add(version(1))

    with pytest.raises(IntegrityError), database.write() as session:
        session.add(version(2))


def test_sqlite_survives_a_power_cut_and_lets_readers_read(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def test_the_number_of_a_deleted_last_event_is_not_handed_out_again(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    def add(previous: str) -> int:
        with database.write() as session:
            event = Event(
                at="",
                actor="a",
                action="b",
                subject="c",
                detail={},
                previous_hash=previous,
                hash="",
            )
            session.add(event)
            session.flush()
            return event.id

    first = add("1")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER events_no_delete")
        connection.exec_driver_sql("DELETE FROM events")

    assert add("2") == first + 1
    database.close()


def test_the_test_server_is_postgresql_with_pgvector(postgresql: Engine) -> None:
    with postgresql.connect() as connection:
        available = connection.scalar(
            text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        )

    assert (postgresql.dialect.driver, available) == ("psycopg", 1)


@pytest.mark.parametrize(
    ("text_given", "kept"),
    [
        ("plain ü 日本", "plain ü 日本"),
        ("caf\udce9.md", "caf\\udce9.md"),
        ("a\0b", "ab"),
        ("", ""),
    ],
)
def test_text_that_a_database_refuses_is_made_storable(text_given: str, kept: str) -> None:
    assert storable(text_given) == kept
