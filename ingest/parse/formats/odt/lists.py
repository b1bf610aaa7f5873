"""Counts the items of OpenDocument lists as a word processor does."""

from dataclasses import dataclass
from typing import Any

from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.office.xml import qualified, whole_number

_LETTERS = 26


@dataclass(frozen=True, slots=True)
class _Level:
    number_format: str = ""  # empty: a bullet
    prefix: str = ""
    suffix: str = ""
    start: int = 1


class Numbering:
    """The list styles of a document and the counters of its lists."""

    def __init__(self, *roots: Any) -> None:
        self._styles: dict[str, dict[int, _Level]] = {}
        self._last: dict[tuple[str, int], int] = {}
        for root in roots:
            for group in ("styles", "automatic-styles"):
                for style in children(child(root, group), "list-style"):
                    self._styles[qualified(style, "name")] = _levels(style)

    def start(self, style: str, depth: int, *, goes_on: bool) -> None:
        """Begin a list, or go on with the last one of its style."""
        if not goes_on:
            self._last.pop((style, depth), None)

    def label(self, item: Any, style: str, depth: int) -> str:
        """Count an item and return its number, empty for a bullet."""
        level = self._styles.get(style, {}).get(depth, _Level())
        if not level.number_format:
            return ""
        number = self._last.get((style, depth), level.start - 1) + 1
        number = whole_number(qualified(item, "start-value"), default=number)
        self._last[style, depth] = number
        return f"{level.prefix}{_written(number, level.number_format)}{level.suffix}"


def _levels(style: Any) -> dict[int, _Level]:
    return {
        whole_number(qualified(element, "level"), default=1): _Level(
            qualified(element, "num-format"),
            qualified(element, "num-prefix"),
            qualified(element, "num-suffix"),
            whole_number(qualified(element, "start-value"), default=1),
        )
        for element in style
        if local_name(element) == "list-level-style-number"
    }


def _written(number: int, number_format: str) -> str:
    if number_format not in {"a", "A"} or not 0 < number <= _LETTERS:
        return str(number)
    return chr(ord(number_format) + number - 1)
