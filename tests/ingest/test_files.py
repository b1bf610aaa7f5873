import hashlib
import threading
from pathlib import Path

import pytest

from ingest.files import FileStore


def test_bytes_come_back_under_their_hash(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")

    sha256 = store.put(b"descale monthly")

    assert sha256 == hashlib.sha256(b"descale monthly").hexdigest()
    assert store.path(sha256).read_bytes() == b"descale monthly"
    assert store.path(sha256) == tmp_path / "files" / sha256[:2] / sha256


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    first = store.put(b"same")
    written = store.path(first).stat().st_mtime_ns
    second = store.put(b"same")

    assert first == second
    assert store.path(first).stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [first]


def test_a_write_that_was_cut_off_is_not_taken_for_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.files.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.put(b"long text")

    sha256 = hashlib.sha256(b"long text").hexdigest()
    assert not store.path(sha256).exists()
    assert store.put(b"long text") == sha256
    assert store.path(sha256).read_bytes() == b"long text"


def test_threads_may_store_the_same_bytes_at_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    data = b"x" * 1_000_000
    together = threading.Barrier(8)
    stored: list[str] = []

    def put() -> None:
        together.wait()
        stored.append(store.put(data))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stored == [hashlib.sha256(data).hexdigest()] * 8
    assert store.path(stored[0]).read_bytes() == data
