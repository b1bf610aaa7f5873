"""Has one document worked on by children of the fork server, and watches over them."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from ingest.errors import IngestError, PoisonDocumentError
from ingest.parse import limits as limits_of
from ingest.parse.limits import Limits
from ingest.parse.outcome import Outcome, decode, encode
from ingest.parse.wire import ENDING, Frame, Inbox, Kind, Request

Watch = Callable[[int, int], None]
"""Hears how many pages are done, and of how many; (0, 0) while that is not known."""

_BEAT_SECONDS = 0.25
_STEP_BYTES = 1 << 20
_GRACE_SECONDS = 20  # for a server that is starting
_NO_ANSWER = "its reader sent what is no answer"
_NOT_STARTED = "The process that reads documents cannot be started; is the installation complete?"


class Server(Protocol):
    """The caller's side of the fork server."""

    def submit(self, message: bytes, descriptors: list[int]) -> None:
        """Hand a job over."""

    def stop(self) -> None:
        """End the server and with it all of its children."""


@dataclass(slots=True)
class Children:
    """The children that work on one document, one after the other."""

    server: Server
    document: int  # descriptor
    limits: Limits
    watch: Watch | None = None
    _next_beat: float = field(default=0.0, init=False)

    def ask(self, request: Request, done: int = 0, in_all: int = 0) -> Inbox:
        """Let a child answer a request; `done` pages of `in_all` were done before.

        Returns:
            What it sent; the last frame is an error where it ran into a limit or crashed.

        Raises:
            ChildProcessError: No child could be started.
        """
        # Once more, because a server that was killed takes its children along.
        for _ in range(2):
            inbox = self._ask_once(request, done, in_all)
            if inbox is not None:
                return inbox
        raise ChildProcessError(_NOT_STARTED)

    def outcome(self, request: Request, done: int = 0, in_all: int = 0) -> Outcome:
        """Let a child parse the document, as `ask` does."""
        return _outcome_of(self.ask(request, done, in_all), request.name)

    def _ask_once(self, request: Request, done: int, in_all: int) -> Inbox | None:
        """Return None if the server died, which is not the document's fault."""
        job, job_of_child = socket.socketpair()
        ending, ending_of_server = socket.socketpair()
        inbox = Inbox()
        with job, ending:
            try:
                with job_of_child, ending_of_server:
                    self._submit([self.document, job_of_child.fileno(), ending_of_server.fileno()])
                is_ended = _send(job, request) and self._collect(job, inbox, done, in_all)
                reason = self._failure(inbox, ending) if is_ended else self._hung()
            finally:
                # Tells the server of a caller who gives up; it kills the child.
                with suppress(OSError):
                    ending.shutdown(socket.SHUT_RDWR)
        if reason:
            error = PoisonDocumentError(title=request.name, reason=reason)
            inbox.frames.append(Frame(Kind.OUTCOME, encode(error)))
        return inbox if inbox.last else None

    def _submit(self, descriptors: list[int]) -> None:
        try:
            self.server.submit(self.limits.to_bytes(), descriptors)
        except OSError as error:
            raise ChildProcessError(_NOT_STARTED) from error

    def _collect(self, job: socket.socket, inbox: Inbox, done: int, in_all: int) -> bool:
        """Take what a child sends; tell whether it came to an end."""
        deadline = time.monotonic() + self.limits.wall_seconds + _GRACE_SECONDS
        job.settimeout(_BEAT_SECONDS)
        while time.monotonic() < deadline:
            if self.watch and time.monotonic() >= self._next_beat:
                self._next_beat = time.monotonic() + _BEAT_SECONDS
                self.watch(done + len(inbox.pages), in_all)
            if not _receive(job, inbox):
                return True
        return False

    def _failure(self, inbox: Inbox, ending: socket.socket) -> str | None:
        """Say why a child ended without an answer; None: it gave one, or the server died."""
        if inbox.last:
            return None
        ending.settimeout(_GRACE_SECONDS)
        try:
            report = ending.recv(ENDING.size)
        except OSError:
            return None
        if len(report) < ENDING.size:
            return None
        status, was_late = ENDING.unpack(report)
        return limits_of.reason_of(status, self.limits, was_late=was_late)

    def _hung(self) -> str:
        """Stop a server that neither answers nor ends a child that is late."""
        self.server.stop()
        return limits_of.wall_reason(self.limits)


def refusal_of(inbox: Inbox, name: str) -> IngestError:
    """Return the error that a child sent in place of what it was asked for."""
    result = _outcome_of(inbox, name)
    if isinstance(result, IngestError):
        return result
    return PoisonDocumentError(title=name, reason=_NO_ANSWER)


def _outcome_of(inbox: Inbox, name: str) -> Outcome:
    try:
        return decode(inbox.last.content if inbox.last else b"")
    except ValueError:
        return PoisonDocumentError(title=name, reason=_NO_ANSWER)


def _send(job: socket.socket, request: Request) -> bool:
    """Send a request; a child that died before is found out by what it sends."""
    job.settimeout(_GRACE_SECONDS)
    try:
        job.sendall(request.to_bytes())
        job.shutdown(socket.SHUT_WR)
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def _receive(job: socket.socket, inbox: Inbox) -> bool:
    """Take a step; tell whether more may come."""
    try:
        return inbox.take(job.recv(_STEP_BYTES))
    except TimeoutError:
        return True
    except OSError:
        return False
