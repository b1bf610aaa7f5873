"""Commands about accounts."""

import getpass
import sys

import typer

from app import accounts, console
from app.roles import Role
from app.services import Services


def add(
    services: Services, email: str, role: str, labels: list[str], *, password_stdin: bool
) -> None:
    """Add an account."""
    if role not in set(Role):
        message = f"Role “{role}” is not one of {', '.join(Role)}."
        raise typer.BadParameter(message)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass()
    with services.database.write() as session:
        user = accounts.add(session, email, Role(role), password, labels, "command line")
    document = {"email": user.email, "role": user.role, "labels": user.labels}
    console.show(document, [f"{user.email} is {user.role}"])
