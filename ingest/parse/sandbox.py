"""Parses each document in a process of its own, so that none can take the caller down."""

import atexit
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from ingest.errors import IngestError, PoisonDocumentError, SourceNotFoundError
from ingest.parse import outcome
from ingest.parse.fork_server import ENDING, memory_reason
from ingest.parse.limits import Limits
from ingest.parse.parsed import ParsedDocument

__all__ = ["Limits", "parse_file", "stop"]

_DEFAULT_LIMITS = Limits()
_MAX_MESSAGE_BYTES = 256_000_000
_STEP_BYTES = 1 << 20
_GRACE_SECONDS = 20  # for a server that is starting
_NOT_STARTED = "The process that reads documents cannot be started; is the installation complete?"
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


def parse_file(path: Path, name: str, limits: Limits = _DEFAULT_LIMITS) -> ParsedDocument:
    """Parse a file in a child process; `name` is what its owner called it.

    Raises:
        IngestError: It cannot be read; the subclass says why. PoisonDocumentError if it ran into
            a limit or crashed its parser.
        ChildProcessError: No child could be started; the document is not at fault.
    """
    try:
        document = path.open("rb")
    except OSError as error:
        raise SourceNotFoundError(path=str(path)) from error
    with document:
        result = _run_on_living_server(document.fileno(), name, limits)
    if isinstance(result, IngestError):
        raise result
    return result


def stop() -> None:
    """End the server; the next call starts another. Processes need not call this when they end."""
    _keeper.stop()


def _run_on_living_server(document: int, name: str, limits: Limits) -> outcome.Outcome:
    try:
        # Once more, because a server that was killed takes its children along.
        result = _run(document, name, limits) or _run(document, name, limits)
    except OSError as error:
        raise ChildProcessError(_NOT_STARTED) from error
    if result is None:
        raise ChildProcessError(_NOT_STARTED)
    return result


def _run(document: int, name: str, limits: Limits) -> outcome.Outcome | None:
    """Return what a child made of a document; None if the server died, which is not its fault."""
    job, job_of_child = socket.socketpair()
    ending, ending_of_server = os.pipe()
    with job, os.fdopen(ending, "rb", buffering=0) as ending_file:
        try:
            descriptors = [document, job_of_child.fileno(), ending_of_server]
            _keeper.submit(limits.to_bytes(), descriptors)
        finally:
            job_of_child.close()
            os.close(ending_of_server)
        job.settimeout(limits.wall_seconds + _GRACE_SECONDS)
        message = _exchange(job, name)
        if message is None:
            # Neither the child's alarm nor the server ended it: the server itself hangs.
            stop()
            return PoisonDocumentError(title=name, reason=_wall_reason(limits))
        job.close()
        try:
            return outcome.decode(message)
        except ValueError:
            report = ending_file.read(ENDING.size)
            if len(report) < ENDING.size:
                return None
            return PoisonDocumentError(title=name, reason=_reason(report, limits))


def _exchange(job: socket.socket, name: str) -> bytes | None:
    """Send the name and collect the answer, empty from a child that died; None: no end in sight."""
    received = bytearray()
    try:
        job.sendall(name.encode("utf-8", "replace"))
        job.shutdown(socket.SHUT_WR)
        while len(received) <= _MAX_MESSAGE_BYTES and (step := job.recv(_STEP_BYTES)):
            received += step
    except TimeoutError:
        return None
    except OSError:
        return b""
    return bytes(received)


def _reason(report: bytes, limits: Limits) -> str:
    """Say in plain words why a child ended without an answer."""
    status, was_late = ENDING.unpack(report)
    cause = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if was_late or cause == signal.SIGALRM:
        return _wall_reason(limits)
    if cause == signal.SIGXCPU:
        return f"it took more than {_seconds(limits.cpu_seconds)} of computing"
    if cause == signal.SIGKILL:
        # Not by us: the system does this when memory runs out.
        return memory_reason(limits)
    return "the reader crashed"


def _wall_reason(limits: Limits) -> str:
    return f"it took longer than {_seconds(limits.wall_seconds)}"


def _seconds(count: float) -> str:
    return "1 second" if count == 1 else f"{count:g} seconds"


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
    # One arena: every further one would take 64 MB of address space.
    return {**kept, "PYTHONPATH": root, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
