"""Who may do what."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is at the desk."""

    ADMIN = "admin"
    AGENT = "agent"
    OWNER = "owner"
    REVIEWER = "reviewer"


class Permission(StrEnum):
    """`<scope>:<resource>:<action>`, in alphabetical order."""

    DESK_DOCUMENTS_READ = "desk:documents:read"
    DESK_DOCUMENTS_WRITE = "desk:documents:write"
    DESK_DRAFTS_AUDIT = "desk:drafts:audit"
    DESK_DRAFTS_SETTLE = "desk:drafts:settle"
    DESK_DRAFTS_WRITE = "desk:drafts:write"
    DESK_MEMORY_READ = "desk:memory:read"
    DESK_MEMORY_WRITE = "desk:memory:write"
    DESK_RECALLS_READ = "desk:recalls:read"
    DESK_RECALLS_WRITE = "desk:recalls:write"
    DESK_RULES_READ = "desk:rules:read"
    DESK_RULES_WRITE = "desk:rules:write"
    DESK_TICKETS_READ = "desk:tickets:read"
    DESK_TICKETS_WRITE = "desk:tickets:write"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.AGENT: frozenset(
        {
            Permission.DESK_DOCUMENTS_READ,
            Permission.DESK_DRAFTS_SETTLE,
            Permission.DESK_DRAFTS_WRITE,
            Permission.DESK_RECALLS_READ,
            Permission.DESK_RECALLS_WRITE,
            Permission.DESK_TICKETS_READ,
            Permission.DESK_TICKETS_WRITE,
        }
    ),
    Role.OWNER: frozenset(
        {
            Permission.DESK_DOCUMENTS_READ,
            Permission.DESK_DOCUMENTS_WRITE,
            Permission.DESK_MEMORY_READ,
            Permission.DESK_MEMORY_WRITE,
            Permission.DESK_RECALLS_READ,
            Permission.DESK_RECALLS_WRITE,
        }
    ),
    Role.REVIEWER: frozenset(
        {
            Permission.DESK_DOCUMENTS_READ,
            Permission.DESK_DRAFTS_AUDIT,
            Permission.DESK_MEMORY_READ,
            Permission.DESK_TICKETS_READ,
        }
    ),
}
