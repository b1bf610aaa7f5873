"""PPTX: what the slides show, a page each, with their speaker notes, straight from the XML."""

import re
from typing import Any

from ingest.errors import CorruptDocumentError, PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.formats.pptx.charts import read_chart
from ingest.parse.formats.pptx.shapes import Layout, Shape, in_reading_order
from ingest.parse.formats.pptx.text import all_text, paragraphs, stands_out
from ingest.parse.office.tables import Allowance
from ingest.parse.office.xml import Package, Relation, descend, qualified
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import is_container_with
from ingest.parse.titles import choose_title

NAME = "PPTX"
RANK = 20
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
MAIN_PART = "ppt/presentation.xml"
_MAX_SLIDES = 2_000
# What PowerPoint calls a presentation that nobody named, in its languages.
_NO_TITLE = re.compile(r"presentation ?\d*|powerpoint[ -]?\w+|(\w+ ){1,4}powerpoint", re.IGNORECASE)


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container with PowerPoint's main part."""
    return is_container_with(MAIN_PART, data, name)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a PPTX file; hidden slides are left out and keep their number."""
    package = Package(data, name)
    builder = DocumentBuilder()
    layouts: dict[str, Layout] = {}
    seen: set[str] = set()
    for part in _slide_parts(package):
        builder.start_page()
        if part not in seen:
            _Slide(package, part, builder, layouts).write()
        seen.add(part)
    title = package.stated_title()
    if title and _NO_TITLE.fullmatch(title.strip()):
        title = None
    return builder.build(choose_title(name, title, builder.first_heading()), MEDIA_TYPE, "pptx")


def _slide_parts(package: Package) -> list[str]:
    relations = package.relations(MAIN_PART)
    entries = children(child(package.tree(MAIN_PART), "sldIdLst"), "sldId")
    if len(entries) > _MAX_SLIDES:
        reason = f"it has more than {_MAX_SLIDES:,} slides"
        raise PoisonDocumentError(title=package.name, reason=reason)
    found = [relations.get(qualified(entry, "id")) for entry in entries]
    if None in found:
        reason = f"its slide {found.index(None) + 1} is missing"
        raise CorruptDocumentError(title=package.name, reason=reason)
    return [relation.target for relation in found if relation is not None]


class _Slide:
    def __init__(
        self, package: Package, part: str, builder: DocumentBuilder, layouts: dict[str, Layout]
    ) -> None:
        self._package = package
        self._builder = builder
        self._root = package.tree(part)
        self._relations = package.relations(part)
        self._layout = _layout(package, self._part_of("slideLayout"), layouts)

    def write(self) -> None:
        if self._root.get("show") in {"0", "false"}:
            return
        shapes = in_reading_order(descend(self._root, "cSld", "spTree"), self._layout)
        title = _title(shapes)
        if title is not None:
            self._builder.add(BlockKind.HEADING, all_text(child(title.element, "txBody")), 1)
        self._shapes([shape for shape in shapes if shape is not title])
        notes = self._part_of("notesSlide")
        if notes:
            self._notes(self._package.tree(notes))

    def _shapes(self, shapes: list[Shape]) -> None:
        for shape in shapes:
            if local_name(shape.element) == "grpSp":
                # The XML parser bounds how deeply groups can nest.
                self._shapes(in_reading_order(shape.element, self._layout))
            elif local_name(shape.element) == "graphicFrame":
                self._graphic(descend(shape.element, "graphic", "graphicData"))
            else:
                self._text(shape, self._layout)

    def _text(self, shape: Shape, layout: Layout) -> None:
        self._builder.end_group()
        for paragraph in paragraphs(shape, layout):
            kind = BlockKind.LIST_ITEM if paragraph.is_item else BlockKind.PARAGRAPH
            self._builder.add(kind, paragraph.text)

    def _graphic(self, data: Any) -> None:
        table, chart = child(data, "tbl"), child(data, "chart")
        diagram = child(data, "relIds")
        if table is not None:
            self._rows([[_cell(cell) for cell in children(r, "tc")] for r in children(table, "tr")])
        elif chart is not None:
            self._chart(self._relations.get(qualified(chart, "id")))
        elif diagram is not None:
            self._diagram(self._relations.get(qualified(diagram, "dm")))

    def _rows(self, rows: list[list[str]]) -> None:
        self._builder.end_group()
        for row in rows:
            self._builder.add_row(row)
        self._builder.end_group()

    def _chart(self, relation: Relation | None) -> None:
        chart = read_chart(self._tree_of(relation), Allowance(self._package.name))
        self._builder.add(BlockKind.PARAGRAPH, chart.title)
        for table in chart.tables:
            self._rows(table)

    def _diagram(self, relation: Relation | None) -> None:
        self._builder.end_group()
        for point in children(child(self._tree_of(relation), "ptLst"), "pt"):
            if point.get("type", "node") in {"node", "asst"}:
                self._builder.add(BlockKind.LIST_ITEM, all_text(child(point, "t")))
        self._builder.end_group()

    def _notes(self, root: Any) -> None:
        layout = Layout(None, None)
        for shape in in_reading_order(descend(root, "cSld", "spTree"), layout):
            if shape.placeholder is not None and shape.placeholder.kind == "body":
                self._text(shape, layout)

    def _part_of(self, kind: str) -> str | None:
        parts = (found.target for found in self._relations.values() if found.kind == kind)
        return next((part for part in parts if part in self._package), None)

    def _tree_of(self, relation: Relation | None) -> Any:
        """Parse what a graphic refers to; what a file does not hold, it does not show either."""
        return self._package.optional_tree(relation.target) if relation else None


def _layout(package: Package, part: str | None, layouts: dict[str, Layout]) -> Layout:
    if part is None:
        return Layout(None, None)
    if part not in layouts:
        relations = package.relations(part).values()
        masters = (found.target for found in relations if found.kind == "slideMaster")
        master = next((package.optional_tree(master) for master in masters), None)
        layouts[part] = Layout(package.tree(part), master)
    return layouts[part]


def _title(shapes: list[Shape]) -> Shape | None:
    """Find the title of a slide; programs that know no placeholders only write it larger."""
    filled = [shape for shape in shapes if all_text(child(shape.element, "txBody")).strip()]
    if filled and (filled[0].is_title or stands_out(filled[0], filled[1:])):
        return filled[0]
    return None


def _cell(cell: Any) -> str:
    is_covered = cell.get("hMerge") in {"1", "true"} or cell.get("vMerge") in {"1", "true"}
    return "" if is_covered else all_text(child(cell, "txBody"))
