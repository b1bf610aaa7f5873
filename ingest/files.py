"""Uploaded bytes, each kept once under its hash."""

import hashlib
import os
import tempfile
from pathlib import Path


class FileStore:
    """A folder of immutable files named by SHA-256; original names never reach the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if path.is_file():
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: two threads may be given the same bytes at the same moment.
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        # The name must survive a power cut too: a folder is written like a file.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return sha256

    def path(self, sha256: str) -> Path:
        """Return where a file is, or would be."""
        return self._folder / sha256[:2] / sha256
