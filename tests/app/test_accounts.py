"""Accounts and their passwords."""

import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app import accounts
from app.errors import InvalidInputError, NotFoundError, UserExistsError
from app.roles import Role
from app.tables import User
from ingest.access import Scope
from ingest.db import Database
from ingest.tables import Event, Visibility

PASSWORD = "correct horse battery"


@pytest.fixture
def record(sqlite_url: str) -> Iterator[Database]:
    """Open one database: which kind it is makes no difference to a password."""
    database = Database(sqlite_url)
    yield database
    database.close()


def _add(database: Database, email: str = "ann.lee@example.com", password: str = PASSWORD) -> User:
    with database.write() as session:
        return accounts.add(session, email, Role.AGENT, password, ["a"], "tests")


def test_an_account_is_kept_with_a_hash_and_an_event_and_never_its_password(
    database: Database,
) -> None:
    user = _add(database, " Ann.Lee@Example.com ")

    assert (user.email, user.name, user.active) == ("ann.lee@example.com", "Ann Lee", True)
    assert user.password_hash.startswith("$argon2id$")
    with database.read() as session:
        event = session.scalar(select(Event))
    assert event is not None
    assert (event.actor, event.action, event.subject) == ("tests", "user:add", user.id)
    assert event.detail == {"role": "agent"}
    assert PASSWORD not in repr(event.detail) + user.password_hash


def test_two_accounts_with_one_password_have_different_hashes(record: Database) -> None:
    first, second = _add(record), _add(record, "ben@example.com")

    assert first.password_hash != second.password_hash


@pytest.mark.parametrize(
    "email", ["ann.lee@example.com", "ANN.lee@example.com", " ann.lee@example.com"]
)
def test_an_address_is_taken_once_however_it_is_written(database: Database, email: str) -> None:
    _add(database)

    with pytest.raises(UserExistsError, match=r"ann\.lee@example\.com"):
        _add(database, email)


@pytest.mark.parametrize("password", ["", "short", "x" * 9])
def test_a_short_password_is_refused_and_not_repeated(record: Database, password: str) -> None:
    with pytest.raises(InvalidInputError, match="fewer than 10 characters") as raised:
        _add(record, password=password)

    assert not password or password not in str(raised.value)
    _add(record, password="x" * 10)


@pytest.mark.parametrize("name", ["", "  ", "ann lee"])
def test_a_name_that_nobody_can_type_is_refused(record: Database, name: str) -> None:
    with pytest.raises(InvalidInputError, match="empty or has blanks"):
        _add(record, name)


@pytest.mark.parametrize("password", [PASSWORD, "pässwörd mit ü 不行", "x" * 500])
def test_the_right_password_opens_and_any_other_does_not(record: Database, password: str) -> None:
    user = _add(record, password=password)

    assert accounts.has_password(user, password)
    for wrong in ("", password + " ", password.swapcase(), "nobody has this password"):
        assert not accounts.has_password(user, wrong)


def test_without_an_account_no_password_opens_not_even_the_stand_ins() -> None:
    assert not accounts.has_password(None, "nobody has this password")
    assert not accounts.has_password(None, "")


def test_a_deactivated_account_is_not_opened_by_its_password(record: Database) -> None:
    user = _add(record)
    user.active = False

    assert not accounts.has_password(user, PASSWORD)


def test_a_damaged_hash_opens_nothing(record: Database) -> None:
    user = _add(record)
    user.password_hash = "damaged"

    assert not accounts.has_password(user, PASSWORD)


def test_a_miss_takes_as_long_as_a_wrong_password(record: Database) -> None:
    user = _add(record)

    def quickest(who: User | None) -> float:
        times = []
        for _ in range(4):
            begun = time.perf_counter()
            accounts.has_password(who, "wrong password")
            times.append(time.perf_counter() - begun)
        return min(times)

    known, unknown = quickest(user), quickest(None)

    assert 0.5 < known / unknown < 2


def test_the_hash_is_argon2id_with_at_least_the_recommended_cost() -> None:
    hasher: PasswordHasher = accounts._hasher

    assert hasher.type.name == "ID"
    assert hasher.memory_cost >= 19 * 1024
    assert hasher.time_cost >= 2


def test_an_account_is_found_by_address_and_sees_what_its_labels_open(database: Database) -> None:
    _add(database)

    with database.read() as session:
        user = accounts.by_email(session, " Ann.LEE@example.com")
        with pytest.raises(NotFoundError, match=r"no account ben@example\.com"):
            accounts.by_email(session, "ben@example.com")

    assert accounts.scope_of(user) == Scope(frozenset(Visibility), frozenset({"a"}))
