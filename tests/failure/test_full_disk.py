"""A disk without room: nothing is damaged, and with room again everything is done."""

import contextlib
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import text

from app.services import Services
from ingest.access import Scope
from ingest.files import FileStore
from ingest.jobs import unfinished
from ingest.sources import submit, uploads
from tests.failure.desks import open_desk, take_in
from tests.failure.wholeness import assert_every_upload_was_answered, assert_record_is_whole

DISK_MEGABYTES = 24
ROOM_LEFT = 100_000
ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.failure, pytest.mark.timeout(180)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of few megabytes, where that is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of documents that have no room on the disk together."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for number in range(30):
        words = " ".join(f"word{number}x{place}" for place in range(20_000))
        (folder / f"{number:02}.md").write_text(f"# Subject {number}\n\n{words}\n")
    return folder


def fill(disk: Path) -> Path:
    """Leave next to no room, and return the file whose removal makes room again."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(max(0, free - ROOM_LEFT)))
    return filler


def live(processes: ForkServerContext, home: Path, folder: Path) -> int | None:
    process = processes.Process(target=take_in, args=(home, folder))
    process.start()
    process.join(100)
    assert not process.is_alive()
    return process.exitcode


def write_first(tmp_path: Path) -> Path:
    first = tmp_path / "first"
    first.mkdir()
    (first / "pump.md").write_text("# Pump\n\nThe zebra pump is loud.\n")
    return first


def is_sound(desk: Services) -> bool:
    with desk.database.read() as session:
        return bool(session.scalar(text("PRAGMA integrity_check")) == "ok")


def test_a_full_disk_damages_nothing_and_everything_is_done_when_there_is_room_again(
    small_disk: Path, tmp_path: Path, folder: Path, processes: ForkServerContext
) -> None:
    home = small_disk / "home"
    assert live(processes, home, write_first(tmp_path)) == 0
    desk = open_desk(home)
    # Acknowledged while there was room for the files, but not for what comes of them.
    some = sorted(folder.iterdir())[:4]
    submit(desk.database, desk.files, uploads(some, {}), "olu")
    filler = fill(small_disk)

    lives = [live(processes, home, folder) for _ in range(2)]

    assert 0 not in lives
    assert is_sound(desk)
    assert_record_is_whole(desk)
    assert desk.retriever.search("zebra pump", 1, Scope.everything())
    filler.unlink()
    for path in sorted(folder.iterdir())[8:]:
        path.unlink()
    assert live(processes, home, folder) == 0
    assert is_sound(desk)
    assert_record_is_whole(desk)
    assert_every_upload_was_answered(desk)
    with desk.database.read() as session:
        assert unfinished(session) == 0
    for number in range(8):
        hits = desk.retriever.search(f"Subject {number}", 10, Scope.everything())
        assert hits
    desk.database.close()


def test_the_command_says_that_the_disk_is_full(small_disk: Path, folder: Path) -> None:
    home = small_disk / "home"
    open_desk(home).database.close()
    fill(small_disk)

    command = [sys.executable, "-c", "from app.cli import main; main()", "ingest", str(folder)]
    done = subprocess.run(
        [*command, "--home", str(home)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "disk" in done.stderr
    assert "not foreseen" not in done.stderr


def take_in_with_little_room(home: Path, folder: Path, file_bytes: int) -> None:
    """Take in a folder where no file may become longer than so many bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    with contextlib.suppress(Exception):
        take_in(home, folder)


@pytest.mark.parametrize("file_bytes", [50_000, 400_000, 1_000_000, 3_000_000, 8_000_000])
def test_a_write_that_fails_at_any_size_damages_nothing(
    tmp_path: Path, folder: Path, processes: ForkServerContext, file_bytes: int
) -> None:
    home = tmp_path / "home"
    for path in sorted(folder.iterdir())[12:]:
        path.unlink()
    assert live(processes, home, write_first(tmp_path)) == 0
    desk = open_desk(home)

    process = processes.Process(target=take_in_with_little_room, args=(home, folder, file_bytes))
    process.start()
    process.join(20)
    process.kill()
    process.join()
    assert is_sound(desk)
    assert_record_is_whole(desk)
    recovered = live(processes, home, folder)

    assert recovered == 0
    assert is_sound(desk)
    assert_record_is_whole(desk)
    assert_every_upload_was_answered(desk)
    desk.database.close()


def test_nothing_stays_behind_of_a_file_that_had_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = FileStore(tmp_path / "files")
    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space"), files.writing() as put:
        put(b"some bytes")

    left = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert left == []
