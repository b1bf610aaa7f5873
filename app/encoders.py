"""Which encoder serves: the desk's configured one, or what was trained from it.

A trained encoder is a folder under the name of its fingerprint. One small file names the one that
serves and the one before it; replacing that file is the switch, and running processes notice it.
"""

import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.weights import Weights

if TYPE_CHECKING:
    from app.services import Services

logger = logging.getLogger(__name__)

FOLDER = "encoders"
POINTER = "serving"
UNFINISHED = "unfinished-"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Fingerprints: of the base that all were trained from, of what serves, and served before."""

    base: str
    serving: str
    previous: str | None = None


class Encoders:
    """The encoders of one desk; `weights` stay what they were when first asked for."""

    def __init__(self, folder: Path, base: Weights) -> None:
        self._folder = folder
        self.base = base

    @cached_property
    def weights(self) -> Weights:
        """Return the encoder that serves; the configured one where a trained one is damaged."""
        return self.find(self._begun.serving) or self.base

    @property
    def has_switched(self) -> bool:
        """Tell whether another encoder serves by now than this process works with."""
        return self.pointer() != self._begun

    def pointer(self) -> Pointer:
        """Read what serves; without a word about this base, the base does."""
        base = self.base.fingerprint
        try:
            found = Pointer(**json.loads((self._folder / POINTER).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Pointer(base, base)
        except (OSError, ValueError, TypeError):
            logger.warning("%s cannot be read: the configured encoder serves.", POINTER)
            return Pointer(base, base)
        return found if found.base == base else Pointer(base, base)

    def find(self, fingerprint: str) -> Weights | None:
        """Return the encoder of a fingerprint; None if it is gone or not as it was trained."""
        if fingerprint == self.base.fingerprint:
            return self.base
        if self._is_whole(fingerprint):
            return Weights(str(self._path(fingerprint)))
        logger.warning("The encoder %s is damaged or gone.", fingerprint)
        return None

    @property
    def name(self) -> str:
        """Return the name of the base, which what is trained from it carries on."""
        return Path(self.base.name).name

    @contextmanager
    def making(self) -> Iterator[Path]:
        """Yield where to write a new encoder; what is not kept by the end is removed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=self._folder) as folder:
            yield Path(folder) / self.name

    def keep(self, folder: Path) -> Weights:
        """Take a written encoder in under its fingerprint, durably."""
        fingerprint = Weights(str(folder)).fingerprint
        kept = self._path(fingerprint)
        # The same training gives the same weights: they may serve already.
        if not self._is_whole(fingerprint):
            shutil.rmtree(kept.parent, ignore_errors=True)
            kept.parent.mkdir()
            for path in [*folder.rglob("*"), folder]:
                _sync(path)
            folder.replace(kept)
            _sync(kept.parent)
            _sync(self._folder)
        return Weights(str(kept))

    def switch(self, fingerprint: str) -> None:
        """Let another encoder serve from now on; the present one stays to go back to."""
        pointer = Pointer(self.base.fingerprint, fingerprint, self.pointer().serving)
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._folder / f"{POINTER}.new"
        beside.write_text(json.dumps(asdict(pointer)), encoding="utf-8")
        _sync(beside)
        beside.replace(self._folder / POINTER)
        _sync(self._folder)

    def leftovers(self) -> list[str]:
        """Name what neither serves nor served before: refused, replaced, or cut off by a kill."""
        pointer = self.pointer()
        kept = {pointer.serving, pointer.previous}
        return [path.name for path in self._folder.glob("*/") if path.name not in kept]

    def remove(self, name: str) -> None:
        """Delete the folder of an encoder."""
        shutil.rmtree(self._folder / name)

    def _path(self, fingerprint: str) -> Path:
        return self._folder / fingerprint / self.name

    def _is_whole(self, fingerprint: str) -> bool:
        """Tell whether an encoder's weights have the hash that its folder is named by."""
        path = self._path(fingerprint)
        return path.is_dir() and Weights(str(path)).fingerprint == fingerprint

    @cached_property
    def _begun(self) -> Pointer:
        return self.pointer()


class UntilSwitched(threading.Event):
    """Tells a worker to stop where `stop` does, and once another encoder serves."""

    def __init__(self, stop: threading.Event, encoders: Encoders) -> None:
        super().__init__()
        self._stop = stop
        self._encoders = encoders

    def is_set(self) -> bool:
        """Tell whether to stop."""
        return self._stop.is_set() or self._encoders.has_switched

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for `stop`, which a switch need not interrupt."""
        return self._stop.wait(timeout)


def of(services: "Services") -> Encoders:
    """Return the encoders of a desk."""
    return Encoders(services.home / FOLDER, Weights(services.settings.embedding_model))


def over(services: "Services", weights: Weights) -> "Services":
    """Return services of the same desk and record that work with another encoder."""
    other = type(services)(services.settings)
    # Cached properties: what is here already is not built.
    vars(other).update(database=services.database, weights=weights)
    return other


def renewed(services: "Services", encoders: Encoders) -> "Services":
    """Return the services, or new ones once another encoder serves than `encoders` began with."""
    if not encoders.has_switched:
        return services
    fresh = of(services)
    other = over(services, fresh.weights)
    vars(other)["encoders"] = fresh
    return other


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
