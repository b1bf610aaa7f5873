"""A quarter of the knowledge base is replaced, six times over."""

import random
from statistics import mean

import numpy as np
import pytest
from sqlalchemy import select

from app.services import Services
from ingest import sources
from ingest.index.exact import nearest
from ingest.sources import Upload
from ingest.tables import Embedding, Passage, Version, VersionStatus, Visibility
from tests.fakes import embed

DOCUMENTS, PASSAGES_EACH, ROUNDS, QUERIES = 40, 25, 6, 100

pytestmark = pytest.mark.failure


def text(topic: int, chance: random.Random) -> bytes:
    """Write a document of many sections with words of its topic, and some of its neighbours'."""
    sections = [
        f"## Part {chance.randrange(10**6)}\n\n"
        + " ".join(f"w{50 * topic + chance.randrange(150)}" for _ in range(40))
        for _ in range(PASSAGES_EACH)
    ]
    return ("# Parts\n\n" + "\n\n".join(sections)).encode()


def put(services: Services, numbers: list[int], chance: random.Random) -> None:
    items = [Upload(f"{number}.md", f"{number}.md", text(number, chance)) for number in numbers]
    ids = sources.submit(services.database, services.files, items, "olu")
    services.worker.finish(ids, lambda _: None)


def recall_and_self_hits(services: Services, chance: random.Random) -> tuple[float, float]:
    """Hold the index against an exact scan of the record, by current passages as queries."""
    query = (
        select(Passage.id, Embedding.vector)
        .join(Embedding, Embedding.content_hash == Passage.content_hash)
        .join(Version)
        .where(Version.status == VersionStatus.CURRENT)
    )
    with services.database.read() as session:
        rows = dict(session.execute(query).all())
    ids = list(rows)
    vectors = np.stack([np.frombuffer(row, dtype="<f4") for row in rows.values()])
    found = hits = 0
    for chosen in chance.sample(range(len(ids)), QUERIES):
        noise = embed(f"w{chance.randrange(2_000)} w{chance.randrange(2_000)}")
        question = vectors[chosen] + np.float32(0.5) * noise
        question /= np.linalg.norm(question)
        near = services.index.search(question, 10, list(Visibility))
        expected = {hit.passage_id for hit in nearest(ids, vectors, question, 10)}
        found += len(expected & {hit.passage_id for hit in near})
        itself = services.index.search(vectors[chosen], 1, list(Visibility))
        hits += itself[0].passage_id == ids[chosen]
    return found / (10 * QUERIES), hits / QUERIES


def test_six_changes_of_a_quarter_leave_the_index_as_good_as_an_exact_scan(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first look of each round is at a generation and what changed since.
    monkeypatch.setattr("app.worker.REBUILD_PASSAGES", 10**9)
    chance = random.Random(5)
    put(services, list(range(DOCUMENTS)), chance)
    services.worker.reindex()
    measured = []

    for _ in range(ROUNDS):
        put(services, chance.sample(range(DOCUMENTS), DOCUMENTS // 4), chance)
        assert services.index.state().delta >= PASSAGES_EACH * DOCUMENTS // 4
        measured.append(recall_and_self_hits(services, chance))
        services.worker.reindex()
        measured.append(recall_and_self_hits(services, chance))

    assert services.index.state().passages >= DOCUMENTS * PASSAGES_EACH
    recalls, hits = zip(*measured, strict=True)
    assert mean(recalls) >= 0.99
    assert min(hits) >= 0.999
