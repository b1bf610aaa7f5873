"""Accounts: who exists, what they may see, whether a password is theirs."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import InvalidInputError, NotFoundError, UserExistsError
from app.roles import Role
from app.tables import User
from ingest.access import Scope
from ingest.events import record

MIN_PASSWORD_CHARACTERS = 10
_hasher = PasswordHasher()
_checking = threading.BoundedSemaphore(2)
# Checked when there is no account, so that the answer takes as long as when there is one.
_NOBODY = _hasher.hash("nobody has this password")


def add(
    session: Session, email: str, role: Role, password: str, labels: list[str], actor: str
) -> User:
    """Add an account.

    Raises:
        UserExistsError: The address is taken.
        InvalidInputError: The address or the password will not do.
    """
    address = email.strip().lower()
    if not address or len(address.split()) != 1:
        raise InvalidInputError(what=f"The name “{email}”", why="it is empty or has blanks in it")
    if len(password) < MIN_PASSWORD_CHARACTERS:
        why = f"it has fewer than {MIN_PASSWORD_CHARACTERS} characters"
        raise InvalidInputError(what="The password", why=why)
    if session.scalar(select(User.id).where(User.email == address)) is not None:
        raise UserExistsError(email=address)
    user = User(
        email=address,
        name=address.partition("@")[0].replace(".", " ").title(),
        role=role,
        password_hash=_hasher.hash(password),
        labels=labels,
    )
    session.add(user)
    session.flush()
    record(session, actor, "user:add", user.id, {"role": role})
    return user


def set_password(user: User, password: str) -> None:
    """Change an account's password."""
    user.password_hash = _hasher.hash(password)


def by_email(session: Session, email: str) -> User:
    """Return an account.

    Raises:
        NotFoundError: There is none.
    """
    user = session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if user is None:
        raise NotFoundError(what=f"account {email}")
    return user


def has_password(user: User | None, password: str) -> bool:
    """Tell whether a password is the account's; takes equally long without an account."""
    # Each check takes 64 MB on purpose; a crowd of visitors must not take them all at once.
    with _checking:
        try:
            _hasher.verify(user.password_hash if user else _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return user is not None and user.active


def scope_of(user: User) -> Scope:
    """Return what an account may see."""
    return Scope.of_staff(frozenset(user.labels))
