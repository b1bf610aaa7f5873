"""Reading WordprocessingML elements by name, in its transitional and its strict dialect.

Elements are typed `Any`: the XML library has no type information.
"""

from collections.abc import Iterator
from typing import Any

NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
# Around content, without meaning of their own here.
_TRANSPARENT = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"})


def local_name(element: Any) -> str:
    """Return an element's name without its namespace; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Any, name: str) -> list[Any]:
    """Return the direct children of a name; none for no element."""
    if element is None:
        return []
    return [inner for inner in element if local_name(inner) == name]


def child(element: Any, name: str) -> Any:
    """Return the first direct child of a name, or None."""
    found = children(element, name)
    return found[0] if found else None


def attribute(element: Any, name: str) -> str:
    """Return an attribute of the element's own namespace, empty if absent."""
    namespace = element.tag.rpartition("}")[0] + "}"
    return str(element.get(namespace + name) or "")


def value(element: Any, name: str) -> str:
    """Return the w:val of a direct child, empty if absent."""
    inner = child(element, name)
    return "" if inner is None else attribute(inner, "val")


def content(element: Any) -> Iterator[Any]:
    """Yield the direct children, looking through wrappers such as content controls."""
    stack = list(reversed(element))
    while stack:
        inner = stack.pop()
        if local_name(inner) in _TRANSPARENT:
            stack.extend(reversed(inner))
        else:
            yield inner
