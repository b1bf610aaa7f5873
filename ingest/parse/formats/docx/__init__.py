"""DOCX: paragraphs, lists, tables and notes straight from the XML inside."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from lxml import etree

from ingest.errors import CorruptDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.container import Container
from ingest.parse.formats.docx.notes import NOTE_PARTS, Notes, is_reference
from ingest.parse.formats.docx.styles import (
    Numbering,
    Style,
    heading_level,
    list_place,
    read_styles,
)
from ingest.parse.formats.docx.xml import NAMESPACES, attribute, child, content, local_name, value
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import is_container_with
from ingest.parse.titles import choose_title

NAME = "DOCX"
RANK = 10
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAIN_PART = "word/document.xml"
_BLOCKS = [f"{{{namespace}}}{name}" for namespace in NAMESPACES for name in ("p", "tbl")]
# Deleted text, field codes, fallbacks that repeat what stands beside them, and properties.
_SKIPPED = frozenset(
    {"del", "moveFrom", "instrText", "delText", "Fallback"}
    | {"pPr", "rPr", "tblPr", "txbxContent", "rt", "fldData"}
)
_BREAKS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_OFF = frozenset({"0", "false", "off"})


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container with Word's main part."""
    return is_container_with(MAIN_PART, data, name)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a DOCX file."""
    container = Container(data, name)
    reader = _Reader(container, name)
    main = container.read(MAIN_PART)
    try:
        reader.read(main)
    except etree.LxmlError as error:
        raise _damaged(name, MAIN_PART) from error
    title = choose_title(
        name, _stated_title(container, name), reader.title, reader.builder.first_heading()
    )
    return reader.builder.build(title, MEDIA_TYPE, "docx")


class _Reader:
    """Walks the main part, one top-level paragraph or table in memory at a time."""

    def __init__(self, container: Container, name: str) -> None:
        self.builder = DocumentBuilder()
        self.title: str | None = None
        styles = _tree(container, "word/styles.xml", name)
        self._styles = {} if styles is None else read_styles(styles)
        self._numbering = Numbering(_tree(container, "word/numbering.xml", name))
        self._notes = Notes(
            {kind: _tree(container, part, name) for kind, part in NOTE_PARTS.items()}
        )

    def read(self, xml: bytes) -> None:
        events = etree.iterparse(
            BytesIO(xml), tag=_BLOCKS, resolve_entities=False, no_network=True, huge_tree=False
        )
        may_hide = b"vanish" in xml
        for _, element in events:
            if next(element.iterancestors(_BLOCKS), None) is None:
                self._block(element)
                if may_hide:
                    self.builder.hide(_hidden_text(element))
                for note in self._notes.take():
                    self._blocks(note)
                element.clear()

    def _block(self, element: Any) -> None:
        if local_name(element) == "p":
            self._paragraph(element)
        elif local_name(element) == "tbl":
            self._table(element)

    def _paragraph(self, paragraph: Any) -> None:
        properties = child(paragraph, "pPr")
        style = self._styles.get(value(properties, "pStyle"), Style())
        text = _text(paragraph)
        place = list_place(properties) or style.place
        level = heading_level(properties) or style.heading_level
        if text.strip():
            label = self._numbering.label(place) if place else ""
            self._add(f"{label} {text}".strip(), level, style, is_item=place is not None)
        for box in _outermost(paragraph, "txbxContent".__eq__):
            self._blocks(box)
        self._notes.refer(_outermost(paragraph, is_reference))

    def _blocks(self, parent: Any) -> None:
        for inner in content(parent):
            self._block(inner)

    def _add(self, text: str, level: int, style: Style, *, is_item: bool) -> None:
        if style.is_title and self.title is None:
            self.title = text
        if level or style.is_title:
            self.builder.add(BlockKind.HEADING, text, level or 1)
        else:
            self.builder.add(BlockKind.LIST_ITEM if is_item else BlockKind.PARAGRAPH, text)

    def _table(self, table: Any) -> None:
        rows = [row for row in content(table) if local_name(row) == "tr"]
        cells = [[cell for cell in content(row) if local_name(cell) == "tc"] for row in rows]
        self.builder.end_group()
        if sum(map(len, cells)) == 1:
            # A frame around ordinary text.
            self._blocks(next(cell for row in cells for cell in row))
        else:
            for row in cells:
                self.builder.add_row([_cell_text(cell) for cell in row])
            self._notes.refer(_outermost(table, is_reference))
        self.builder.end_group()


def _hidden_text(block: Any) -> str:
    """Join what a top-level block holds in runs that are not shown."""
    runs = (inner for inner in block.iter() if local_name(inner) == "r" and _is_hidden(inner))
    return "".join(text.text or "" for run in runs for text in run if local_name(text) == "t")


def _cell_text(cell: Any) -> str:
    paragraphs = cell.iter(*_BLOCKS)
    return " ".join(_text(inner) for inner in paragraphs if local_name(inner) == "p")


def _text(paragraph: Any) -> str:
    """Join what is visible in a paragraph, without the text boxes anchored in it."""
    pieces: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        name = local_name(element)
        if name == "t":
            pieces.append(element.text or "")
        elif name in _BREAKS:
            pieces.append(_BREAKS[name])
        elif name not in _SKIPPED and not (name == "r" and _is_hidden(element)):
            stack.extend(reversed(element))
    return "".join(pieces)


def _outermost(element: Any, is_wanted: Callable[[str], bool]) -> list[Any]:
    """Find the visible elements of wanted names in one, without those inside of them."""
    found, stack = [], list(reversed(element))
    while stack:
        inner = stack.pop()
        name = local_name(inner)
        if is_wanted(name):
            found.append(inner)
        elif name not in _SKIPPED and not (name == "r" and _is_hidden(inner)):
            stack.extend(reversed(inner))
    return found


def _is_hidden(run: Any) -> bool:
    vanish = child(child(run, "rPr"), "vanish")
    return vanish is not None and attribute(vanish, "val") not in _OFF


def _stated_title(container: Container, name: str) -> str | None:
    root = _tree(container, "docProps/core.xml", name)
    title = child(root, "title")
    return None if title is None else title.text


def _tree(container: Container, part: str, name: str) -> Any:
    """Parse an optional part; None if the document does not have it."""
    if part not in container:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    xml = container.read(part)
    try:
        return etree.fromstring(xml, parser)
    except etree.LxmlError as error:
        raise _damaged(name, part) from error


def _damaged(name: str, part: str) -> CorruptDocumentError:
    return CorruptDocumentError(title=name, reason=f"its part {part} is damaged")
