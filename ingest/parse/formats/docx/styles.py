"""What a Word document's styles and numbering say about a paragraph."""

from dataclasses import dataclass, field
from typing import Any

from ingest.parse.formats.docx.xml import attribute, child, children, value

_BODY_LEVEL = 9  # of w:outlineLvl, which counts headings from 0
_MAX_NUMBER = 3_999
_ROMAN = [
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a paragraph stands: its list and how deep in it, from 0."""

    list_id: str
    depth: int


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style gives to its paragraphs."""

    heading_level: int = 0  # from 1; 0: not a heading
    is_title: bool = False
    place: ListPlace | None = None


@dataclass(slots=True)
class _Level:
    number_format: str = "decimal"
    pattern: str = ""
    start: int = 1


@dataclass(slots=True)
class _List:
    levels: dict[int, _Level] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)


def read_styles(root: Any) -> dict[str, Style]:
    """Resolve every paragraph style, inherited properties included."""
    elements = {attribute(style, "styleId"): style for style in children(root, "style")}
    return {style_id: _resolve(style_id, elements) for style_id in elements}


def _resolve(style_id: str, elements: dict[str, Any]) -> Style:
    level, place, is_title = 0, None, False
    seen: set[str] = set()
    while style_id in elements and style_id not in seen:
        seen.add(style_id)
        element = elements[style_id]
        name = value(element, "name").lower()
        properties = child(element, "pPr")
        is_title = is_title or name == "title"
        level = level or heading_level(properties) or _level_by_name(name)
        place = place or list_place(properties)
        style_id = value(element, "basedOn")
    return Style(level, is_title, place)


def heading_level(properties: Any) -> int:
    """Read a heading level, from 1; 0 means none is set."""
    text = value(properties, "outlineLvl")
    return int(text) + 1 if text.isdecimal() and int(text) < _BODY_LEVEL else 0


def list_place(properties: Any) -> ListPlace | None:
    """Read which list a paragraph belongs to."""
    numbering = child(properties, "numPr")
    list_id = value(numbering, "numId")
    if not list_id or list_id == "0":
        return None
    depth = value(numbering, "ilvl")
    return ListPlace(list_id, min(int(depth), 8) if depth.isdecimal() else 0)


def _level_by_name(name: str) -> int:
    # Built-in styles keep their English name in the file whatever the program's language.
    digit = name.removeprefix("heading ")
    return int(digit) if name.startswith("heading ") and digit in set("123456789") else 0


class Numbering:
    """Counts list items as a word processor does; the numbers are not in the text itself."""

    def __init__(self, root: Any) -> None:
        shapes = {
            attribute(shape, "abstractNumId"): shape for shape in children(root, "abstractNum")
        }
        abstract = {shape_id: _List(_levels(shape)) for shape_id, shape in shapes.items()}
        # Lists of one abstract list share its counters, unless they restart a level.
        self._lists = {
            attribute(number, "numId"): _overridden(
                abstract.get(value(number, "abstractNumId")) or _List(), number
            )
            for number in children(root, "num")
        }

    def label(self, place: ListPlace) -> str:
        """Count one item and return its number, empty for a bullet."""
        numbered = self._lists.get(place.list_id)
        level = numbered.levels.get(place.depth) if numbered else None
        if numbered is None or level is None:
            return ""
        counters = numbered.counters
        counters[place.depth] = counters.get(place.depth, level.start - 1) + 1
        for deeper in [depth for depth in counters if depth > place.depth]:
            del counters[deeper]
        if level.number_format in {"bullet", "none"}:
            return ""
        return _fill(level.pattern, numbered)


def _levels(shape: Any) -> dict[int, _Level]:
    levels = {}
    for element in children(shape, "lvl"):
        depth, start = attribute(element, "ilvl"), value(element, "start")
        if depth.isdecimal():
            levels[int(depth)] = _Level(
                value(element, "numFmt") or "decimal",
                value(element, "lvlText"),
                int(start) if start.isdecimal() else 1,
            )
    return levels


def _overridden(base: _List, number: Any) -> _List:
    overrides = children(number, "lvlOverride")
    if not overrides:
        return base
    levels = dict(base.levels)
    for override in overrides:
        depth, start = attribute(override, "ilvl"), value(override, "startOverride")
        if depth.isdecimal() and start.isdecimal() and int(depth) in levels:
            level = levels[int(depth)]
            levels[int(depth)] = _Level(level.number_format, level.pattern, int(start))
    return _List(levels)


def _fill(pattern: str, numbered: _List) -> str:
    """Replace %1, %2, ... in a pattern by the counters of those levels."""
    for depth in range(9):
        marker = f"%{depth + 1}"
        if marker in pattern:
            level = numbered.levels.get(depth, _Level())
            number = numbered.counters.get(depth, level.start)
            pattern = pattern.replace(marker, format_number(number, level.number_format))
    return pattern


def format_number(number: int, number_format: str) -> str:
    """Write a number in one of Word's formats, such as `lowerRoman`."""
    if not 0 < number <= _MAX_NUMBER:
        return str(number)
    if number_format.endswith("Letter"):
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if number_format.startswith("lower") else letters.upper()
    if number_format.endswith("Roman"):
        roman = _roman(number)
        return roman if number_format.startswith("lower") else roman.upper()
    return f"{number:02d}" if number_format == "decimalZero" else str(number)


def _roman(number: int) -> str:
    written = ""
    for worth, sign in _ROMAN:
        count, number = divmod(number, worth)
        written += sign * count
    return written
