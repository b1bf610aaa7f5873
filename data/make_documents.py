"""Write the PDF and DOCX documents of the sample desk from the texts in ``sources/``.

Each source file starts with a TOML header between two ``+++`` lines. The body uses a small part
of Markdown: headings, paragraphs, lists, tables, ``>`` notes and ``---`` as a page break. The
``output`` entry of the header names the file to write; its suffix decides the format.

Running the script twice gives identical bytes::

    python data/make_documents.py [target folder]
"""

from __future__ import annotations

import io
import re
import sys
import tomllib
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_SECTION
from docx.shared import Cm, Pt
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    ListFlowable,
    ListItem,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

if TYPE_CHECKING:
    from docx.document import Document as DocxFile
    from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
TARGET = HERE / "kb"
COMPANY = "Brunelta Kaffeemaschinen GmbH"
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)
ZIP_DATE = (2026, 1, 1, 0, 0, 0)

BLUE = colors.HexColor("#1f3a4d")
COPPER = colors.HexColor("#b0602f")
PALE = colors.HexColor("#f3ede7")
GREY = colors.HexColor("#6b6b6b")
LINE = colors.HexColor("#a8a29b")

CELL_PADDING = 5.0
SEPARATOR_ROW = re.compile(r"^\|(?:\s*:?-+:?\s*\|)+$")
NUMBERED = re.compile(r"^\d+\.\s+")

BlockKind = Literal["h1", "h2", "text", "note", "bullets", "numbers", "table", "break"]


@dataclass
class Block:
    """One piece of a document: a heading, a paragraph, a list, a table or a page break."""

    kind: BlockKind
    text: str = ""
    items: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Source:
    """One parsed source file."""

    meta: dict[str, Any]
    blocks: list[Block]

    def word(self, key: str) -> str:
        """Return a header entry as text, or an empty text when it is missing."""
        return str(self.meta.get(key, ""))


def read_source(path: Path) -> Source:
    """Read the TOML header and the body of one source file."""
    _, header, body = path.read_text(encoding="utf-8").split("+++\n", 2)
    return Source(meta=tomllib.loads(header), blocks=parse_blocks(body))


def parse_blocks(body: str) -> list[Block]:
    """Split the body at blank lines and turn each part into blocks."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = [line.rstrip() for line in part.splitlines() if line.strip()]
        while lines and (lead := parse_lead(lines[0])) is not None:
            blocks.append(lead)
            lines.pop(0)
        if lines:
            blocks.append(parse_rest(lines))
    return blocks


def parse_lead(line: str) -> Block | None:
    """Recognise the blocks that take exactly one line: headings and page breaks."""
    if line == "---":
        return Block("break")
    if line.startswith("## "):
        return Block("h2", text=line[3:])
    if line.startswith("# "):
        return Block("h1", text=line[2:])
    return None


def parse_rest(lines: list[str]) -> Block:
    """Turn the remaining lines of a part into a table, a list, a note or a paragraph."""
    first = lines[0]
    if first.startswith("|"):
        rows = [line for line in lines if not SEPARATOR_ROW.match(line)]
        return Block("table", rows=[split_row(row) for row in rows])
    if first.startswith("- "):
        return Block("bullets", items=[line[2:] for line in lines])
    if NUMBERED.match(first):
        return Block("numbers", items=[NUMBERED.sub("", line) for line in lines])
    if first.startswith("> "):
        return Block("note", text=" ".join(line.removeprefix("> ") for line in lines))
    return Block("text", text=" ".join(lines))


def split_row(line: str) -> list[str]:
    """Split one table line into its cells."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


# --------------------------------------------------------------------------------------- PDF


