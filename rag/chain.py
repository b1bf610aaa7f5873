"""Which models may be asked for a draft, one after the other, and why others were not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from rag.breaker import Breakers
from rag.errors import ForbiddenRegionError, ModelUnavailableError, RagError
from rag.models import Model
from rag.routes import is_allowed, may_replace
from rag.writing import Writer

SPENT, FORBIDDEN, FAILED = "spent", "forbidden_region", "failed"


@dataclass
class Chain:
    """The writers of one draft in turn.

    `reason` and `notes` say why the desk's own model did not write, for the agent to know.
    """

    writer: Writer | None
    regions: frozenset[str] | None
    may_pay: Callable[[Model], bool]
    breakers: Breakers
    reason: str | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def is_strict(self) -> bool:
        """Tell whether somebody wants this model or none."""
        return self.writer is not None and self.writer.stand_ins is None

    def __iter__(self) -> Iterator[Writer]:
        """Yield the writers that may be asked, each when those before it have failed.

        Raises:
            ForbiddenRegionError: The one model that is wanted is where the desk sends nothing.
        """
        if self.writer is None:
            return
        for writer in (self.writer, *(self.writer.stand_ins or ())):
            if self._may_ask(writer.route):
                yield writer if self.is_strict else replace(writer, stand_ins=())

    def answered(self, route: Model, *, broke_off: bool) -> None:
        """Note that a route answered, if not to the end."""
        if broke_off:
            self.breakers.failed(_key(route))
        else:
            self.breakers.succeeded(_key(route))

    def failed(self, route: Model, error: RagError) -> None:
        """Note that nothing came of a route."""
        # A wrong key is no outage: asking again costs nothing and may have been mended.
        if isinstance(error, ModelUnavailableError):
            self.breakers.failed(_key(route))
        self._pass_over(FAILED, route, error.describe()[0])

    def _may_ask(self, route: Model) -> bool:
        if not self._is_allowed(route):
            if self.is_strict:
                raise ForbiddenRegionError(model=route.name, region=route.region)
            self._pass_over(FORBIDDEN, route, route.region)
            return False
        if not self.may_pay(route):
            self._pass_over(SPENT, route, "")
            return False
        if not self.is_strict and not self.breakers.permits(_key(route)):
            left = self.breakers.seconds_left(_key(route))
            reason = f"it failed several times and is asked again in {left:.0f} seconds"
            resting = ModelUnavailableError(model=route.name, reason=reason)
            self._pass_over(FAILED, route, resting.describe()[0])
            return False
        return True

    def _is_allowed(self, route: Model) -> bool:
        if self.writer is None or route == self.writer.route:
            return is_allowed(route.region, self.regions)
        return may_replace(self.writer.route.region, route.region, self.regions)

    def _pass_over(self, reason: str, route: Model, why: str) -> None:
        if self.reason is None:
            self.reason = reason
            self.notes = {"model": route.name, "why": why}


def _key(route: Model) -> str:
    """Tell servers of one model apart."""
    return f"{route.name} {route.url or ''}"
