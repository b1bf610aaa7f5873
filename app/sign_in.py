"""Signing in and out: passwords in, tokens out; only a token's hash is kept."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, select

from app import accounts
from app.desk import desk
from app.errors import PermissionDeniedError, SignInError, TooManyAttemptsError
from app.services import Services
from app.tables import SignInFailure, Token, User
from ingest.db import now
from ingest.events import digest, record

SESSION_HOURS = 12
WINDOW_MINUTES = 15
MAX_FAILURES = 5
MAX_FAILURES_BY_ADDRESS = 50


def sign_in(services: Services, email: str, password: str, address: str) -> str:
    """Check a password and return a new session's token.

    Raises:
        SignInError: There is no such account, or the password is not its own.
        TooManyAttemptsError: Too many refusals lately, for the account or from the address.
    """
    email = email.strip().lower()
    _throttle(services, email, address)
    with services.database.read() as session:
        user = session.scalar(select(User).where(User.email == email))
    if not accounts.has_password(user, password) or user is None:
        with services.database.write() as session:
            outdated = SignInFailure.at < now() - timedelta(minutes=WINDOW_MINUTES)
            session.execute(delete(SignInFailure).where(outdated))
            session.add(SignInFailure(email=email, address=address))
            salt = desk(session).salt
            record(session, "visitor", "session:refuse", digest(salt, email))
        raise SignInError
    return _begin(services, user.id)


def switch_demo_role(services: Services, token: str, email: str) -> str:
    """Change from one demo account to another without a password.

    Raises:
        PermissionDeniedError: One of the two is no demo account.
    """
    with services.database.read() as session:
        current = _user_of(services, token)
        target = session.scalar(select(User).where(User.email == email))
    if current is None or target is None or not (current.demo and target.demo):
        raise PermissionDeniedError(role=current.role if current else "none")
    sign_out(services, token)
    return _begin(services, target.id)


def sign_out(services: Services, token: str) -> None:
    """End a session."""
    with services.database.write() as session:
        session.execute(delete(Token).where(Token.sha256 == _hash(token)))


def user_id_of(services: Services, token: str | None) -> str | None:
    """Return the account that a token is signed in as."""
    user = _user_of(services, token) if token else None
    return user.id if user else None


def _user_of(services: Services, token: str) -> User | None:
    query = (
        select(User)
        .join(Token, Token.user_id == User.id)
        .where(Token.sha256 == _hash(token), Token.expires_at > now(), User.active)
    )
    with services.database.read() as session:
        return session.scalar(query)


def _begin(services: Services, user_id: str) -> str:
    token = secrets.token_urlsafe(32)
    expires = now() + timedelta(hours=SESSION_HOURS)
    with services.database.write() as session:
        session.execute(delete(Token).where(Token.expires_at < now()))
        session.add(Token(sha256=_hash(token), user_id=user_id, expires_at=expires))
        record(session, user_id, "session:begin", user_id)
    return token


def _throttle(services: Services, email: str, address: str) -> None:
    recent = SignInFailure.at > now() - timedelta(minutes=WINDOW_MINUTES)
    of_account = select(func.count()).where(recent, SignInFailure.email == email)
    of_address = select(func.count()).where(recent, SignInFailure.address == address)
    with services.database.read() as session:
        if (session.scalar(of_account) or 0) >= MAX_FAILURES or (
            session.scalar(of_address) or 0
        ) >= MAX_FAILURES_BY_ADDRESS:
            raise TooManyAttemptsError(minutes=WINDOW_MINUTES)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
