"""The web app and its worker, the real processes, killed at any moment."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from app.services import Services
from app.settings import Settings
from ingest import jobs, sources
from ingest.access import Scope
from ingest.tables import (
    Document,
    Event,
    Job,
    JobState,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)
from tests.failure.wholeness import assert_record_is_whole

# Each costs the start of an app or of a worker with the real model.
KILLS = max(5, int(os.environ.get("COPILOT_TEST_KILLS", "10")) // 10)
SEED = int(os.environ.get("COPILOT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
DOCUMENTS = 200
COMMAND = [sys.executable, "-c", "from app.cli import main; main()"]
POLL_SECONDS = 0.01
ROOT = Path(__file__).resolve().parents[2]
# fmt: off
COLOURS = [
    "red", "green", "blue", "yellow", "purple", "orange", "pink", "brown", "black", "white",
    "grey", "golden", "silver",
]
THINGS = [
    "bicycle", "volcano", "piano", "submarine", "cactus", "pyramid", "lighthouse", "penguin",
    "violin", "glacier", "trumpet", "windmill", "octopus", "parachute", "waterfall", "telescope",
]
# fmt: on

pytestmark = [pytest.mark.failure, pytest.mark.timeout(120 + 30 * KILLS)]


@dataclass(frozen=True)
class Moment:
    """When to kill: some time after so many documents are stored."""

    documents: int
    seconds_after: float


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write small documents, each about a thing that no other is about."""
    folder = tmp_path_factory.mktemp("kb")
    subjects = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS][:DOCUMENTS]
    for number, subject in enumerate(subjects):
        (folder / f"{number:03}.md").write_text(
            f"# The {subject}\n\nHow to care for the {subject}: keep the {subject} dry.\n"
        )
    return folder


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Services]:
    """Return the real services of a new desk."""
    services = Services(Settings(home=tmp_path / "home"))
    assert services.database.dialect == "sqlite"
    yield services
    services.database.close()


def stored(desk: Services) -> int:
    with desk.database.read() as session:
        return session.scalar(select(func.count()).select_from(Version)) or 0


def moments(chance: random.Random) -> list[Moment]:
    """Spread the kills over the whole work, some before it begins, the last while indexing."""
    early = [Moment(0, chance.uniform(0.1, 6.0)) for _ in range(KILLS // 5)]
    late = [Moment(DOCUMENTS, chance.uniform(0.0, 1.5)) for _ in range(KILLS // 5)]
    inside = sorted(chance.sample(range(1, DOCUMENTS), KILLS - len(early) - len(late)))
    return [*early, *(Moment(count, chance.uniform(0.0, 0.5)) for count in inside), *late]


def begin_serving(desk: Services, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "serve", "--home", str(desk.home), "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def workers(desk: Services) -> list[psutil.Process]:
    """Return the worker processes of a desk, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if "worker" in line and str(desk.home) in line:
                found.append(process)
    return found


def has_stored(desk: Services, documents: int) -> bool:
    return stored(desk) >= documents or unfinished(desk) == 0


def unfinished(desk: Services) -> int:
    with desk.database.read() as session:
        return jobs.unfinished(session)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert condition()


def test_uploads_survive_kills_of_the_web_app_and_of_its_worker(
    desk: Services, folder: Path
) -> None:
    print(f"COPILOT_TEST_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sources.submit(desk.database, desk.files, sources.uploads([folder], {}), "olu")
    serving = begin_serving(desk, port)
    for moment in moments(chance):
        wait_for(lambda: bool(workers(desk)))
        wait_for(partial(has_stored, desk, moment.documents))
        time.sleep(moment.seconds_after)
        if chance.random() < 0.5:
            serving.kill()
            serving.wait()
            serving = begin_serving(desk, port)
        else:
            for worker in workers(desk):
                worker.kill()
        assert_record_is_whole(desk)

    wait_for(lambda: unfinished(desk) == 0)
    wait_for(lambda: desk.index.state().delta == 0)
    serving.terminate()
    serving.wait(20)

    wait_for(lambda: not workers(desk), seconds=20)
    assert_everything_is_there_once(desk)
    assert_everything_is_found(desk, folder)


def assert_everything_is_there_once(desk: Services) -> None:
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == DOCUMENTS
        versions = list(session.scalars(select(Version)))
        assert {(version.number, version.status) for version in versions} == {
            (1, VersionStatus.CURRENT)
        }
        assert len({version.document_id for version in versions}) == len(versions) == DOCUMENTS
        hashes = Counter(session.scalars(select(Passage.content_hash)))
        assert set(hashes.values()) == {1}
        actions = Counter(session.scalars(select(Event.action)))
        assert actions == {"document:publish": DOCUMENTS}
        assert set(session.scalars(select(Job.state))) == {JobState.DONE}
        assert set(session.scalars(select(Job.outcome))) <= {"indexed", "unchanged"}


def assert_everything_is_found(desk: Services, folder: Path) -> None:
    state = desk.index.state()
    assert (state.passages, state.delta) == (DOCUMENTS, 0)
    with desk.database.read() as session:
        passages = set(session.scalars(select(Passage.id)))
    vector = desk.query_encoder.encode("anything")
    hits = desk.index.search(vector, 2 * DOCUMENTS, list(Visibility))
    assert len(hits) == len(passages)
    assert {hit.passage_id for hit in hits} == passages
    for file in sorted(folder.iterdir()):
        subject = file.read_text().splitlines()[0].removeprefix("# ")
        found = desk.retriever.search(subject, 3, Scope.everything())
        assert file.name in [hit.document.source for hit in found], subject
    # One generation is served, and what killed builds left behind is gone.
    assert state.generation in {path.name for path in (desk.home / "index").iterdir()}
    assert len(list((desk.home / "index").iterdir())) <= 2
