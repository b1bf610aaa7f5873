"""Where the shapes of a slide stand, and in which order people read them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.office.xml import descend

_TITLES = frozenset({"title", "ctrTitle"})
# The same on every slide; the number of a slide is its page.
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_SHAPES = frozenset({"sp", "grpSp", "graphicFrame"})
_ON_MASTER = {"ctrTitle": "title", "subTitle": "body", "obj": "body", "": "body"}
_SAME_LINE = 228_600  # a quarter of an inch in English metric units, as all lengths here
_NOWHERE = 1 << 40
_MAX_LENGTH_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What a shape fills in its slide's layout."""

    kind: str
    index: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape and its place; shapes without one come last."""

    element: Any
    left: int = 0
    top: int = _NOWHERE
    width: int = 0
    height: int = 0
    placeholder: Placeholder | None = None

    @property
    def is_title(self) -> bool:
        """Whether it holds the title of its slide."""
        return self.placeholder is not None and self.placeholder.kind in _TITLES


class Layout:
    """The layout and master of a slide: what its placeholders inherit."""

    def __init__(self, layout: Any, master: Any) -> None:
        self.master = master
        self._layout = _placeholders(layout)
        self._master = _placeholders(master)

    def ancestors(self, placeholder: Placeholder | None) -> Iterator[Any]:
        """Yield the shapes that a placeholder inherits from, the nearest first."""
        if placeholder is None:
            return
        kind = placeholder.kind
        for candidate, element in self._layout:
            if candidate.index == placeholder.index:
                kind = candidate.kind or kind
                yield element
                break
        for candidate, element in self._master:
            if candidate.kind == _ON_MASTER.get(kind, kind):
                yield element
                break


def in_reading_order(tree: Any, layout: Layout) -> list[Shape]:
    """List the visible shapes of a slide or group: the title, then by line and from the left."""
    shapes = [_placed(element, layout) for element in _visible(tree)]
    shapes.sort(key=lambda shape: (not shape.is_title, shape.top))
    lines: list[list[list[Shape]]] = []
    for stack in _stacks(shapes):
        is_beside = lines and not stack[0].is_title and not lines[-1][0][0].is_title
        if is_beside and stack[0].top - lines[-1][0][0].top <= _SAME_LINE:
            lines[-1].append(stack)
        else:
            lines.append([stack])
    for line in lines:
        line.sort(key=lambda stack: stack[0].left)
    return [shape for line in lines for stack in line for shape in stack]


def _stacks(shapes: Iterable[Shape]) -> list[list[Shape]]:
    """Put a column's text under its heading: placeholders one right below the other."""
    stacks: list[list[Shape]] = []
    open_stacks: dict[tuple[int, int], list[Shape]] = {}
    for shape in shapes:
        place = (shape.left // _SAME_LINE, shape.width // _SAME_LINE)
        above = open_stacks.get(place)
        if above is not None and _is_right_below(shape, above[-1]):
            above.append(shape)
            continue
        stacks.append([shape])
        open_stacks[place] = stacks[-1]
    stacks.sort(key=lambda stack: (not stack[0].is_title, stack[0].top))
    return stacks


def _is_right_below(shape: Shape, above: Shape) -> bool:
    are_columns = shape.placeholder and above.placeholder and not above.is_title
    return bool(are_columns) and abs(shape.top - above.top - above.height) <= _SAME_LINE


def _visible(tree: Any) -> Iterator[Any]:
    for element in children_of_choice(tree):
        if local_name(element) not in _SHAPES:
            continue
        properties = descend(next(iter(element), None), "cNvPr")
        is_hidden = properties is not None and properties.get("hidden") in {"1", "true"}
        placeholder = _placeholder(element)
        if not is_hidden and (placeholder is None or placeholder.kind not in _FURNITURE):
            yield element


def children_of_choice(element: Any) -> Iterator[Any]:
    """Yield the children; of alternatives for newer and older programs, the newer one's."""
    for inner in () if element is None else element:
        if local_name(inner) == "AlternateContent":
            choices = [*children(inner, "Choice"), *children(inner, "Fallback")]
            yield from next((choice for choice in choices if len(choice)), ())
        else:
            yield inner


def _placeholder(element: Any) -> Placeholder | None:
    found = descend(next(iter(element), None), "nvPr", "ph")
    if found is None:
        return None
    return Placeholder(str(found.get("type") or ""), str(found.get("idx") or "0"))


def _placeholders(root: Any) -> list[tuple[Placeholder, Any]]:
    shapes = children(descend(root, "cSld", "spTree"), "sp")
    found = [(_placeholder(shape), shape) for shape in shapes]
    return [(placeholder, shape) for placeholder, shape in found if placeholder is not None]


def _placed(element: Any, layout: Layout) -> Shape:
    placeholder = _placeholder(element)
    for source in (element, *layout.ancestors(placeholder)):
        transform = _transform(source)
        offset, extent = child(transform, "off"), child(transform, "ext")
        if offset is not None and extent is not None:
            return Shape(
                element,
                _length(offset.get("x")),
                _length(offset.get("y")),
                _length(extent.get("cx")),
                _length(extent.get("cy")),
                placeholder,
            )
    return Shape(element, placeholder=placeholder)


def _transform(element: Any) -> Any:
    of_shape = (descend(element, name, "xfrm") for name in ("spPr", "grpSpPr"))
    return next((found for found in of_shape if found is not None), child(element, "xfrm"))


def _length(text: str | None) -> int:
    text = (text or "")[:_MAX_LENGTH_CHARACTERS]
    return int(text) if text.removeprefix("-").isdecimal() else 0
