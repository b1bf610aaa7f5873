import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, select

from ingest.access import Scope
from ingest.db import Database
from ingest.files import FileStore
from ingest.index import chroma, holdings
from ingest.index.chroma import SEAL, ChromaIndex
from ingest.index.exact import ExactIndex, nearest
from ingest.index.pgvector import PgVectorIndex, generation_rows
from ingest.index.protocol import GenerationError, IndexBuildError, Rows, VectorIndex
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from ingest.tables import Generation, Visibility
from ingest.weights import Weights
from tests.fakes import DIMENSIONS, HashEmbedder
from tests.ingest.knowledge_base import KnowledgeBase

PUBLIC, INTERNAL, RESTRICTED = Visibility
ENGINES = ["exact", "chroma", "pgvector"]


class QuickChromaIndex(ChromaIndex):
    """Probes in this process: starting one costs a second, and some tests here do start one."""

    def probe(self, generation: str, passages: int) -> bool:
        if not self.holds(generation):
            return False
        client = chroma._open(self._folder / generation)
        try:
            return sum(part.count() for part in client.list_collections()) == passages
        finally:
            client.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> VectorIndex:
    """Return each engine in turn."""
    return make_engine(request, ChromaIndex(tmp_path / "index"))


def make_engine(request: pytest.FixtureRequest, on_chroma: ChromaIndex) -> VectorIndex:
    if request.param == "exact":
        return ExactIndex()
    if request.param == "chroma":
        return on_chroma
    return PgVectorIndex(request.getfixturevalue("postgresql_database"))


