"""What can go wrong in a use case.

CopilotError
└─ WorkflowError
   ├─ PermissionDeniedError
   ├─ SignInError
   ├─ TooManyAttemptsError
   ├─ AlreadySettledError
   ├─ AlreadySentError
   ├─ UnconfirmedError
   ├─ RefutedError
   ├─ SamePersonError
   ├─ ThreadMovedError
   ├─ StaleDraftError
   ├─ ChangedMeanwhileError
   ├─ NotFoundError
   ├─ InvalidInputError
   ├─ SettingError
   ├─ UnavailableDatabaseError
   └─ UserExistsError
"""

from ingest.errors import CopilotError


class WorkflowError(CopilotError):
    """A use case refused."""


class PermissionDeniedError(WorkflowError):
    """Fields: role."""

    code = "permission_denied"


class SignInError(WorkflowError):
    """No fields: it must not tell which of the two was wrong."""

    code = "sign_in"


class TooManyAttemptsError(WorkflowError):
    """Fields: minutes."""

    code = "too_many_attempts"


class AlreadySettledError(WorkflowError):
    """Fields: who."""

    code = "already_settled"


class AlreadySentError(WorkflowError):
    """No fields."""

    code = "already_sent"


class UnconfirmedError(WorkflowError):
    """Fields: sentence."""

    code = "unconfirmed"


class RefutedError(WorkflowError):
    """Fields: number, sentence, why."""

    code = "refuted"


class SamePersonError(WorkflowError):
    """No fields."""

    code = "same_person"


class ThreadMovedError(WorkflowError):
    """No fields."""

    code = "thread_moved"


class StaleDraftError(WorkflowError):
    """Fields: titles."""

    code = "stale_draft"


class ChangedMeanwhileError(WorkflowError):
    """Fields: what."""

    code = "changed_meanwhile"


class NotFoundError(WorkflowError):
    """Fields: what."""

    code = "not_found"


class InvalidInputError(WorkflowError):
    """Fields: what, why."""

    code = "invalid_input"


class SettingError(WorkflowError):
    """Fields: name, why."""

    code = "setting"


class UnavailableDatabaseError(WorkflowError):
    """Fields: url."""

    code = "unavailable_database"


class UserExistsError(WorkflowError):
    """Fields: email."""

    code = "user_exists"
