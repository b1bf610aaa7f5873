"""The first line of every use case: may this person do that?"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.errors import PermissionDeniedError
from app.roles import PERMISSIONS, Permission, Role
from app.tables import User
from ingest.access import Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, as read from SQL for this very action."""

    id: str
    email: str
    name: str
    role: Role
    scope: Scope
    demo: bool

    def may(self, permission: Permission) -> bool:
        """Tell whether the role holds a permission."""
        return permission in PERMISSIONS[self.role]


def require(session: Session, user_id: str, permission: Permission) -> Actor:
    """Return who acts, with the role that they have now.

    Raises:
        PermissionDeniedError: The account is gone or its role may not do this.
    """
    actor = actor_of(session, user_id)
    if actor is None or not actor.may(permission):
        raise PermissionDeniedError(role=actor.role if actor else "none")
    return actor


def actor_of(session: Session, user_id: str) -> Actor | None:
    """Return the person behind an account, if it is still active."""
    user = session.get(User, user_id)
    if user is None or not user.active:
        return None
    scope = Scope.of_staff(frozenset(user.labels))
    return Actor(user.id, user.email, user.name, Role(user.role), scope, user.demo)
