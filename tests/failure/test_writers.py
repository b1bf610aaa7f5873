"""Many at once: processes with one home, and one file from many sides."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ingest import sources
from ingest.db import Database
from ingest.events import broken_links
from ingest.files import FileStore
from ingest.index.exact import ExactIndex
from ingest.index.served import ServedIndex
from ingest.pipeline import Ingestion
from ingest.sources import Upload
from ingest.tables import Document, Job, Outcome, Version
from ingest.weights import Weights
from tests.failure.desks import open_desk, take_in
from tests.failure.wholeness import assert_every_upload_was_answered, assert_record_is_whole
from tests.fakes import HashEmbedder
from tests.ingest.knowledge_base import KnowledgeBase

COPIES = 50
TEXT = b"# Pump\n\nThe zebra pump is loud.\n"

pytestmark = pytest.mark.failure


def test_processes_that_take_in_at_the_same_time_do_all_of_it_once(
    tmp_path: Path, processes: ForkServerContext
) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
        for number in range(10):
            (folder / f"{folder.name} {number}.md").write_text(f"All of {folder.name} {number}.")
    home = tmp_path / "home"
    desk = open_desk(home)
    assert desk.database.dialect == "sqlite"

    # Two of them with the same folder: whoever comes second finds it unchanged or waits.
    running = [processes.Process(target=take_in, args=(home, f)) for f in [*folders, folders[0]]]
    for process in running:
        process.start()
    for process in running:
        process.join(60)

    assert [process.exitcode for process in running] == [0, 0, 0, 0]
    assert_record_is_whole(desk)
    assert_every_upload_was_answered(desk)
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Version)) == 30
    desk.database.close()


@pytest.fixture
def base(
    database: Database, tmp_path: Path, weights: Weights, embedder: HashEmbedder
) -> KnowledgeBase:
    index = ServedIndex(database, ExactIndex(), embedder.fingerprint)
    files = FileStore(tmp_path / "files")
    return KnowledgeBase(Ingestion(database, files, embedder, index, weights), embedder)


@pytest.mark.parametrize("renamed", [False, True])
def test_one_file_uploaded_by_many_at_once_is_one_document(
    base: KnowledgeBase, renamed: bool
) -> None:
    def upload(number: int) -> str:
        name = f"{number}.md" if renamed else "pump.md"
        [job_id] = sources.submit(
            base.database, base.ingestion.files, [Upload(name, name, TEXT)], "olu"
        )
        return job_id

    with ThreadPoolExecutor(COPIES) as pool:
        ids = list(pool.map(upload, range(COPIES)))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(base.work, ("one", "two", "three")))
    base.work()

    outcomes = [base.job(job_id).outcome for job_id in ids]
    others = Outcome.DUPLICATE if renamed else Outcome.UNCHANGED
    assert outcomes.count(Outcome.INDEXED) == 1
    assert outcomes.count(others) == COPIES - 1
    assert len(base.found("zebra pump")) == 1
    assert len(base.embedder.embedded) <= 3
    with base.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 1
        assert session.scalar(select(func.count()).select_from(Version)) == 1
        assert list(broken_links(session)) == []
        stored = set(session.scalars(select(Job.sha256)))
    assert [path.read_bytes() for path in map(base.ingestion.files.path, stored)] == [TEXT]
