"""What passes between a caller and the child that works for it.

The caller sends one request; the child sends frames, each of a kind, the last of which ends it.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

# A word and its (left, top, right, bottom) in shares of its page, held upright.
ScannedWord = tuple[str, float, float, float, float]

# Sent by the server when a child has ended: its wait status, and whether it was killed as too late.
ENDING = struct.Struct("!i?")

_HEAD = struct.Struct("!cI")
_MAX_BYTES = 256_000_000


class Task(StrEnum):
    """What a child shall do with a document."""

    PARSE = "parse"
    RECOGNISE = "recognise"
    DRAW = "draw"


class Kind:
    """What a frame holds."""

    PAGE = b"p"  # a recognised page: its number and its lines
    DONE = b"d"  # nothing: there are no more pages
    OUTCOME = b"o"  # a document or an error
    PICTURE = b"i"  # a PNG file


_LAST = (Kind.DONE, Kind.OUTCOME, Kind.PICTURE)


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """The lines of words that were recognised on the picture of a page."""

    lines: list[list[ScannedWord]]
    turns: int = 0  # to the left by quarters, that make the shown page upright


@dataclass(frozen=True, slots=True)
class Request:
    """A task and what it needs; pages count from 1."""

    name: str  # of the document, as its owner calls it
    task: Task = Task.PARSE
    pages: tuple[int, ...] = ()  # to recognise, or the one to draw
    scans: Mapping[int, ScannedPage] = field(default_factory=dict)  # to parse with
    boxes: tuple[tuple[float, ...], ...] = ()  # to highlight
    width_pixels: int = 0

    def to_bytes(self) -> bytes:
        """Write as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "replace")

    @classmethod
    def from_bytes(cls, message: bytes) -> "Request":
        """Read what `to_bytes` wrote."""
        content = json.loads(message)
        return cls(
            name=content["name"],
            task=Task(content["task"]),
            pages=tuple(content["pages"]),
            scans={int(page): _scan(**scan) for page, scan in content["scans"].items()},
            boxes=tuple(map(tuple, content["boxes"])),
            width_pixels=content["width_pixels"],
        )


def _scan(lines: list[list[ScannedWord]], turns: int) -> ScannedPage:
    return ScannedPage(
        [
            [(word, left, top, right, bottom) for word, left, top, right, bottom in line]
            for line in lines
        ],
        turns,
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of what a child sends."""

    kind: bytes
    content: bytes = b""

    def to_bytes(self) -> bytes:
        """Write with its kind and length in front."""
        return _HEAD.pack(self.kind, len(self.content)) + self.content


def page_frame(number: int, scan: ScannedPage) -> Frame:
    """Write a recognised page."""
    return Frame(Kind.PAGE, json.dumps({"number": number, **asdict(scan)}).encode())


def read_page(frame: Frame) -> tuple[int, ScannedPage]:
    """Read what `page_frame` wrote.

    Raises:
        ValueError: It is not ours.
    """
    try:
        content = json.loads(frame.content)
        return content.pop("number"), _scan(**content)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a page") from error


class Inbox:
    """Collects the frames of one child."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._waiting = bytearray()
        self._bytes = 0

    @property
    def last(self) -> Frame | None:
        """The frame that ended it; None: the child is at work, or died."""
        return self.frames[-1] if self.frames and self.frames[-1].kind in _LAST else None

    @property
    def pages(self) -> list[Frame]:
        """The recognised pages."""
        return [frame for frame in self.frames if frame.kind == Kind.PAGE]

    def take(self, received: bytes) -> bool:
        """Add bytes; tell whether more may come."""
        self._bytes += len(received)
        self._waiting += received
        while len(self._waiting) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._waiting)
            end = _HEAD.size + length
            if len(self._waiting) < end:
                break
            self.frames.append(Frame(kind, bytes(self._waiting[_HEAD.size : end])))
            del self._waiting[:end]
        return bool(received) and self.last is None and self._bytes <= _MAX_BYTES
