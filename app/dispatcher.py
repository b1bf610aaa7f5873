"""Sends approved replies when their time has come, beside whatever else the worker does."""

import logging
import threading

from app.services import Services
from app.workflow import deliveries, dispatch
from ingest.db import now

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
PAUSE_SECONDS = 5.0


def start(services: Services, stop: threading.Event) -> threading.Thread:
    """Send and deliver in a thread of its own until told to stop."""
    thread = threading.Thread(target=_run, args=(services, stop), name="dispatcher", daemon=True)
    thread.start()
    return thread


def turn(services: Services) -> None:
    """Send what is due, then hand over to the webhook what was sent."""
    webhook = services.webhook
    dispatch.send_due(services.database, now(), webhook=webhook is not None)
    if webhook is not None:
        deliveries.deliver(services.database, webhook, now())


def _run(services: Services, stop: threading.Event) -> None:
    pause = POLL_SECONDS
    while not stop.wait(pause):
        pause = POLL_SECONDS
        try:
            turn(services)
        except Exception:
            # A database that is away for a while must not end the sending for good.
            logger.exception("Sending replies is put off.")
            pause = PAUSE_SECONDS
