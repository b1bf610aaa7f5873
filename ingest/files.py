"""Uploaded bytes, each kept once under its hash."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

WAITING_THREADS = 8


class FileStore:
    """A folder of immutable files named by SHA-256; original names never reach the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256."""
        with self.writing() as put:
            return put(data)

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], str]]:
        """Yield a function that stores bytes and returns their SHA-256; all are durable at the end.

        The disk is waited for once for all of them, as far as it can do several things at a time.
        """
        written: dict[Path, Path] = {}
        folders: set[Path] = set()

        def put(data: bytes) -> str:
            sha256 = hashlib.sha256(data).hexdigest()
            path = self.path(sha256)
            if path not in written and not path.is_file():
                written[path] = _write_beside(path, data)
            # Also a file that was there already: whoever wrote it may not have come this far.
            folders.add(path.parent)
            return sha256

        try:
            yield put
            with ThreadPoolExecutor(WAITING_THREADS) as threads:
                list(threads.map(_sync, written.values()))
                for path, temporary in written.items():
                    temporary.replace(path)
                list(threads.map(_sync, folders))
        finally:
            for temporary in written.values():
                temporary.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a file is, or would be."""
        return self._folder / sha256[:2] / sha256


def _write_beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two threads may be given the same bytes at the same moment.
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(data)
        except OSError:
            Path(file.name).unlink()
            raise
    return Path(file.name)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk; a folder is written like a file, for the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
