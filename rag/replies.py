"""Replies that models gave before: the same request is answered from the record, at no cost."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rag.models import Model
from rag.provider import TEMPERATURE
from rag.tables import Draft, DraftStatus, ModelCall
from rag.tokens import Messages

COMPLETE = "complete"


def request_hash(
    route: Model, messages: Messages, max_tokens: int, extras: Mapping[str, Any]
) -> str:
    """Return what tells a request from all that a route could answer otherwise."""
    parts = [
        *(route.name, route.id, route.url, route.arguments, route.window_tokens),
        *(list(messages), max_tokens, dict(extras), TEMPERATURE),
    ]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def remembered(session: Session, request: str) -> str | None:
    """Return the newest complete reply to a request, unless an agent rejected its draft.

    It is what the model wrote: where values were masked, their placeholders stand in it, so that a
    reply to one customer's ticket tells nothing to another's.
    """
    return session.scalar(
        select(ModelCall.reply)
        .outerjoin(Draft, ModelCall.draft_id == Draft.id)
        .where(
            ModelCall.request_hash == request,
            ModelCall.outcome == COMPLETE,
            ModelCall.reply.is_not(None),
            or_(Draft.id.is_(None), Draft.status != DraftStatus.REJECTED),
        )
        .order_by(ModelCall.at.desc())
        .limit(1)
    )