@pytest.fixture(params=ENGINES)
def served(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    weights: Weights,
    embedder: HashEmbedder,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[KnowledgeBase]:
    """Return a knowledge base on each engine in turn, with the database that fits it.

    It is taken to be too large for a scan in memory.
    """
    monkeypatch.setattr(holdings, "MAX_SCANNED", 0)
    if request.param == "pgvector":
        database = request.getfixturevalue("postgresql_database")
    else:
        database = Database(request.getfixturevalue("sqlite_url"))
    quick = QuickChromaIndex(tmp_path / "index")
    index = ServedIndex(database, make_engine(request, quick), embedder.fingerprint)
    files = FileStore(tmp_path / "files")
    yield KnowledgeBase(Ingestion(database, files, embedder, index, weights), embedder)
    database.close()


@pytest.fixture
def on_chroma(
    tmp_path: Path,
    sqlite_url: str,
    weights: Weights,
    embedder: HashEmbedder,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[KnowledgeBase]:
    """Return a knowledge base on SQLite and Chroma, again taken to be too large for a scan."""
    monkeypatch.setattr(holdings, "MAX_SCANNED", 0)
    database = Database(sqlite_url)
    index = ServedIndex(database, QuickChromaIndex(tmp_path / "index"), embedder.fingerprint)
    files = FileStore(tmp_path / "files")
    yield KnowledgeBase(Ingestion(database, files, embedder, index, weights), embedder)
    database.close()


def reopened(base: KnowledgeBase, folder: Path) -> KnowledgeBase:
    """Return the same knowledge base as another process sees it."""
    old = base.ingestion
    index = ServedIndex(old.database, QuickChromaIndex(folder / "index"), base.embedder.fingerprint)
    return KnowledgeBase(
        Ingestion(old.database, old.files, old.embedder, index, old.weights), base.embedder
    )


def random_units(count: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def parts(seed: int = 1) -> list[Rows]:
    return [
        Rows(visibility, [f"{visibility}-{n}" for n in range(count)], random_units(count, seed + i))
        for i, (visibility, count) in enumerate([(PUBLIC, 300), (INTERNAL, 120), (RESTRICTED, 1)])
    ]


@pytest.mark.parametrize("visibilities", [[PUBLIC], [INTERNAL, RESTRICTED], list(Visibility), []])
def test_every_engine_finds_what_the_exact_scan_finds(
    engine: VectorIndex, visibilities: list[Visibility]
) -> None:
    rows = parts()
    engine.build("a1", rows)

    for query in random_units(5, seed=9):
        hits = engine.search("a1", query, 10, visibilities)

        expected = [
            hit
            for part in rows
            if part.visibility in visibilities
            for hit in nearest(part.passage_ids, part.vectors, query, 10)
        ]
        expected.sort(key=lambda hit: -hit.score)
        assert [hit.passage_id for hit in hits] == [hit.passage_id for hit in expected]
        assert np.allclose([h.score for h in hits], [h.score for h in expected], atol=1e-5)


def test_every_engine_returns_all_there_are_when_asked_for_more(engine: VectorIndex) -> None:
    engine.build("a1", parts())

    hits = engine.search("a1", random_units(1, seed=9)[0], 500, list(Visibility))

    assert len({hit.passage_id for hit in hits}) == len(hits) == 421


def test_every_engine_tells_a_whole_generation_from_others(engine: VectorIndex) -> None:
    engine.build("a1", parts())

    assert engine.holds("a1")
    assert engine.probe("a1", 421)
    assert not engine.probe("a1", 420)


def test_every_engine_keeps_generations_apart(engine: VectorIndex) -> None:
    engine.build("a1", parts())
    other = Rows(PUBLIC, ["new"], random_units(1, seed=5))
    engine.build("b2", [other])

    engine.drop("a1")
    engine.drop("a1")
    engine.drop("c3")

    assert [hit.passage_id for hit in engine.search("b2", other.vectors[0], 5, [PUBLIC])] == ["new"]
    assert not engine.probe("a1", 421)


def test_every_engine_can_hold_nothing(engine: VectorIndex) -> None:
    engine.build("a1", [])

    assert engine.probe("a1", 0)
    assert engine.search("a1", random_units(1, seed=5)[0], 5, list(Visibility)) == []


def test_the_exact_scan_is_the_definition_of_nearest() -> None:
    vectors = np.eye(4, dtype=np.float32)
    query = np.array([0.1, 0.7, 0.5, 0.5], dtype=np.float32)

    hits = nearest(["a", "b", "c", "d"], vectors, query, 3)

    assert (hits[0].passage_id, round(hits[0].score, 6)) == ("b", 0.7)
    assert {hit.passage_id for hit in hits} == {"b", "c", "d"}
    assert nearest([], vectors[:0], query, 3) == []
    assert len(nearest(["a", "b", "c", "d"], vectors, query, 9)) == 4


def test_pgvector_searches_through_its_index(postgresql_database: Database) -> None:
    from sqlalchemy import text

    engine = PgVectorIndex(postgresql_database)
    engine.build("a1", parts())
    vector = random_units(1, seed=9)[0].tolist()

    with postgresql_database.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        plan = connection.execute(
            text(
                "EXPLAIN SELECT passage_id FROM generation_rows WHERE generation = 'a1'"
                " AND visibility = 'public'"
                f" ORDER BY CAST(embedding AS VECTOR({DIMENSIONS})) <=> '{vector}' LIMIT 5"
            )
        ).scalars()

        assert "hnsw_a1" in "\n".join(plan)


def fill(base: KnowledgeBase, *names: str) -> None:
    for name in names:
        base.put(f"{name}.md", f"The {name} is loud.")


def test_a_stored_document_is_found_before_and_after_the_index_is_built(
    served: KnowledgeBase,
) -> None:
    index = served.ingestion.index
    fill(served, "zebra", "otter")
    assert (index.state().generation, index.state().delta) == (None, 2)
    assert served.found("zebra", 1) == ["zebra.md"]

    state = index.rebuild()

    assert (state.passages, state.delta) == (2, 0)
    assert state.generation is not None
    assert served.found("zebra", 1) == ["zebra.md"]


def test_what_changed_since_the_generation_is_added_removed_and_replaced(
    served: KnowledgeBase,
) -> None:
    fill(served, "zebra", "otter", "heron")
    served.ingestion.index.rebuild()

    fill(served, "camel")
    served.withdraw("otter.md")
    served.put("heron.md", "The heron sings of a lemur.")

    assert served.found("camel", 1) == ["camel.md"]
    assert served.found("lemur", 1) == ["heron.md"]
    assert sorted(served.found("The is loud", 10)) == ["camel.md", "heron.md", "zebra.md"]
    assert [hit.version.number for hit in served.search("heron", 1)] == [2]
    # Added, removed, and replaced, which is one of each.
    assert served.ingestion.index.state().delta == 4


def test_delta_and_generation_together_answer_as_one_exact_scan(served: KnowledgeBase) -> None:
    words = ["pump", "tank", "hose", "lid", "knob", "beans", "water", "acid", "filter", "cup"]
    random = np.random.default_rng(7)
    for number in range(24):
        served.put(f"{number}.md", f"N{number} " + " ".join(random.choice(words, 6)))
        if number == 11:
            served.ingestion.index.rebuild()
    for number in (2, 13):
        served.withdraw(f"{number}.md")
    served.put("5.md", "N5 pump pump lid lid")
    oracle = ServedIndex(served.database, ExactIndex(), served.embedder.fingerprint)

    for question in ("pump tank", "water acid filter", "N5 lid", "N13"):
        vector = served.embedder.encode(question)
        hits = served.ingestion.index.search(vector, 50, list(Visibility))
        expected = oracle.search(vector, 50, list(Visibility))
        assert len(hits) == len(expected) == 22
        assert {hit.passage_id: round(hit.score, 4) for hit in hits} == {
            hit.passage_id: round(hit.score, 4) for hit in expected
        }


def test_many_removed_neighbours_do_not_hide_the_living(served: KnowledgeBase) -> None:
    for number in range(12):
        served.put(f"{number}.md", f"The zebra pump. N{number}")
    served.put("far.md", "An otter in the river.")
    served.ingestion.index.rebuild()

    for number in range(12):
        served.withdraw(f"{number}.md")

    hits = served.ingestion.index.search(served.embedder.encode("zebra pump"), 1, [INTERNAL])
    assert len(hits) == 1
    assert served.found("zebra pump", 1) == ["far.md"]


def test_rebuilding_embeds_nothing(served: KnowledgeBase) -> None:
    fill(served, "zebra", "otter")
    batches = len(served.embedder.batches)

    served.ingestion.index.rebuild()

    assert len(served.embedder.batches) == batches


def test_an_index_of_nothing_can_be_built_and_searched(served: KnowledgeBase) -> None:
    assert served.found("zebra") == []

    state = served.ingestion.index.rebuild()

    assert (state.passages, state.delta) == (0, 0)
    assert served.found("zebra") == []


def test_old_generations_go_and_the_previous_one_stays(served: KnowledgeBase) -> None:
    fill(served, "zebra")
    index = served.ingestion.index
    # All of the same state: then their time decides.
    built = [index.rebuild().generation for _ in range(4)]

    with served.database.read() as session:
        kept = set(session.scalars(select(Generation.id)))
    engine = index._engine
    assert kept == set(built[2:])
    assert [engine.probe(str(name), 1) for name in built] == [False, False, True, True]
    assert index.state().generation == built[3]


def test_restricted_passages_are_found_by_their_labels_only(served: KnowledgeBase) -> None:
    for number in range(30):
        served.put(f"s{number}.md", f"The zebra pump. N{number}", visibility="restricted")
    served.put("board.md", "The zebra hose.", visibility="restricted", labels=["board"])
    served.put("open.md", "An otter.", visibility="public")
    served.put("staff.md", "A heron.")

    def check() -> None:
        nobody = Scope.of_staff(frozenset())
        board = Scope.of_staff(frozenset({"board", "other"}))
        public = Scope(frozenset({PUBLIC}))
        assert sorted(served.found("zebra pump", 5, nobody)) == ["open.md", "staff.md"]
        assert sorted(served.found("zebra pump", 5, board)) == ["board.md", "open.md", "staff.md"]
        assert served.found("zebra pump", 5, public) == ["open.md"]
        assert len(served.found("zebra pump", 50)) == 33

    check()
    served.ingestion.index.rebuild()
    check()


def test_a_generation_that_cannot_be_read_back_is_not_published(
    served: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(served, "zebra")
    first = served.ingestion.index.rebuild().generation
    monkeypatch.setattr(served.ingestion.index._engine, "probe", lambda *_: False)

    with pytest.raises(IndexBuildError):
        served.ingestion.index.rebuild()

    assert served.ingestion.index.state().generation == first
    assert served.found("zebra") == ["zebra.md"]


def test_what_a_killed_build_left_behind_is_removed_by_the_next(
    on_chroma: KnowledgeBase, tmp_path: Path
) -> None:
    fill(on_chroma, "zebra")
    (tmp_path / "index" / "0123456789abcdef").mkdir(parents=True)
    (tmp_path / "index" / "0123456789abcdef" / "chroma.sqlite3").write_bytes(b"half")

    state = on_chroma.ingestion.index.rebuild()

    assert [path.name for path in (tmp_path / "index").iterdir()] == [state.generation]


def test_pgvector_leaves_no_rows_of_dropped_generations(postgresql_database: Database) -> None:
    engine = PgVectorIndex(postgresql_database)
    engine.build("a1", parts())
    engine.drop("a1")

    with postgresql_database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(generation_rows)) == 0


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def scramble(file: Path) -> None:
    file.write_bytes(np.random.default_rng(3).bytes(file.stat().st_size))


DAMAGES: list[tuple[str, Callable[[Path], Any]]] = [
    (pattern, damage)
    for pattern in ("*/data_level0.bin", "*/index_metadata.pickle", "*/header.bin")
    for damage in (truncate, scramble, Path.unlink)
] + [
    ("chroma.sqlite3", truncate),
    ("chroma.sqlite3", scramble),
    ("chroma.sqlite3", Path.unlink),
    (SEAL, scramble),
    (SEAL, Path.unlink),
    (".", shutil.rmtree),
]


@pytest.fixture(scope="session")
def whole_generation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a generation of 300 public passages once."""
    folder = tmp_path_factory.mktemp("whole")
    rows = parts()[0]
    ChromaIndex(folder).build("a1", [rows])
    return folder / "a1"


@pytest.mark.parametrize(("pattern", "damage"), DAMAGES)
def test_damage_of_a_generation_is_noticed_before_it_answers(
    whole_generation: Path, tmp_path: Path, pattern: str, damage: Callable[[Path], Any]
) -> None:
    shutil.copytree(whole_generation, tmp_path / "a1")
    [file] = (tmp_path / "a1").glob(pattern) if pattern != "." else [tmp_path / "a1"]
    damage(file)
    engine = ChromaIndex(tmp_path)

    with pytest.raises(GenerationError):
        engine.search("a1", parts()[0].vectors[0], 5, [PUBLIC])


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [("*/data_level0.bin", scramble), ("chroma.sqlite3", truncate), (".", shutil.rmtree)],
)
def test_search_goes_on_when_the_generation_is_damaged(
    on_chroma: KnowledgeBase, tmp_path: Path, pattern: str, damage: Callable[[Path], Any]
) -> None:
    fill(on_chroma, "zebra", "otter")
    generation = str(on_chroma.ingestion.index.rebuild().generation)
    fill(on_chroma, "camel")
    folder = tmp_path / "index" / generation
    [file] = folder.glob(pattern) if pattern != "." else [folder]
    damage(file)
    other_process = reopened(on_chroma, tmp_path)

    assert other_process.found("zebra", 1) == ["zebra.md"]
    assert sorted(other_process.found("The is loud")) == ["camel.md", "otter.md", "zebra.md"]
    assert other_process.ingestion.index.state().generation is None

    state = other_process.ingestion.index.rebuild()

    assert (state.passages, state.delta) == (3, 0)
    assert state.generation != generation
    assert other_process.found("camel", 1) == ["camel.md"]


def test_a_generation_stays_whole_after_it_was_searched(
    on_chroma: KnowledgeBase, tmp_path: Path
) -> None:
    on_chroma.put("zebra.md", "The zebra.", visibility="public")
    fill(on_chroma, "otter", "heron", "camel")
    generation = on_chroma.ingestion.index.rebuild().generation

    for _ in range(3):
        process = reopened(on_chroma, tmp_path)
        assert process.found("zebra", 1) == ["zebra.md"]
        assert process.ingestion.index.state().generation == generation


def test_a_search_that_runs_while_generations_change_misses_nothing(
    on_chroma: KnowledgeBase, tmp_path: Path
) -> None:
    fill(on_chroma, "zebra")
    reader = reopened(on_chroma, tmp_path)

    for name in ("otter", "heron", "camel"):
        fill(on_chroma, name)
        assert reader.found(name, 1) == [f"{name}.md"]
        on_chroma.ingestion.index.rebuild()
        assert reader.found(name, 1) == [f"{name}.md"]
        assert reader.found("zebra", 1) == ["zebra.md"]
