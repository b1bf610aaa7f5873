"""Routes to language models: which one drafts, whether it works, and what each costs."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.roles import Permission
from app.services import Services
from app.workflow.access import require
from ingest.db import now
from rag import provider
from rag.errors import RagError
from rag.llm import LiteLlmModel, patience_with
from rag.models import EXTRACTIVE, Model
from rag.probe import Probe, probe
from rag.routes import Load, Region, Route, read_routes
from rag.spending import spent_usd
from rag.tables import ModelCall
from rag.vllm import ServerLoad, read_load

logger = logging.getLogger(__name__)

PROBE_SECONDS = 15.0

_lock = threading.Lock()
# What came of asking, as long as this process runs.
_asked: dict[Model, "Asked"] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a route, and when."""

    probe: Probe
    at: datetime


@dataclass(frozen=True, slots=True)
class DeskRoute:
    """What drafts at this desk.

    `problem` says why it cannot be used as it is set. `asked` is None until somebody has, and
    `load` unless it is a vLLM server of one's own that answers.
    """

    name: str
    problem: str | None = None
    region: Region | None = None
    window_tokens: int | None = None
    asked: Asked | None = None
    load: ServerLoad | None = None

    @property
    def is_embedded(self) -> bool:
        """Tell whether no language model is connected."""
        return self.name == EXTRACTIVE


@dataclass(frozen=True, slots=True)
class Month:
    """What language models have cost since the month began (UTC); a limit of 0 is none.

    `unpriced` of the requests told no cost: they are not in what was spent.
    """

    spent_usd: float
    limit_usd: float
    requests: int
    unpriced: int

    @property
    def is_spent(self) -> bool:
        """Tell whether the limit is reached."""
        return bool(self.limit_usd) and self.spent_usd >= self.limit_usd


@dataclass(frozen=True, slots=True)
class ModelsOverview:
    """The desk's own route, what was spent, and every route of the catalogue, cheapest first."""

    desk: DeskRoute
    month: Month
    routes: Sequence[Route]


def overview(services: Services, user_id: str) -> ModelsOverview:
    """Return what drafts, what it has cost this month, and what else there is."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_RULES_READ)
        month = _month(session, services.settings.spending_limit)
    return ModelsOverview(_desk_route(services), month, _in_order(read_routes().values()))


def ask(services: Services, user_id: str) -> Probe:
    """Ask the desk's route for one token, and keep what came of it."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_RULES_READ)
    # It may take long: nothing of the record is held meanwhile.
    return ask_route(services)


def ask_route(services: Services) -> Probe:
    """Ask the desk's route for one token, whoever wants to know; the embedded one always works."""
    try:
        writer = services.writer()
    except RagError as error:
        return Probe(0.0, error.describe()[0])
    if writer is None:
        return Probe(0.0, None)
    # Else the first answer would seem to take as long as this does.
    provider.load()
    found = probe(LiteLlmModel(writer.route, patience_with(writer.route, PROBE_SECONDS)))
    with _lock:
        _asked[writer.route] = Asked(found, now())
    return found


def probe_at_start(services: Services) -> None:
    """Ask the desk's route, and log in one line what drafts or why it does not."""
    model = services.settings.model
    if model == EXTRACTIVE:
        logger.info("No language model is connected: the embedded drafter quotes the documents.")
        return
    found = ask_route(services)
    if found.error is None:
        logger.info("%s drafts replies: it answered within %.1f seconds.", model, found.seconds)
    else:
        logger.warning("%s does not draft: %s", model, found.error)


def _desk_route(services: Services) -> DeskRoute:
    name = services.settings.model
    try:
        writer = services.writer()
    except RagError as error:
        return DeskRoute(name, problem=str(error))
    if writer is None:
        return DeskRoute(name)
    route = writer.route
    with _lock:
        asked = _asked.get(route)
    load = None
    # One that does not answer would only keep the page waiting.
    if asked and asked.probe.error is None and route.url and not route.hosted:
        load = read_load(route.url)
    return DeskRoute(name, None, route.region, route.window_tokens, asked, load)


def _month(session: Session, limit_usd: float) -> Month:
    moment = now()
    begun = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = select(func.count(), func.count(ModelCall.cost_usd)).where(
        ModelCall.at >= begun, ModelCall.model != EXTRACTIVE
    )
    requests, priced = session.execute(query).one()
    return Month(spent_usd(session, moment), limit_usd, requests, requests - priced)


def _in_order(routes: Iterable[Route]) -> list[Route]:
    """Put what can be used first, and the cheaper before the dearer."""

    def place(route: Route) -> tuple[bool, bool, float]:
        cost = Load(tickets=1).cost_usd(route)
        return route.status == "retired", cost is None, cost or 0.0

    return sorted(routes, key=place)
