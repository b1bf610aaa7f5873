"""Desks as processes of their own have them: real but for the model, hashed words in its place."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from app.services import Services
from app.settings import Settings
from ingest import sources
from ingest.comparison import compare
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from tests.fakes import HashEmbedder


def open_desk(home: Path, database_url: str = "") -> Services:
    """Open the desk of a home folder, which is made where there is none."""
    services = Services(Settings(home=home, database_url=database_url))
    embedder = HashEmbedder()
    index = ServedIndex(services.database, services._engine, embedder.fingerprint)
    ingestion = Ingestion(services.database, services.files, embedder, index, services.weights)
    # Cached properties: what is here already is not built.
    vars(services).update(query_encoder=embedder, index=index, ingestion=ingestion)
    return services


@dataclass(frozen=True)
class Death:
    """A process kills itself right before or after a step: "module:name" or "module:class.name"."""

    step: str
    when: str

    def arm(self) -> None:
        """Put the kill in the way of the step."""
        module, _, path = self.step.partition(":")
        *owners, name = path.split(".")
        owner = import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        setattr(owner, name, self._deadly(getattr(owner, name)))

    def _deadly(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def die(*arguments: Any, **options: Any) -> None:
            if self.when == "after":
                real(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        return die


def take_in(home: Path, folder: Path) -> None:
    """Take in a folder as the command line does."""
    desk = open_desk(home)
    items = sources.uploads([folder], {})
    ids = sources.submit(desk.database, desk.files, items, "olu")
    desk.worker.finish(ids, lambda _: None)


def take_in_all_the_way(home: Path, folder: Path, death: Death | None) -> None:
    """Take in a folder, build the index anew and look for findings, unless death comes first."""
    desk = open_desk(home)
    if death is not None:
        death.arm()
    items = sources.uploads([folder], {})
    ids = sources.submit(desk.database, desk.files, items, "olu")
    desk.worker.finish(ids, lambda _: None)
    desk.worker.reindex()
    compare(desk.database, desk.ingestion.embedder.fingerprint)
