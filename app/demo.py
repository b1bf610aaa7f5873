"""The sample desk: documents, tickets and accounts to try the product with."""

import json
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete, func, select

from app import accounts
from app.desk import DEFAULT_NAME, desk
from app.errors import InvalidInputError
from app.roles import Role
from app.services import Services
from app.settings import PROJECT
from app.tables import Token, User
from ingest import sources
from ingest.sources import Upload
from rag.tables import Ticket
from rag.tickets import TicketLine, save

DATA = PROJECT / "data"
ACTOR = "sample desk"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PEOPLE = {
    "agent@demo.test": ("Ada Agent", Role.AGENT),
    "owner@demo.test": ("Olu Owner", Role.OWNER),
    "reviewer@demo.test": ("Rae Reviewer", Role.REVIEWER),
    "admin@demo.test": ("Ari Admin", Role.ADMIN),
}


def prepare(services: Services, host: str) -> list[str]:
    """Load what is not there yet, and return the lines that tell how to sign in.

    Raises:
        InvalidInputError: Accounts with a printed password must not be open to a network.
    """
    if host not in LOOPBACK:
        why = "demo accounts are served on this machine only"
        raise InvalidInputError(what=f"The address {host}", why=why)
    password = _accounts(services)
    if not _is_loaded(services):
        _load_in_child(services)
    given = bool(services.settings.demo_password.get_secret_value())
    shown = "the one in COPILOT_DEMO_PASSWORD" if given else password
    return [f"Demo accounts: {', '.join(PEOPLE)}", f"Password: {shown}"]


def close(services: Services) -> None:
    """Shut the demo accounts of an earlier start out: only `--demo` lets them in."""
    with services.database.write() as session:
        people = list(session.scalars(select(User).where(User.demo, User.active)))
        session.execute(delete(Token).where(Token.user_id.in_([user.id for user in people])))
        for user in people:
            user.active = False


def load(services: Services) -> None:
    """Take in the sample documents, then the tickets, which name them."""
    ids = sources.submit(services.database, services.files, _uploads(), ACTOR)
    services.worker.finish(ids, lambda _: None)
    with services.database.write() as session:
        for name in ("solved", "open"):
            file = DATA / "tickets" / f"{name}.jsonl"
            for line in file.read_text(encoding="utf-8").splitlines():
                save(session, TicketLine.model_validate(json.loads(line)))


def _accounts(services: Services) -> str:
    """Add the demo accounts; a start without a set password gives them a new one."""
    given = services.settings.demo_password.get_secret_value()
    password = given or secrets.token_urlsafe(9)
    with services.database.write() as session:
        if desk(session).name == DEFAULT_NAME:
            desk(session).name = "Brunelta support"
        for email, (name, role) in PEOPLE.items():
            user = session.scalar(select(User).where(User.email == email))
            if user is None:
                user = accounts.add(session, email, role, secrets.token_urlsafe(16), [], ACTOR)
                user.name, user.demo = name, True
            accounts.set_password(user, password)
            user.active = True
    return password


def _is_loaded(services: Services) -> bool:
    with services.database.read() as session:
        return bool(session.scalar(select(func.count()).select_from(Ticket)))


def _load_in_child(services: Services) -> None:
    # In a child: embedding takes memory that the web process would keep for good.
    sys.stdout.write("Loading the sample desk (once, about ten seconds) …\n")
    sys.stdout.flush()
    code = (
        "from pathlib import Path; from app.demo import load; from app.services import Services;"
        "from app.settings import Settings;"
        f"load(Services(Settings(home=Path({str(services.home)!r}))))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own code)


def _uploads() -> Iterator[Upload]:
    manifest = tomllib.loads((DATA / "manifest.toml").read_text(encoding="utf-8"))
    for entry in manifest["document"]:
        file: Path = DATA / "kb" / entry["source"]
        details = {name: entry[name] for name in ("owner", "visibility", "labels")}
        yield Upload(entry["source"], file.name, file.read_bytes(), details)
