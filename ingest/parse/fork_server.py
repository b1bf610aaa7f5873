"""A small process with the parsers loaded that forks a child for every document.

`multiprocessing` has a fork server too; its children import the caller's `__main__` again, inherit
its environment with all secrets, and do not say which limit ended them.
"""

import gc
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from ingest.errors import CorruptDocumentError, IngestError, PoisonDocumentError
from ingest.parse import limits as limits_of
from ingest.parse import outcome, registry
from ingest.parse.answers import answer
from ingest.parse.limits import Limits
from ingest.parse.wire import ENDING, Frame, Kind, Request

_DESCRIPTORS = 3
_OBJECTS_BEFORE_COLLECTION = 100_000
_STEP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Child:
    deadline: float
    ending: socket.socket  # where its end is reported; closed by a caller who gives up
    is_given_up: bool = False


class ForkServer:
    """Serves one caller, over a socket; ends when the caller does."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._late: set[int] = set()
        self._wake_up, self._wakes = os.pipe()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Fork children until the caller closes the socket or dies."""
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wake_up, selectors.EVENT_READ)
        while True:
            keys = [key for key, _ in self._selector.select(self._patience())]
            ready = {key.fd for key in keys}
            if self._wake_up in ready:
                os.read(self._wake_up, 4096)
            self._kill_given_up({key.data for key in keys if key.data is not None})
            self._reap()
            self._kill_late()
            if self._control.fileno() in ready and not self._accept():
                break
        for process_id in self._children:
            _kill(process_id)

    def _patience(self) -> float | None:
        deadlines = [child.deadline for child in self._children.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(
            self._control, limits_of.MESSAGE_BYTES, _DESCRIPTORS
        )
        if len(message) < limits_of.MESSAGE_BYTES or len(descriptors) < _DESCRIPTORS:
            return False
        document, job, ending = descriptors
        limits = Limits.from_bytes(message)
        server_id = os.getpid()
        process_id = os.fork()
        if process_id == 0:
            os.close(ending)
            self._become_child(server_id)
            _serve_job(document, job, limits)
        os.close(document)
        os.close(job)
        # The child's own alarm is due first and says more; this is for one that masks it.
        deadline = time.monotonic() + limits.wall_seconds + 1
        child = self._children[process_id] = _Child(deadline, socket.socket(fileno=ending))
        self._selector.register(child.ending, selectors.EVENT_READ, process_id)
        return True

    def _become_child(self, server_id: int) -> None:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limits_of.die_with_parent(server_id)
        self._control.close()
        self._selector.close()
        os.close(self._wake_up)
        os.close(self._wakes)
        for child in self._children.values():
            child.ending.close()

    def _reap(self) -> None:
        while self._children:
            process_id, status = os.waitpid(-1, os.WNOHANG)
            if process_id == 0:
                return
            child = self._children.pop(process_id)
            if not child.is_given_up:
                self._selector.unregister(child.ending)
            with child.ending, suppress(OSError):  # the caller may be gone
                child.ending.send(ENDING.pack(status, process_id in self._late))
            self._late.discard(process_id)

    def _kill_given_up(self, process_ids: set[int]) -> None:
        for process_id in process_ids:
            child = self._children[process_id]
            self._selector.unregister(child.ending)
            self._children[process_id] = replace(child, is_given_up=True)
            _kill(process_id)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for process_id, child in self._children.items():
            if child.deadline <= now and process_id not in self._late:
                self._late.add(process_id)
                _kill(process_id)


def _kill(process_id: int) -> None:
    """Kill a child with all of its process group; ours alone to reap, so the id is still its."""
    try:
        os.killpg(process_id, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process_id, signal.SIGKILL)


def _serve_job(document: int, job: int, limits: Limits) -> None:
    """Do what is asked with a document, send what comes of it and end the process."""
    try:
        with socket.socket(fileno=job) as connection, os.fdopen(document, "rb") as file:
            request = Request.from_bytes(_receive(connection))
            limits_of.bind(limits)
            for frame in _frames(file, request, limits):
                connection.sendall(frame.to_bytes())
    finally:
        os._exit(0)


def _receive(connection: socket.socket) -> bytes:
    received = bytearray()
    while step := connection.recv(_STEP_BYTES):
        received += step
    return bytes(received)


def _frames(file: BinaryIO, request: Request, limits: Limits) -> Iterator[Frame]:
    try:
        file.seek(0)
        yield from answer(file.read(registry.MAX_FILE_BYTES + 1), request, limits)
    except IngestError as error:
        yield _refusal(error)
    except MemoryError:
        reason = limits_of.memory_reason(limits)
        yield _refusal(PoisonDocumentError(title=request.name, reason=reason))
    except RecursionError:
        yield _refusal(PoisonDocumentError(title=request.name, reason="it is nested too deeply"))
    except Exception:  # noqa: BLE001 (whatever a parser raises, the parent must hear of it)
        reason = "its content could not be understood"
        yield _refusal(CorruptDocumentError(title=request.name, reason=reason))


def _refusal(error: IngestError) -> Frame:
    return Frame(Kind.OUTCOME, outcome.encode(error))


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    logging.disable(logging.CRITICAL)
    registry.known()
    limits_of.leave_network()
    gc.freeze()
    # Documents are many small values without cycles; looking for some takes a tenth of the time.
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    ForkServer(control).serve()


if __name__ == "__main__":
    main()
