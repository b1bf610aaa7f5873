"""Commands about the machinery: index, worker, audit trail, health."""

import os
import signal
import threading
from types import FrameType

from app import console
from app.encoders import UntilSwitched, renewed
from app.health import report
from app.services import Services
from app.worker import stop_with_parent
from ingest.events import broken_links


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
    """Check the chain of events; exit 1 where it is broken."""
    with services.database.read() as session:
        broken = list(broken_links(session))
    console.show(
        {"valid": not broken, "broken": broken},
        ["The audit trail is whole."] if not broken else [f"Broken at event {n}." for n in broken],
    )
    if broken:
        raise SystemExit(1)
