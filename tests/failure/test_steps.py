"""Killed right before and right after every step of a document's way, and started again."""

import shutil
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.access import Scope
from ingest.tables import Document, Finding, Version, VersionStatus
from tests.failure.desks import Death, open_desk, take_in_all_the_way
from tests.failure.wholeness import (
    assert_every_upload_was_answered,
    assert_index_is_whole,
    assert_record_is_whole,
)

pytestmark = [pytest.mark.failure, pytest.mark.timeout(180)]

MAX_RECOVERY_SECONDS = 60
STEPS = {
    "file stored": "ingest.files:_write_beside",
    "file name made lasting": "ingest.files:_sync",
    "jobs inserted, not yet committed": "ingest.sources:end_if_unchanged",
    "jobs committed": "ingest.sources:submit",
    "job claimed": "ingest.jobs:claim",
    "parsed": "ingest.pipeline:parse_file",
    "chunked": "ingest.pipeline:chunk",
    "embedded": "ingest.vectors:encode",
    "version stored, not yet committed": "ingest.store:add_version",
    "version committed": "app.worker:store_documents",
    "generation built": "ingest.index.chroma:ChromaIndex.build",
    "generation probed": "ingest.index.chroma:ChromaIndex.probe",
    "generation published": "ingest.index.served:ServedIndex._publish",
    "old generation dropped": "ingest.index.chroma:ChromaIndex.drop",
    "findings written, not yet committed": "ingest.comparison:_take",
    "findings written": "ingest.comparison:_compare_versions",
}
PUMP = (
    "# The {name}\n\nThe tank of the {name} holds 1.8 litres. Fill it with cold water and close "
    "the lid. Press the button for {seconds} seconds and wait until the lamp is green. Rinse the "
    "brew group twice, empty the tray and put the {name} on a level table near a socket.\n"
)
FIRST = {
    "pump.md": PUMP.format(name="pump", seconds=10),
    "hose.html": "<!doctype html><title>Hose</title><p>The hose of the zebra is long.</p>",
    "list.csv": "part,price\nvalve,12\nlamp,7\n",
}
THEN = {
    **FIRST,
    "hose.html": "<!doctype html><title>Hose</title><p>The hose of the otter is short.</p>",
    "pump two.md": PUMP.format(name="pump", seconds=30),
    "notes.txt": "Ask the heron about the warranty.\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def run(
    processes: ForkServerContext, home: Path, folder: Path, death: Death | None = None
) -> int | None:
    process = processes.Process(target=take_in_all_the_way, args=(home, folder, death))
    process.start()
    process.join(MAX_RECOVERY_SECONDS)
    assert not process.is_alive()
    return process.exitcode


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory, processes: ForkServerContext) -> Path:
    """Return a desk whose index was built twice, so that the next build drops a generation."""
    place = tmp_path_factory.mktemp("first")
    write(place / "kb", FIRST)
    assert [run(processes, place / "home", place / "kb") for _ in range(2)] == [0, 0]
    return place / "home"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_a_kill_cuts_off_is_done_by_the_next_life(
    first_home: Path, tmp_path: Path, processes: ForkServerContext, step: str, when: str
) -> None:
    home, folder = tmp_path / "home", tmp_path / "kb"
    shutil.copytree(first_home, home)
    write(folder, THEN)

    killed = run(processes, home, folder, Death(STEPS[step], when))
    desk = open_desk(home)
    assert_record_is_whole(desk)
    for subject in ("zebra otter hose", "valve price"):
        assert desk.retriever.search(subject, 3, Scope.everything())
    begun = time.monotonic()
    again = run(processes, home, folder)

    assert (killed, again) == (-9, 0)
    assert time.monotonic() - begun < MAX_RECOVERY_SECONDS
    assert_record_is_whole(desk)
    assert_every_upload_was_answered(desk)
    assert_index_is_whole(desk)
    assert desk.index.state().delta == 0
    with desk.database.read() as session:
        current = select(Document.source, Version.number).join(Version)
        rows = session.execute(current.where(Version.status == VersionStatus.CURRENT)).all()
        findings = session.scalars(select(Finding.kind)).all()
    assert dict(rows) == {**dict.fromkeys(THEN, 1), "hose.html": 2}
    assert sorted(findings) == ["near_duplicate", "number_conflict"]
    for source, question in {
        "hose.html": "hose of the otter",
        "notes.txt": "heron warranty",
        "list.csv": "valve 12",
    }.items():
        assert desk.retriever.search(question, 1, Scope.everything())[0].document.source == source
    desk.database.close()
