"""Uploaded bytes, each kept once under its hash."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


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

        A folder is written to disk once for all of its new names.
        """
        folders: set[Path] = set()

        def put(data: bytes) -> str:
            sha256 = hashlib.sha256(data).hexdigest()
            path = self.path(sha256)
            if not path.is_file():
                _write(path, data)
            # Also a file that was there already: whoever wrote it may not have come this far.
            folders.add(path.parent)
            return sha256

        yield put
        for folder in folders:
            _sync(folder)

    def path(self, sha256: str) -> Path:
        """Return where a file is, or would be."""
        return self._folder / sha256[:2] / sha256


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two threads may be given the same bytes at the same moment.
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _sync(folder: Path) -> None:
    """Make names survive a power cut too: a folder is written like a file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
