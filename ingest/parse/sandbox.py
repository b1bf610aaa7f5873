"""Parses each document in a process of its own, so that none can take the caller down."""

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from ingest.errors import IngestError, SourceNotFoundError
from ingest.parse import scans
from ingest.parse.children import Children, Watch, refusal_of
from ingest.parse.limits import Limits
from ingest.parse.parsed import ParsedDocument
from ingest.parse.wire import Kind, Request, Task
from ingest.places import Box

__all__ = ["Limits", "parse_file", "render_page", "stop"]

_DEFAULT_LIMITS = Limits()
_DRAWING_LIMITS = Limits(cpu_seconds=10, wall_seconds=20)  # somebody waits for the picture
_GRACE_SECONDS = 20  # for a server that is starting
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")


@dataclass(frozen=True, slots=True)
class _Server:
    process: subprocess.Popen[bytes]
    control: socket.socket
    caller_id: int

    @property
    def is_usable(self) -> bool:
        # A process forked from the caller must not share the caller's server.
        return self.caller_id == os.getpid() and self.process.poll() is None

    def stop(self) -> None:
        self.control.close()
        if self.caller_id == os.getpid():
            self.process.kill()
            self.process.wait()


class _Keeper:
    """Starts the server when it is first needed, and again should it have died."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: _Server | None = None

    def submit(self, message: bytes, descriptors: list[int]) -> None:
        """Hand a job over; from any thread."""
        with self._lock:
            try:
                self._send(message, descriptors)
            except OSError:
                self._discard()
                self._send(message, descriptors)

    def stop(self) -> None:
        """End the server and with it all of its children."""
        with self._lock:
            self._discard()

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        socket.send_fds(self._running().control, [message], descriptors)

    def _running(self) -> _Server:
        if self._server is None or not self._server.is_usable:
            self._discard()
            self._server = _start()
            atexit.unregister(self.stop)
            atexit.register(self.stop)
        return self._server

    def _discard(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


_keeper = _Keeper()


def parse_file(
    path: Path, name: str, limits: Limits = _DEFAULT_LIMITS, watch: Watch | None = None
) -> ParsedDocument:
    """Parse a file in child processes; `name` is what its owner called it.

    Scanned pages are recognised where the optional engine for it is installed. `watch` is called
    at least every half second with the number of pages done and of all, (0, 0) while that is not
    known. What it raises ends the work at once and goes through to the caller.

    Raises:
        IngestError: It cannot be read; the subclass says why. PoisonDocumentError if it ran into
            a limit or crashed its parser.
        ChildProcessError: No child could be started; the document is not at fault.
    """
    with _opened(path) as document:
        children = Children(_keeper, document.fileno(), limits, watch)
        result = children.outcome(Request(name))
        wanted = scans.unread_pages(result)
        if wanted and scans.can_be_read():
            result = scans.parse_with_scans(children, name, result, wanted)
    if isinstance(result, IngestError):
        raise result
    return result


def render_page(
    path: Path,
    name: str,
    number: int,
    boxes: Sequence[Box],
    width_pixels: int,
    limits: Limits = _DRAWING_LIMITS,
) -> bytes:
    """Draw a page of a PDF as a PNG file, with boxes highlighted, of four million pixels at most.

    Raises:
        IngestError: It cannot be shown; CorruptDocumentError if it has no such page.
        ChildProcessError: No child could be started; the document is not at fault.
    """
    sides = tuple(astuple(box) for box in boxes)
    request = Request(name, Task.DRAW, (number,), boxes=sides, width_pixels=width_pixels)
    with _opened(path) as document:
        inbox = Children(_keeper, document.fileno(), limits).ask(request)
    if inbox.last and inbox.last.kind == Kind.PICTURE:
        return inbox.last.content
    raise refusal_of(inbox, name)


def stop() -> None:
    """End the server; the next call starts another. Processes need not call this when they end."""
    _keeper.stop()


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceNotFoundError(path=str(path)) from error


def _start() -> _Server:
    ours, theirs = socket.socketpair()
    ours.settimeout(_GRACE_SECONDS)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-P", "-m", "ingest.parse.fork_server", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=_environment(),
            start_new_session=True,
        )
    return _Server(process, ours, os.getpid())


def _environment() -> dict[str, str]:
    """Keep what Python needs to start; keys and passwords stay here."""
    kept = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    # One arena: every further one would take 64 MB of address space, as threads would theirs.
    return {**kept, "PYTHONPATH": root, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", **_ONE_THREAD}
