"""Turns the elements of a docutils document, in order, into blocks."""

from collections.abc import Callable
from typing import Any

from docutils import nodes

from ingest.parse.builder import DocumentBuilder
from ingest.parse.formats.docx.styles import format_number
from ingest.parse.formats.rst.text import TextReader
from ingest.parse.parsed import BlockKind

_UNSEEN = (
    *(nodes.comment, nodes.decoration, nodes.pending, nodes.raw, nodes.meta),
    *(nodes.substitution_definition, nodes.target),
)
_CODE = (nodes.literal_block, nodes.doctest_block, nodes.math_block)
_ERROR_LEVEL = 3
_NUMBER_FORMATS = {
    "loweralpha": "lowerLetter", "upperalpha": "upperLetter",
    "lowerroman": "lowerRoman", "upperroman": "upperRoman",
}  # fmt: skip


class BlockWriter:
    """Keeps what is open, and what the next paragraph begins with."""

    def __init__(self, builder: DocumentBuilder, reader: TextReader) -> None:
        self._builder = builder
        self._line = reader.line
        self._level = 0
        self._items = 0
        self._marker = ""  # dropped with an item that is empty
        self._name = ""  # written alone if no paragraph follows
        self._writers: dict[type[nodes.Node], Callable[[Any], None]] = {
            nodes.section: self._section,
            nodes.title: self._title,
            nodes.bullet_list: self._list,
            nodes.enumerated_list: self._list,
            nodes.option_list_item: self._option,
            nodes.definition_list_item: self._definition,
            nodes.field: self._field,
            nodes.footnote: self._note,
            nodes.citation: self._note,
            nodes.line_block: self._lines,
            nodes.attribution: self._attribution,
            nodes.table: self._table,
            nodes.image: self._image,
            nodes.system_message: self._message,
        }

    def write(self, node: nodes.Node) -> None:
        """Write an element with all that is in it."""
        writer = self._writers.get(type(node))
        if isinstance(node, _UNSEEN):
            return
        if writer is not None:
            writer(node)
        elif isinstance(node, _CODE):
            self._add(BlockKind.CODE, node.astext())
        elif isinstance(node, nodes.Admonition):
            self._admonition(node)
        elif isinstance(node, nodes.TextElement):
            self._paragraph(self._line(node))
        else:
            self._children(node)

    def _children(self, node: nodes.Node) -> None:
        for child in node.children:
            self.write(child)

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        name, self._name = self._name, ""
        if name:
            self._paragraph(name)
        self._builder.add(kind, text, level)

    def _paragraph(self, text: str) -> None:
        if text.strip():
            kind = BlockKind.LIST_ITEM if self._items else BlockKind.PARAGRAPH
            beginning, self._name, self._marker = self._marker + self._name, "", ""
            self._builder.add(kind, beginning + text)

    def _section(self, section: nodes.section) -> None:
        self._level += 1
        self._children(section)
        self._level -= 1

    def _title(self, title: nodes.title) -> None:
        if isinstance(title.parent, nodes.section):
            self._add(BlockKind.HEADING, self._line(title), self._level)
        else:
            self._paragraph(self._line(title))

    def _list(self, items: nodes.Element) -> None:
        for number, item in enumerate(items, start=items.get("start", 1)):
            self._item(_label(items, number), item)
        if not self._items:
            self._builder.end_group()

    def _item(self, marker: str, item: nodes.Element) -> None:
        self._items += 1
        self._marker = marker
        self._children(item)
        self._marker = ""
        self._items -= 1

    def _option(self, item: nodes.option_list_item) -> None:
        group, description = item.children
        options = ", ".join(option.astext() for option in group.children)
        self._item(f"{options}: ", description)

    def _definition(self, item: nodes.definition_list_item) -> None:
        *terms, definition = item.children
        self._paragraph(" : ".join(map(self._line, terms)))
        self._children(definition)

    def _field(self, field: nodes.field) -> None:
        name, body = field.children
        self._marker = f"{self._line(name)}: "
        self._children(body)
        self._marker = ""

    def _note(self, note: nodes.Element) -> None:
        label = note.next_node(nodes.label)
        self._marker = f"[{label.astext()}] " if label else ""
        for child in note.children:
            if child is not label:
                self.write(child)
        self._marker = ""

    def _lines(self, block: nodes.line_block) -> None:
        self._paragraph("\n".join(map(self._line, block.findall(nodes.line))))

    def _attribution(self, attribution: nodes.attribution) -> None:
        self._paragraph(f"— {self._line(attribution)}")

    def _admonition(self, admonition: nodes.Admonition) -> None:
        children = list(admonition.children)
        name = type(admonition).__name__.capitalize()
        if children and isinstance(children[0], nodes.title):
            name = self._line(children.pop(0))
        self._name = f"{name}: "
        for child in children:
            self.write(child)
        if self._name:
            self._paragraph(self._name.rstrip(": "))

    def _table(self, table: nodes.table) -> None:
        self._builder.end_group()
        for caption in table.children:
            if isinstance(caption, nodes.title):
                self.write(caption)
        for row in table.findall(nodes.row):
            cells: list[str] = []
            for entry in row.children:
                cells += [self._cell(entry), *[""] * entry.get("morecols", 0)]
            self._builder.add_row(cells)
        self._builder.end_group()

    def _cell(self, entry: nodes.Element) -> str:
        texts = [
            self._line(element)
            for element in entry.findall(nodes.TextElement)
            if not isinstance(element.parent, nodes.TextElement)
        ]
        return " ".join(texts)

    def _image(self, image: nodes.image) -> None:
        self._paragraph(self._line(image))

    def _message(self, message: nodes.system_message) -> None:
        """Write the source that docutils could not read, which stands nowhere else."""
        if message["level"] >= _ERROR_LEVEL:
            for source in message.findall(nodes.literal_block):
                self._add(BlockKind.CODE, source.astext())


def _label(items: nodes.Element, number: int) -> str:
    if isinstance(items, nodes.bullet_list):
        return ""
    written = format_number(number, _NUMBER_FORMATS.get(items["enumtype"], "decimal"))
    return f"{items['prefix']}{written}{items['suffix']} "