def make_styles(size: float) -> dict[str, ParagraphStyle]:
    """Return the paragraph styles for a body text of the given size."""
    base = ParagraphStyle(
        "text", fontName="Helvetica", fontSize=size, leading=size * 1.42, alignment=TA_LEFT
    )
    bold = {"fontName": "Helvetica-Bold", "textColor": BLUE, "keepWithNext": 1}
    return {
        "text": ParagraphStyle("body", base, spaceAfter=size * 0.6),
        "item": ParagraphStyle("item", base, spaceAfter=size * 0.25),
        "cell": ParagraphStyle("cell", base, fontSize=size - 1, leading=(size - 1) * 1.3),
        "head": ParagraphStyle(
            "head",
            base,
            fontName="Helvetica-Bold",
            fontSize=size - 1,
            leading=(size - 1) * 1.3,
            textColor=colors.white,
        ),
        "note": ParagraphStyle(
            "note",
            base,
            borderColor=COPPER,
            borderWidth=0.8,
            borderPadding=(5, 6, 5, 6),
            backColor=PALE,
            leftIndent=7,
            rightIndent=7,
            spaceBefore=size * 0.9,
            spaceAfter=size * 1.2,
        ),
        "h1": ParagraphStyle(
            "h1",
            base,
            fontSize=size * 1.6,
            leading=size * 2,
            spaceBefore=size,
            spaceAfter=size * 0.7,
            **bold,
        ),
        "h2": ParagraphStyle(
            "h2",
            base,
            fontSize=size * 1.2,
            leading=size * 1.6,
            spaceBefore=size * 0.7,
            spaceAfter=size * 0.35,
            **bold,
        ),
        "title": ParagraphStyle(
            "title", base, fontSize=size * 2.6, leading=size * 3.1, spaceAfter=size * 0.4, **bold
        ),
        "subtitle": ParagraphStyle(
            "subtitle",
            base,
            fontSize=size * 1.25,
            leading=size * 1.7,
            textColor=COPPER,
            spaceAfter=size * 0.4,
        ),
        "small": ParagraphStyle(
            "small",
            base,
            fontSize=size - 1.5,
            leading=size * 1.2,
            textColor=GREY,
            spaceAfter=size * 1.2,
        ),
    }


def column_widths(rows: list[list[str]], total: float, size: float) -> list[float]:
    """Share the width of the page by the longest text of each column."""
    wanted = []
    for column in zip(*rows, strict=True):
        head = stringWidth(column[0], "Helvetica-Bold", size)
        cells = [stringWidth(cell, "Helvetica", size) for cell in column[1:]]
        wanted.append(max(head, *cells) + 2 * CELL_PADDING + 1)
    spare = (total - sum(wanted)) / len(wanted)
    if spare >= 0:
        return [width + spare for width in wanted]
    return [total * width / sum(wanted) for width in wanted]


def pdf_table(rows: list[list[str]], width: float, styles: dict[str, ParagraphStyle]) -> Table:
    """Return a bordered table whose first row is repeated on each page."""
    cells = [[Paragraph(escape(cell), styles["head"]) for cell in rows[0]]]
    cells += [[Paragraph(escape(cell), styles["cell"]) for cell in row] for row in rows[1:]]
    table = Table(
        cells,
        colWidths=column_widths(rows, width, styles["cell"].fontSize),
        repeatRows=1,
        spaceBefore=4,
        spaceAfter=10,
        hAlign="LEFT",
    )
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), BLUE),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, PALE]),
                ("GRID", (0, 0), (-1, -1), 0.5, LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
                ("LEFTPADDING", (0, 0), (-1, -1), CELL_PADDING),
                ("RIGHTPADDING", (0, 0), (-1, -1), CELL_PADDING),
            ]
        )
    )
    return table


def pdf_list(block: Block, styles: dict[str, ParagraphStyle]) -> ListFlowable:
    """Return a bulleted or numbered list."""
    numbered = block.kind == "numbers"
    size = styles["item"].fontSize
    items = [ListItem(Paragraph(escape(item), styles["item"])) for item in block.items]
    return ListFlowable(
        items,
        bulletType="1" if numbered else "bullet",
        bulletFormat="%s." if numbered else None,
        start=None if numbered else "\u2022",
        bulletFontName="Helvetica-Bold" if numbered else "Helvetica",
        bulletFontSize=size,
        bulletColor=COPPER,
        leftIndent=18,
        spaceAfter=size * 0.6,
    )


def pdf_block(block: Block, width: float, styles: dict[str, ParagraphStyle]) -> Flowable:
    """Return the flowable of one block."""
    if block.kind == "break":
        return PageBreak()
    if block.kind == "table":
        return pdf_table(block.rows, width, styles)
    if block.kind in {"bullets", "numbers"}:
        return pdf_list(block, styles)
    return Paragraph(escape(block.text), styles[block.kind])


