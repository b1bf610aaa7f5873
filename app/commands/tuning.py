"""Training the encoder on the desk's solved tickets, and going back to the one before."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import delete

from app import console
from app.encoders import FOLDER, Encoders, of, over
from app.errors import InvalidInputError, NotFoundError
from app.services import Services
from ingest import vectors
from ingest.db import Database
from ingest.events import record
from ingest.pipeline import rebuild_index
from ingest.tables import Embedding, Generation
from ingest.tuner import Recipe, train
from rag import cases, tuning
from rag.errors import TooFewCasesError
from rag.intervals import Difference
from rag.tables import Head
from rag.tuning import Comparison, History, Library

Watch = Callable[[str, int, int], None]
"""Told (what is done, done, total) now and then; what it raises ends the work."""

ACTOR = "command line"
STORED_TOGETHER = 2_000


class StoppedError(Exception):
    """Somebody called the training off."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training; the new encoder serves if the comparison says it is better."""

    serving: str
    pairs: int
    held_back: int
    comparison: Comparison


def learn(services: Services) -> None:
    """Train the encoder, with the processor time that others leave, and say what came of it."""
    begun = time.perf_counter()
    os.nice(10)
    with _stoppable() as stop:
        try:
            outcome = tune(services, partial(_show, stop))
        except StoppedError:
            raise SystemExit(130) from None
    console.progress("")
    document = _document(outcome) | {"seconds": round(time.perf_counter() - begun, 1)}
    console.show(document, _lines(outcome))


def roll_back(services: Services) -> None:
    """Let the encoder serve again that served before."""
    encoders = of(services)
    with _alone(services):
        previous = encoders.pointer().previous
        weights = encoders.find(previous) if previous else None
        if weights is None:
            raise NotFoundError(what="earlier encoder to go back to")
        _serve(over(services, weights), encoders, "encoder:rollback", {})
    console.show({"serving": weights.fingerprint}, [f"{weights.fingerprint} serves again."])


def tune(services: Services, watch: Watch, recipe: Recipe | None = None) -> Outcome:
    """Train the encoder on earlier tickets; it serves from then on if later ones find more by it.

    Until the very end searches go on with the present one, and so they do after a kill.

    Raises:
        InvalidInputError: Another training is at work on this desk.
        TooFewCasesError: There is too little history to tell a gain by.
        EncoderError: The desk's encoder is of a kind that cannot be trained.
    """
    encoders = of(services)
    with _alone(services):
        _tidy(services.database, encoders)
        try:
            return _tune(services, encoders, watch, recipe or Recipe())
        finally:
            _tidy(services.database, encoders)


def _tune(services: Services, encoders: Encoders, watch: Watch, recipe: Recipe) -> Outcome:
    present = over(services, encoders.weights)
    library = tuning.read_library(services.database, present.ingestion.tokenizer)
    history = tuning.read_history(services.database, library)
    earlier, later = tuning.questions(history.earlier), tuning.questions(history.later)
    old = _embed(present, library.texts | earlier | later, partial(watch, "looking up"))
    pairs = tuning.pairs(history.earlier, library, old)
    with encoders.making() as folder:
        train(encoders.base, pairs, folder, recipe, partial(watch, "training"))
        candidate = over(services, encoders.keep(folder))
    new = _embed(candidate, library.texts | later, partial(watch, "embedding"))
    comparison = _compare(history, library, old, new)
    serving = present
    if comparison.is_better:
        _store(services.database, candidate.weights.fingerprint, new)
        # What was learnt from the cases fits the present encoder alone.
        with suppress(TooFewCasesError):
            candidate.learner.learn(ACTOR, partial(watch, "learning"))
        _serve(candidate, encoders, "encoder:promote", _figures(comparison))
        serving = candidate
    return Outcome(serving.weights.fingerprint, len(pairs), len(later), comparison)


def _embed(services: Services, texts: Mapping[str, str], watch: tuning.Watch) -> dict[str, bytes]:
    return tuning.embed(services.database, services.ingestion.embedder, texts, watch)


def _compare(
    history: History, library: Library, old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> Comparison:
    before, after = (tuning.quality(history.later, library, known) for known in (old, new))
    return tuning.compare(history, before, after)


def _store(database: Database, model: str, rows: Mapping[str, bytes]) -> None:
    keys = list(rows)
    for begin in range(0, len(keys), STORED_TOGETHER):
        with database.write() as session:
            some = keys[begin : begin + STORED_TOGETHER]
            vectors.add(session, model, {key: rows[key] for key in some})


def _serve(services: Services, encoders: Encoders, action: str, detail: dict[str, Any]) -> None:
    """Bring all that is made with an encoder up to date, then let it serve."""
    fingerprint = services.weights.fingerprint
    # No worker takes documents in meanwhile: what is found by the old one is found by the new.
    with FileLock(services.home / "worker.lock"):
        cases.complete(services.database, services.ingestion.embedder)
        rebuild_index(services.ingestion)
        with services.database.write() as session:
            record(session, ACTOR, action, fingerprint, detail)
        encoders.switch(fingerprint)


def _tidy(database: Database, encoders: Encoders) -> None:
    """Remove encoders that neither serve nor served before, and first what was made with them."""
    for name in encoders.leftovers():
        with database.write() as session:
            session.execute(delete(Embedding).where(Embedding.model == name))
            session.execute(delete(Generation).where(Generation.model == name))
            session.execute(delete(Head).where(Head.encoder == name))
        encoders.remove(name)


@contextmanager
def _alone(services: Services) -> Iterator[None]:
    folder = services.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock").acquire(blocking=False):
            yield
    except Timeout:
        why = "another training is at work on this desk"
        raise InvalidInputError(what="learn --encoder", why=why) from None


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Yield an event that is set by the signals that end a process, which then leaves tidily."""
    stop = threading.Event()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(stop: threading.Event, what: str, done: int, total: int) -> None:
    if stop.is_set():
        raise StoppedError
    console.progress(f"{what}: {done} of {total}")


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "promoted": outcome.comparison.is_better,
        "serving": outcome.serving,
        "pairs": outcome.pairs,
        "held_back": outcome.held_back,
        **_figures(outcome.comparison),
    }


def _figures(comparison: Comparison) -> dict[str, Any]:
    """Return the figures of a comparison; bounds that nobody can tell are null."""
    figures: dict[str, Any] = asdict(comparison)
    for name, value in figures.items():
        if isinstance(value, dict):
            figures[name] = {k: round(v, 4) if isfinite(v) else None for k, v in value.items()}
        elif value is not None:
            figures[name] = round(value, 4)
    return figures


def _lines(outcome: Outcome) -> list[str]:
    comparison = outcome.comparison
    verdict = "The new encoder serves" if comparison.is_better else "The present encoder stays"
    return [
        f"{verdict}: {outcome.serving}.",
        f"Trained on {outcome.pairs} pairs, held against {outcome.held_back} later tickets:",
        f"recall@5 {comparison.recall_before:.3f} before, {comparison.recall_after:.3f} after; "
        f"nDCG@10 {comparison.ndcg_before:.3f} before, {comparison.ndcg_after:.3f} after.",
        f"nDCG@10 {_change(comparison.ndcg)}.",
        *([f"Documents with few cases: {_change(comparison.rare)}."] if comparison.rare else []),
    ]


def _change(difference: Difference) -> str:
    return (
        f"changed by {difference.mean:+.3f} "
        f"(95% interval {difference.low:+.3f} to {difference.high:+.3f})"
    )
