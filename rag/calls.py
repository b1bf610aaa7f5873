"""Tells whoever listens of each request to a model: figures, and no word of what was asked."""

import json
import logging
from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

FIELDS = (
    *("id", "route", "revision", "prompt_tokens", "completion_tokens", "cost_usd"),
    *("seconds", "first_seconds", "prompt_version", "outcome"),
)
# Providers name their own revision.
MAX_CHARACTERS = 200

Fields = Mapping[str, str | int | float | None]
Listener = Callable[[Fields], None]

_listeners: list[Listener] = []


def listen(callback: Listener) -> None:
    """Have a function called after each request, on the thread that made it."""
    _listeners.append(callback)


def record_call(fields: Fields) -> None:
    """Log a request and tell the listeners; what is not among `FIELDS` goes nowhere."""
    known = {name: _short(fields.get(name)) for name in FIELDS}
    logger.info("Model request: %s", json.dumps(known))
    for callback in tuple(_listeners):
        try:
            callback(known)
        except Exception:
            # A draft is worth more than the record of it elsewhere.
            logger.exception("Somebody who listens to model requests failed.")


def _short(value: str | float | None) -> str | float | None:
    return value[:MAX_CHARACTERS] if isinstance(value, str) else value
