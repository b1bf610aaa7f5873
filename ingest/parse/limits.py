"""What one document may use up, and how a process binds itself to it."""

import ctypes
import os
import resource
import signal
import struct
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

_LAYOUT = struct.Struct("!5d")
MESSAGE_BYTES = _LAYOUT.size
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_NEW_USER_AND_NETWORK = 0x1000_0000 | 0x4000_0000  # CLONE_NEWUSER | CLONE_NEWNET of linux/sched.h


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a single document may use."""

    memory_bytes: int = 1 << 30  # beyond what the process maps before it reads the document
    cpu_seconds: int = 60
    wall_seconds: float = 90
    open_files: int = 64
    file_size_bytes: int = 0  # of files it writes; parsers write none

    def to_bytes(self) -> bytes:
        """Write as a message of `MESSAGE_BYTES`."""
        return _LAYOUT.pack(*astuple(self))

    @classmethod
    def from_bytes(cls, message: bytes) -> "Limits":
        """Read what `to_bytes` wrote."""
        memory, cpu, wall, files, size = _LAYOUT.unpack(message)
        return cls(int(memory), int(cpu), wall, int(files), int(size))


def reason_of(status: int, limits: Limits, *, was_late: bool) -> str:
    """Say in plain words why a process ended without an answer, by its wait status."""
    cause = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if was_late or cause == signal.SIGALRM:
        return wall_reason(limits)
    if cause == signal.SIGXCPU:
        return f"it took more than {_seconds(limits.cpu_seconds)} of computing"
    if cause == signal.SIGKILL:
        # Not by us: the system does this when memory runs out.
        return memory_reason(limits)
    return "the reader crashed"


def memory_reason(limits: Limits) -> str:
    """Say that the memory limit was hit."""
    gigabytes = limits.memory_bytes / (1 << 30)
    amount = f"{gigabytes:g} GB" if gigabytes >= 1 else f"{limits.memory_bytes >> 20} MB"
    return f"it needed more than {amount} of memory"


def wall_reason(limits: Limits) -> str:
    """Say that the time limit was hit."""
    return f"it took longer than {_seconds(limits.wall_seconds)}"


def _seconds(count: float) -> str:
    return "1 second" if count == 1 else f"{count:g} seconds"


def bind(limits: Limits) -> None:
    """Bind the calling process to limits, for good."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, limits.file_size_bytes)
    _set(resource.RLIMIT_NOFILE, limits.open_files)
    # The soft limit's signal ends the process and tells why; the hard one would only kill it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 2))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    if sys.platform == "linux":
        _set(resource.RLIMIT_AS, _mapped_bytes() + limits.memory_bytes)


def die_with_parent(parent_id: int) -> None:
    """Have the kernel kill the calling process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent_id:
            os.kill(os.getpid(), signal.SIGKILL)


def leave_network() -> None:
    """Give up the network where the system allows it; elsewhere parsers merely do not use it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_NEW_USER_AND_NETWORK)


def _set(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _mapped_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()
