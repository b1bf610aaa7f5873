"""Commands about the machinery: index, worker, audit trail, health."""

import os
import signal
import threading
from types import FrameType

from app import console, dispatcher
from app.encoders import UntilSwitched, renewed
from app.health import report
from app.services import Services
from app.worker import stop_with_parent
from app.workflow import trail


def reindex(services: Services) -> None:
    """Build the vector index anew."""
    services.worker.reindex()
    state = services.index.state()
    document = {
        "engine": state.engine,
        "generation": state.generation,
        "passages": state.passages,
        "delta": state.delta,
    }
    console.show(document, [f"{state.passages} passages in a new {state.engine} generation"])


def worker(services: Services, *, with_parent: bool) -> None:
    """Work until a signal comes or, if so wanted, the process that started us has gone."""
    stop = threading.Event()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    # Replies must not wait behind documents, nor with the patience that is due to pages.
    dispatcher.start(services, stop)
    if with_parent:
        # Pages come first: the worker takes what processor time they leave.
        os.nice(10)
        stop_with_parent(stop)
    while not stop.is_set():
        services = renewed(services, services.encoders)
        services.worker.run(UntilSwitched(stop, services.encoders))


def doctor(services: Services) -> None:
    """Show the state of the desk."""
    health = report(services)
    lines = [f"{name}: {value}" for name, value in health.items()]
    console.show(health, lines)


def verify_audit(services: Services) -> None:
    """Check the chain of events and the seal of every reply; exit 1 where something is broken."""
    found = trail.verify(services.database)
    document = {
        "valid": found.is_whole,
        "broken": found.broken_events,
        "seals": found.sealed,
        "unsealed": found.unsealed,
        "broken_seals": found.broken_seals,
    }
    lines = [
        *(f"Broken at event {number}." for number in found.broken_events),
        *(
            f"The reply {each['approval']} to ticket {each['ticket']} is not as it was approved: "
            f"{', '.join(each['moved'])}."
            for each in found.broken_seals
        ),
    ]
    whole = f"The audit trail is whole, and so are {found.sealed} sealed replies."
    console.show(document, lines or [whole])
    if not found.is_whole:
        raise SystemExit(1)
