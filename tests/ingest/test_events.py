import hashlib
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from ingest.db import Database
from ingest.events import GENESIS, broken_links, digest, record
from ingest.tables import Event

DROP_TRIGGERS = {
    "sqlite": ["DROP TRIGGER events_no_update", "DROP TRIGGER events_no_delete"],
    "postgresql": ["DROP TRIGGER events_append_only ON events"],
}


def add_events(database: Database, count: int) -> None:
    for number in range(1, count + 1):
        with database.write() as session:
            record(session, "ann", "draft:approve", f"draft {number}", {"number": number, "ü": "é"})


def broken(database: Database) -> list[int]:
    with database.read() as session:
        return list(broken_links(session))


def change(database: Database, statement: str) -> None:
    """Change the events as somebody would who owns the database."""
    with database.engine.begin() as connection:
        for drop in DROP_TRIGGERS[database.dialect]:
            connection.execute(text(drop))
        connection.execute(text(statement))


def test_an_empty_trail_is_whole(database: Database) -> None:
    assert broken(database) == []


def test_each_event_is_sealed_to_the_one_before(database: Database) -> None:
    add_events(database, 3)

    with database.read() as session:
        first, second, third = (session.get_one(Event, number) for number in (1, 2, 3))
    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    assert third.previous_hash == second.hash
    assert broken(database) == []
    content = (
        f'["{GENESIS}","{first.at}","ann","draft:approve","draft 1",{{"number":1,"ü":"é"}}]'
    ).encode()
    assert first.hash == hashlib.sha256(content).hexdigest()


def test_an_event_goes_with_the_transaction_it_belongs_to(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            record(session, "ann", "draft:approve", "draft 1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    add_events(database, 1)

    with database.read() as session:
        assert session.query(Event).count() == 1
    assert broken(database) == []


@pytest.mark.parametrize("statement", ["UPDATE events SET actor = 'eve'", "DELETE FROM events"])
def test_the_database_refuses_to_change_an_event(database: Database, statement: str) -> None:
    add_events(database, 1)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        database.engine.begin() as connection,
    ):
        connection.execute(text(statement))

    assert broken(database) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE events SET actor = 'eve' WHERE id = 2", [2]),
        ("UPDATE events SET at = '2020-01-01' WHERE id = 2", [2]),
        ("UPDATE events SET subject = 'draft 9' WHERE id = 2", [2]),
        ("UPDATE events SET detail = '{\"number\": 3}' WHERE id = 2", [2]),
        ("UPDATE events SET hash = 'x' WHERE id = 2", [2, 3]),
        ("DELETE FROM events WHERE id = 1", [2]),
        ("DELETE FROM events WHERE id = 2", [3]),
        (
            "INSERT INTO events (at, actor, action, subject, detail, previous_hash, hash)"
            " VALUES ('2026', 'eve', 'a', 's', '{}', 'guess', 'x')",
            [5],
        ),
    ],
)
def test_tampering_past_the_trigger_is_found(
    database: Database, statement: str, found: list[int]
) -> None:
    add_events(database, 4)

    change(database, statement)

    assert broken(database) == found


def test_writers_at_the_same_time_make_one_unbroken_chain(database: Database) -> None:
    threads = [threading.Thread(target=add_events, args=(database, 10)) for _ in range(6)]

    run_all(threads)

    with database.read() as session:
        assert session.query(Event).count() == 60
    assert broken(database) == []


def run_all(threads: list[threading.Thread]) -> None:
    steps: list[Callable[[threading.Thread], None]] = [
        threading.Thread.start,
        threading.Thread.join,
    ]
    for step in steps:
        for thread in threads:
            step(thread)


def test_a_digest_hides_what_it_stands_for_and_depends_on_the_salt() -> None:
    assert digest("salt", "ann@example.com") == digest("salt", "ann@example.com")
    assert digest("salt", "ann@example.com") != digest("other", "ann@example.com")
    assert digest("salt", "ann@example.com") != digest("salt", "bob@example.com")
    assert len(digest("salt", "ann@example.com")) == 32