def pdf_front(source: Source, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    """Return the cover of a manual, or the heading lines of a shorter document."""
    front: list[Flowable] = []
    if source.meta["cover"]:
        front += [Spacer(1, 45 * mm), Paragraph("BRUNELTA", styles["subtitle"])]
    front += [
        Paragraph(escape(source.word("title")), styles["title"]),
        Paragraph(escape(source.word("subtitle")), styles["subtitle"]),
        Paragraph(escape(source.word("edition")), styles["small"]),
    ]
    if source.meta["cover"]:
        front.append(Spacer(1, 30 * mm))
    return front


def write_pdf(source: Source, path: Path) -> None:
    """Write one PDF with a page number and the name of the document on each page."""
    size = A5 if source.word("page") == "A5" else A4
    side = 15 * mm if size is A5 else 22 * mm
    styles = make_styles(9.0 if size is A5 else 11.0)
    width = size[0] - 2 * side

    def footer(canvas: Canvas, template: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setStrokeColor(LINE)
        canvas.line(side, 13 * mm, size[0] - side, 13 * mm)
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(GREY)
        canvas.drawString(side, 9 * mm, source.word("footer"))
        number = f"{source.word('page_word')} {template.page}"
        canvas.drawRightString(size[0] - side, 9 * mm, number)
        canvas.restoreState()

    document = BaseDocTemplate(
        str(path),
        pagesize=size,
        title=f"{source.word('title')} - {source.word('subtitle')}",
        author=COMPANY,
        lang=source.word("language"),
    )
    frame = Frame(side, 16 * mm, width, size[1] - 30 * mm, 0, 0, 0, 0, id="body")
    document.addPageTemplates([PageTemplate(id="page", frames=[frame], onPageEnd=footer)])
    story = pdf_front(source, styles)
    story += [pdf_block(block, width, styles) for block in source.blocks]
    document.build(story)


# -------------------------------------------------------------------------------------- DOCX


def docx_table(document: DocxFile, rows: list[list[str]]) -> None:
    """Add a bordered table with a bold first row."""
    table = document.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for number, row in enumerate(rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.font.size = Pt(9.5)
            run.bold = number == 0
    document.add_paragraph()


def docx_block(document: DocxFile, block: Block) -> None:
    """Add one block to the document."""
    if block.kind in {"h1", "h2"}:
        document.add_heading(block.text, level=1 if block.kind == "h1" else 2)
    elif block.kind == "table":
        docx_table(document, block.rows)
    elif block.kind == "break":
        document.add_section(WD_SECTION.NEW_PAGE)
    elif block.kind in {"bullets", "numbers"}:
        style = "List Number" if block.kind == "numbers" else "List Bullet"
        for item in block.items:
            document.add_paragraph(item, style=style)
    else:
        document.add_paragraph(block.text, style="Quote" if block.kind == "note" else None)


def fix_zip(data: bytes) -> bytes:
    """Return the same archive with fixed timestamps and a fixed order of its members."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            info = zipfile.ZipInfo(name, date_time=ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            info.create_system = 3
            new.writestr(info, old.read(name))
    return result.getvalue()


def write_docx(source: Source, path: Path) -> None:
    """Write one DOCX with fixed properties, so that its bytes depend on the source alone."""
    document = Document()
    properties = document.core_properties
    properties.title = source.word("title")
    properties.author = COMPANY
    properties.last_modified_by = COMPANY
    properties.language = source.word("language")
    properties.comments = ""
    properties.created = properties.modified = FIXED_DATE.replace(tzinfo=None)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.footer.paragraphs[0].text = f"{COMPANY} - {source.word('title')}"
    document.add_heading(source.word("title"), level=0)
    document.add_paragraph(source.word("subtitle"), style="Subtitle")
    document.add_paragraph(source.word("edition"))
    for block in source.blocks:
        docx_block(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(fix_zip(buffer.getvalue()))


def main(target: Path) -> None:
    """Write every document named by the files in ``sources/`` into the target folder."""
    rl_config.invariant = 1
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(SOURCES.glob("*.md")):
        source = read_source(path)
        output = target / source.word("output")
        if output.suffix == ".pdf":
            write_pdf(source, output)
        else:
            write_docx(source, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
