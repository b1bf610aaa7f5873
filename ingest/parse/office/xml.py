"""Office containers: their parts as XML, and what points from one part to another.

Elements are found by local name, so that every dialect of a format reads the same. They are typed
`Any`: the XML library has no type information.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NoReturn

from lxml import etree

from ingest.errors import CorruptDocumentError, IngestError, PoisonDocumentError
from ingest.parse.container import Container
from ingest.parse.formats.docx.xml import child, children

_OPTIONS = {"resolve_entities": False, "no_network": True, "huge_tree": False}
_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("ascii", "utf-16-le", "utf-16-be"))
_MAX_STREAMED = 2_000_000
_MAX_NUMBER_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Relation:
    """A part that another part refers to."""

    kind: str
    target: str


class Package:
    """An office file; every failure to read a part is an IngestError."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._container = Container(data, name)

    def __contains__(self, part: str) -> bool:
        return part in self._container

    def read(self, part: str) -> bytes:
        """Return the bytes of a part."""
        return self._container.read(part)

    def tree(self, part: str) -> Any:
        """Parse a part and return its root."""
        try:
            return etree.fromstring(self._xml(part), etree.XMLParser(**_OPTIONS))
        except (etree.LxmlError, ValueError) as error:
            raise self._failure(part, error) from error

    def optional_tree(self, part: str) -> Any:
        """Parse a part and return its root; None if the file does not have it."""
        return self.tree(part) if part in self else None

    def stream(self, part: str, *names: str) -> Iterator[Any]:
        """Yield the elements of these names as they end; each is emptied before the next."""
        tags = ["{*}" + name for name in names]
        try:
            events = etree.iterparse(BytesIO(self._xml(part)), tag=tags, **_OPTIONS)
            for count, (_, element) in enumerate(events):
                if count == _MAX_STREAMED:
                    self._refuse(f"its part {part} has more than {_MAX_STREAMED:,} entries")
                yield element
                element.clear()
                _forget_before(element)
        except (etree.LxmlError, ValueError) as error:
            raise self._failure(part, error) from error

    def relations(self, part: str) -> dict[str, Relation]:
        """Return what a part refers to inside the file, by identifier."""
        folder, _, file = part.rpartition("/")
        root = self.optional_tree(posixpath.join(folder, "_rels", f"{file}.rels"))
        return {
            str(element.get("Id")): _relation(element, folder)
            for element in children(root, "Relationship")
            if element.get("TargetMode") != "External"
        }

    def stated_title(self) -> str | None:
        """Return the title among an Office file's properties."""
        title = child(self.optional_tree("docProps/core.xml"), "title")
        return None if title is None else title.text

    def _xml(self, part: str) -> bytes:
        xml = self.read(part)
        # No office program writes one; entities and attributes of unlimited size need one.
        if any(doctype in xml for doctype in _DOCTYPES):
            self._refuse(f"its part {part} defines XML entities")
        return xml

    def _refuse(self, reason: str) -> NoReturn:
        raise PoisonDocumentError(title=self.name, reason=reason)

    def _failure(self, part: str, error: Exception) -> IngestError:
        # The XML library has no exception of its own for this.
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            reason = f"its part {part} needs too much memory"
            return PoisonDocumentError(title=self.name, reason=reason)
        return CorruptDocumentError(title=self.name, reason=f"its part {part} is damaged")


def _forget_before(element: Any) -> None:
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _relation(element: Any, folder: str) -> Relation:
    target = str(element.get("Target") or "").replace("\\", "/")
    path = posixpath.normpath(posixpath.join("/", folder, target))
    return Relation(str(element.get("Type") or "").rpartition("/")[2], path.lstrip("/"))


def qualified(element: Any, name: str) -> str:
    """Return an attribute that stands in a namespace, empty if absent."""
    found = (value for key, value in element.attrib.items() if key.endswith("}" + name))
    return str(next(found, ""))


def whole_number(text: str | None, default: int = 0) -> int:
    """Read a natural number of at most nine digits."""
    is_sane = text and text.isascii() and text.isdecimal() and len(text) <= _MAX_NUMBER_DIGITS
    return int(text) if text and is_sane else default


def descend(element: Any, *names: str) -> Any:
    """Follow first children by name; None where there is none."""
    for name in names:
        element = child(element, name)
    return element
