"""A circuit breaker for each route: one that keeps failing is left alone for a while.

Source: M. Nygard, "Release It!" (2007), chapter 5.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 2
OPEN_SECONDS = 30.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    open_until: float = 0.0


class Breakers:
    """Remembers for this process which routes failed; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with every route closed, as a circuit that lets requests through."""
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}

    def permits(self, route: str) -> bool:
        """Tell whether a route may be asked; after a pause one request tries it again."""
        with self._lock:
            state = self._states.setdefault(route, _State())
            if state.failures < FAILURES:
                return True
            if self._clock() < state.open_until:
                return False
            # Others wait while one tries; a trial of which nothing is heard gives way to the next.
            state.open_until = self._clock() + OPEN_SECONDS
            return True

    def seconds_left(self, route: str) -> float:
        """Return how long a route is left alone yet, 0 where it may be asked."""
        with self._lock:
            state = self._states.get(route, _State())
            shut = state.failures >= FAILURES
            return max(0.0, state.open_until - self._clock()) if shut else 0.0

    def succeeded(self, route: str) -> None:
        """Note a reply."""
        with self._lock:
            self._states.pop(route, None)

    def failed(self, route: str) -> None:
        """Note a failure of the provider's."""
        with self._lock:
            state = self._states.setdefault(route, _State())
            state.failures += 1
            state.open_until = self._clock() + OPEN_SECONDS
