"""Replies that models gave before: the same request is answered from the record, at no cost."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
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
    """Return the newest complete reply to a request, unless an agent rejected a draft of it.

    It is what the model wrote: where values were masked, their placeholders stand in it, so that a
    reply to one customer's ticket tells nothing to another's.
    """
    same = ModelCall.request_hash == request
    newest = select(ModelCall.reply, ModelCall.at).where(
        same, ModelCall.outcome == COMPLETE, ModelCall.reply.is_not(None)
    )
    found = session.execute(newest.order_by(ModelCall.at.desc()).limit(1)).first()
    if found is None:
        return None
    # A draft of it may have come from the record itself.
    rejected = select(ModelCall.id).join(Draft, ModelCall.draft_id == Draft.id)
    since = rejected.where(same, ModelCall.at >= found.at, Draft.status == DraftStatus.REJECTED)
    return None if session.scalar(since.limit(1)) else found.reply
