"""ODT: paragraphs, lists and tables straight from the XML inside."""

from typing import Any

from ingest.errors import EncryptedDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.container import Container
from ingest.parse.formats.docx.xml import local_name
from ingest.parse.formats.odt.lists import Numbering
from ingest.parse.formats.odt.text import Line, Styles, is_hidden, read_line, read_styles
from ingest.parse.office.tables import Allowance
from ingest.parse.office.xml import Package, descend, qualified, whole_number
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import is_container_with
from ingest.parse.titles import choose_title

NAME = "ODT"
RANK = 20
MEDIA_TYPE = "application/vnd.oasis.opendocument.text"
MAIN_PART = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_KINDS = frozenset({MEDIA_TYPE, f"{MEDIA_TYPE}-template", f"{MEDIA_TYPE}-master"})
_REPEATS = "number-columns-repeated"
_ROW_GROUPS = frozenset({"table-header-rows", "table-rows", "table-row-group"})
# Their entries are the headings and captions of the document again.
_INDEXES = frozenset(
    {"table-of-content", "illustration-index", "table-index", "object-index", "user-index"}
    | {"alphabetical-index", "tracked-changes", "forms", "sequence-decls", "annotation"}
)


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container that says it holds a text document."""
    if is_container_with("mimetype", data, name):
        kind = Container(data, name).read("mimetype")
        return kind[:100].decode("ascii", "replace").strip() in _KINDS
    if not is_container_with(MAIN_PART, data, name):
        return False
    container = Container(data, name)
    return _MANIFEST in container and b"<office:text" in container.read(MAIN_PART)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an ODT file."""
    package = Package(data, name)
    if _MANIFEST in package and b"encryption-data" in package.read(_MANIFEST):
        raise EncryptedDocumentError(title=name)
    content, styles = package.tree(MAIN_PART), package.optional_tree("styles.xml")
    reader = _Reader(Allowance(name), read_styles(styles, content), Numbering(styles, content))
    reader.read(descend(content, "body", "text"))
    stated = descend(package.optional_tree("meta.xml"), "meta", "title")
    title = choose_title(
        name,
        None if stated is None else stated.text,
        reader.title,
        reader.builder.first_heading(),
    )
    return reader.builder.build(title, MEDIA_TYPE, "odt")


class _Reader:
    """Walks the body; the XML parser bounds how deeply it can nest."""

    def __init__(self, allowance: Allowance, styles: Styles, numbering: Numbering) -> None:
        self.builder = DocumentBuilder()
        self.title: str | None = None
        self._styles = styles
        self._numbering = numbering
        self._allowance = allowance

    def read(self, body: Any) -> None:
        for element in () if body is None else body:
            self._block(element)

    def _block(self, element: Any) -> None:
        name = local_name(element)
        if name in _INDEXES or is_hidden(element, self._styles):
            return
        if name in {"p", "h"}:
            self._paragraph(element)
        elif name == "list":
            self._list(element)
        elif name == "table":
            self._table(element)
        else:
            self.read(element)

    def _paragraph(self, element: Any) -> None:
        line = read_line(element, self._styles)
        level = 0
        if local_name(element) == "h":
            level = whole_number(qualified(element, "outline-level"), default=1) or 1
        elif qualified(element, "style-name") in self._styles.titles and line.text.strip():
            self.title, level = self.title or line.text, 1
        kind = BlockKind.HEADING if level else BlockKind.PARAGRAPH
        self.builder.add(kind, line.text, level)
        self._anchored(line)

    def _anchored(self, line: Line) -> None:
        for box in line.boxes:
            self.read(box)
        for mark, body in line.notes:
            label = f"[{mark}] " if mark else ""
            self.builder.add(BlockKind.PARAGRAPH, label + self._flat(body))

    def _list(self, element: Any, style: str = "", depth: int = 1) -> None:
        style = qualified(element, "style-name") or style
        goes_on = qualified(element, "continue-numbering") == "true"
        self._numbering.start(
            style, depth, goes_on=goes_on or bool(qualified(element, "continue-list"))
        )
        if depth == 1:
            self.builder.end_group()
        for item in element:
            if local_name(item) in {"list-item", "list-header"}:
                self._item(item, style, depth)

    def _item(self, item: Any, style: str, depth: int) -> None:
        """Add an item; its first paragraph gets the number."""
        is_labelled = local_name(item) == "list-header"
        for element in item:
            if local_name(element) == "list":
                self._list(element, style, depth + 1)
            elif local_name(element) == "p" and not is_labelled:
                is_labelled = True
                self._first_line(read_line(element, self._styles), item, style, depth)
            else:
                self._block(element)

    def _first_line(self, line: Line, item: Any, style: str, depth: int) -> None:
        if line.text.strip():
            label = self._numbering.label(item, style, depth)
            self.builder.add(BlockKind.LIST_ITEM, f"{label} {line.text}".strip())
        self._anchored(line)

    def _table(self, table: Any) -> None:
        self.builder.end_group()
        rows = _rows(table)
        if sum(map(len, rows)) == 1:
            # A frame around ordinary text.
            self.read(next(cell for row in rows for cell in row))
        else:
            for row in rows:
                self._row(row)
        self.builder.end_group()

    def _row(self, row: Any) -> None:
        cells = self._cells(row)
        repeats = max(1, whole_number(qualified(row, "number-rows-repeated")))
        for _ in range(repeats if cells else 0):
            self.builder.add_row([self._allowance.take(cell) for cell in cells])

    def _cells(self, row: Any) -> list[str]:
        """Return the texts of a row up to its last filled cell."""
        cells: list[str] = []
        blanks = 0
        for cell in row:
            if local_name(cell) not in {"table-cell", "covered-table-cell"}:
                continue
            repeats = max(1, whole_number(qualified(cell, _REPEATS)))
            text = self._flat(cell) if local_name(cell) == "table-cell" else ""
            if not text.strip():
                blanks += repeats
                continue
            self._allowance.lay_out(1, len(cells) + blanks + repeats)
            cells += [""] * blanks + [text] * repeats
            blanks = 0
        return cells

    def _flat(self, element: Any) -> str:
        """Join all paragraphs below an element, notes and boxes included, to one text."""
        inner = _Reader(self._allowance, self._styles, self._numbering)
        inner.read(element)
        return inner.builder.build("", "", "").text


def _rows(table: Any) -> list[Any]:
    rows = []
    for element in table:
        if local_name(element) == "table-row":
            rows.append(element)
        elif local_name(element) in _ROW_GROUPS:
            rows += _rows(element)
    return rows
