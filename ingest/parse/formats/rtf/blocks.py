"""Turns the text of an RTF file, as its paragraphs and cells end, into blocks."""

import re
from dataclasses import dataclass, field

from ingest.parse.builder import DocumentBuilder
from ingest.parse.lists import is_list_item
from ingest.parse.parsed import BlockKind

BODY_LEVEL = 9  # of \outlinelevel, which counts headings from 0
# Any other label is a bullet, and often a letter of a font of symbols.
_NUMBER = re.compile(r"\(?\w[\w.-]{0,20}[.):]|\d[\w.]{0,20}")


@dataclass(slots=True)
class Style:
    """A paragraph style as the file describes it."""

    name: str = ""
    outline_level: int = BODY_LEVEL

    @property
    def heading_level(self) -> int:
        """The level of its paragraphs, from 1; 0: no headings."""
        digit = self.name.lower().removeprefix("heading ")
        if digit != self.name.lower() and digit in set("123456789"):
            return int(digit)
        return self.outline_level + 1 if 0 <= self.outline_level < BODY_LEVEL else 0

    @property
    def is_title(self) -> bool:
        """Whether its paragraphs name the document."""
        return self.name.lower() == "title"


@dataclass(slots=True)
class Paragraph:
    """What is set for a paragraph."""

    style: int = 0
    outline_level: int = BODY_LEVEL
    is_in_table: bool = False


@dataclass(slots=True)
class Blocks:
    """Holds what was written since the last block, and the styles that tell what it is."""

    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    title: str | None = None  # the first paragraph in the style of titles
    styles: dict[int, Style] = field(default_factory=dict)
    _text: list[str] = field(default_factory=list)
    _label: list[str] = field(default_factory=list)
    _row: list[str] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Add to the current paragraph."""
        self._text.append(text)

    def write_label(self, text: str) -> None:
        """Add to the number or bullet of the current paragraph."""
        self._label.append(text)

    def add_note(self, text: str) -> None:
        """Take a footnote, to be read after the paragraph or row that refers to it."""
        self._notes.append(text)

    def end_paragraph(self, paragraph: Paragraph) -> None:
        """Close a paragraph; in a table it is a part of its cell."""
        if paragraph.is_in_table:
            self._text.append("\n")
            return
        self.end_row()
        is_item = bool(self._label)
        text = self._take_text()
        style = self.styles.get(paragraph.style, Style())
        level = Style("", paragraph.outline_level).heading_level or style.heading_level
        if style.is_title and self.title is None and text:
            self.title = text
        if level or style.is_title:
            self.builder.add(BlockKind.HEADING, text, level or 1)
        elif is_item or is_list_item(text):
            self.builder.add(BlockKind.LIST_ITEM, text)
        else:
            self.builder.add(BlockKind.PARAGRAPH, text)
        self._add_notes()

    def end_cell(self) -> None:
        """Close a cell."""
        self._row.append(self._take_text())

    def end_row(self) -> None:
        """Close a row; a file may end one without saying so."""
        if self._row:
            self.builder.add_row(self._row)
            self._row = []
            self._add_notes()

    def _add_notes(self) -> None:
        for note in self._notes:
            self.builder.add(BlockKind.PARAGRAPH, note)
        self._notes.clear()

    def _take_text(self) -> str:
        label, text = "".join(self._label).strip(), "".join(self._text).strip()
        self._label.clear()
        self._text.clear()
        return f"{label} {text}" if text and _NUMBER.fullmatch(label) else text
