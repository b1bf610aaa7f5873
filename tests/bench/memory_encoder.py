"""The benchmark's help centre with an encoder that was trained on its solved tickets."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from app.encoders import over
from app.services import Services
from ingest import vectors
from ingest.tuner import Recipe, train
from ingest.weights import Weights
from rag import cases, tuning
from tests.bench.memory_desk import Bench

BATCH = 1_000


def with_trained_encoder(bench: Bench, recipe: Recipe) -> Bench:
    """Train as `learn --encoder` does, but let the result be asked even if it ranks no better.

    The newest fifth of the tickets is held back from the training of the encoder, as there, and
    what these say of it is printed; they are cases, and the head learns from them, as from all.
    """
    services = bench.services
    library = tuning.read_library(services.database, services.ingestion.tokenizer)
    history = tuning.read_history(services.database, library)
    later = tuning.questions(history.later)
    asked = later | tuning.questions(history.earlier)
    old = _embed(services, library.texts | asked)
    pairs = tuning.pairs(history.earlier, library, old)
    folder = services.home / "trained" / Path(services.weights.name).name
    train(services.weights, pairs, folder, recipe, _show)
    candidate = over(services, Weights(str(folder)))
    new = _embed(candidate, library.texts | later)
    judged = [tuning.quality(history.later, library, known) for known in (old, new)]
    comparison = tuning.compare(history, *judged)
    sys.stdout.write(
        f"\nencoder: {len(pairs)} pairs, {recipe.epochs} epochs, {len(history.later)} held back,"
        f" would serve: {comparison.is_better}: {json.dumps(asdict(comparison))}\n"
    )
    _store(candidate, new)
    cases.complete(candidate.database, candidate.ingestion.embedder)
    candidate.learner.learn("bench")
    return Bench(candidate, bench.names)


def _embed(services: Services, texts: Mapping[str, str]) -> dict[str, bytes]:
    return tuning.embed(services.database, services.ingestion.embedder, texts, _show)


def _store(services: Services, rows: Mapping[str, bytes]) -> None:
    keys = list(rows)
    for begin in range(0, len(keys), BATCH):
        some = {key: rows[key] for key in keys[begin : begin + BATCH]}
        with services.database.write() as session:
            vectors.add(session, services.weights.fingerprint, some)


def _show(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total}")
    sys.stderr.flush()
