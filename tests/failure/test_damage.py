"""Every file of the served index is damaged in turn; the record answers all the same."""

import os
import shutil
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from ingest.access import Scope
from ingest.sources import Upload, submit
from tests.failure.desks import open_desk

NAMES = [f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in "abcdefghijkl"]

pytestmark = [pytest.mark.failure, pytest.mark.timeout(180)]


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def scramble(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for place in range(0, len(data), 7):
        data[place] ^= 0xFF
    file.write_bytes(data)


DAMAGES: list[Callable[[Path], None]] = [truncate, empty, scramble, Path.unlink]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a desk whose index is whole."""
    home = tmp_path_factory.mktemp("whole") / "home"
    desk = open_desk(home)
    items = [Upload(f"{name}.md", f"{name}.md", f"All of {name}.".encode()) for name in NAMES]
    ids = submit(desk.database, desk.files, items, "olu")
    desk.worker.finish(ids, lambda _: None)
    desk.worker.reindex()
    desk.database.close()
    return home


def found(home: Path) -> None:
    """Search in a process of its own: a damaged index must not take it down."""
    desk = open_desk(home)
    for name in NAMES:
        hits = desk.retriever.search(f"All of {name}", len(NAMES), Scope.everything())
        assert f"{name}.md" in {hit.document.source for hit in hits}


def repaired(home: Path) -> None:
    desk = open_desk(home)
    found(home)
    desk.worker.reindex()
    state = desk.index.state()
    assert (state.passages, state.delta) == (len(NAMES), 0)
    found(home)


def is_done(processes: ForkServerContext, work: Callable[[Path], None], home: Path) -> bool:
    process = processes.Process(target=work, args=(home,))
    process.start()
    process.join(60)
    return process.exitcode == 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_search_goes_on_whatever_file_of_the_index_is_damaged(
    whole: Path, tmp_path: Path, processes: ForkServerContext, damage: Callable[[Path], None]
) -> None:
    files = sorted(path.relative_to(whole) for path in (whole / "index").rglob("*"))
    files = [path for path in files if (whole / path).is_file()]
    assert len(files) >= 5
    failed = []

    for number, file in enumerate(files):
        home = tmp_path / str(number)
        shutil.copytree(whole, home)
        damage(home / file)
        # The last is repaired as well, which costs seconds.
        work = repaired if number == len(files) - 1 else found
        if not is_done(processes, work, home):
            failed.append(str(file))

    assert failed == []
