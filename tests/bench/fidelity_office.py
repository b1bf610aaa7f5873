"""Word, PowerPoint and Excel files with a known text."""

# The writer of Excel files carries no type information.
# mypy: disable-error-code="import-untyped"

import io
from datetime import date

from docx import Document
from docx.document import Document as Docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.text.paragraph import Paragraph
from pptx import Presentation
from pptx.util import Inches
from xlsxwriter import Workbook

from tests.bench.fidelity_text import Sample, prose

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
FOOTNOTES = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
# As Word writes a text box: once for itself, and once for programs of before 2010.
TEXT_BOX = """
<w:p xmlns:w="{w}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
 xmlns:v="urn:schemas-microsoft-com:vml"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:r>
<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:extent cx="9" cy="9"/>
<wp:docPr id="1" name="Box"/><a:graphic><a:graphicData
 uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr/>
<wps:spPr/><wps:txbx><w:txbxContent>{body}</w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp>
</a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape>
<v:textbox><w:txbxContent>{body}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback>
</mc:AlternateContent></w:r></w:p>
"""


def docx_samples() -> list[Sample]:
    """Write the Word files."""
    return [_manual(), _tables(), _revised()]


def pptx_samples() -> list[Sample]:
    """Write the PowerPoint files."""
    return [_slides()]


def xlsx_samples() -> list[Sample]:
    """Write the Excel files."""
    return [_price_list()]


def _manual() -> Sample:
    """Headings, lists, a head and foot, and a text box."""
    document = Document()
    document.sections[0].header.paragraphs[0].text = "Brewer Works confidential"
    document.sections[0].footer.paragraphs[0].text = "Printed for internal use"
    expected = []
    for chapter in (1, 2, 3):
        parts = [("Heading 1", f"Chapter {chapter} of servicing"), ("Normal", prose(chapter, 8))]
        parts += [("List Bullet", prose(20 + 10 * chapter + n, 1)) for n in range(3)]
        parts += [("List Bullet 2", prose(60 + 10 * chapter + n, 1)) for n in range(2)]
        for style, text in parts:
            document.add_paragraph(text, style)
            expected.append(text)
    inside = prose(120, 3)
    body = f"<w:p><w:r><w:t>{inside}</w:t></w:r></w:p>"
    last = document.add_paragraph(prose(121, 4))
    last._p.addprevious(parse_xml(TEXT_BOX.format(w=W, body=body)))
    expected += [inside, last.text]
    return Sample("manual.docx", _bytes(document), "\n".join(expected))


def _tables() -> Sample:
    """A table with merged cells, one inside a cell, and paragraphs around."""
    document = Document()
    before, after = prose(130, 5), prose(131, 5)
    document.add_paragraph(before)
    table = document.add_table(rows=6, cols=3)
    texts = [
        ["Maintenance overview"],
        *([prose(140 + 3 * r + c, 1) for c in (0, 1, 2)] for r in range(5)),
    ]
    table.cell(0, 0).merge(table.cell(0, 2)).text = texts[0][0]
    for row, cells in enumerate(texts[1:], start=1):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    inner = table.cell(5, 2).add_table(rows=2, cols=2)
    inner_texts = [f"nested {word}" for word in ("alpha", "beta", "gamma", "delta")]
    for place, text in enumerate(inner_texts):
        inner.cell(place // 2, place % 2).text = text
    document.add_paragraph(after)
    expected = [before, *(" ".join(cells) for cells in texts), *inner_texts, after]
    return Sample("tables.docx", _bytes(document), "\n".join(expected))


def _revised() -> Sample:
    """Tracked changes not yet accepted, and footnotes."""
    document = Document()
    texts = [prose(160, 6), "Inserted meanwhile", prose(161, 6)]
    document.add_paragraph(texts[0])
    changed = document.add_paragraph()
    author = 'w:id="1" w:author="editor"'
    _append(changed, f"<w:ins {author}><w:r><w:t>{texts[1]}</w:t></w:r></w:ins>")
    _append(changed, f"<w:del {author}><w:r><w:delText>struck out</w:delText></w:r></w:del>")
    last = document.add_paragraph(texts[2])
    notes = {2: prose(162, 2), 3: prose(163, 2)}
    for number in notes:
        _append(last, f'<w:r><w:footnoteReference w:id="{number}"/></w:r>')
    _add_footnotes(document, notes)
    expected = "\n".join([*texts, *notes.values()])
    return Sample("revised.docx", _bytes(document), expected, optional="1 2")


def _append(paragraph: Paragraph, xml: str) -> None:
    """Add an element that the library has no function for."""
    wrapper = parse_xml(f'<w:p xmlns:w="{W}">{xml}</w:p>')
    paragraph._p.append(wrapper[0])


def _add_footnotes(document: Docx, notes: dict[int, str]) -> None:
    bodies = "".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote>'
        for number, text in notes.items()
    )
    xml = f'<?xml version="1.0"?><w:footnotes xmlns:w="{W}">{bodies}</w:footnotes>'
    part = Part(PackURI("/word/footnotes.xml"), FOOTNOTES, xml.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)


def _slides() -> Sample:
    """Titles, bullets, a table, a group, notes, and boxes drawn from the bottom up."""
    presentation = Presentation()
    expected = []
    for number in (1, 2, 3):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        texts = [f"Slide about servicing {number}", prose(170 + number, 3), prose(180 + number, 2)]
        slide.shapes.title.text = texts[0]
        slide.placeholders[1].text = "\n".join(texts[1:])
        slide.notes_slide.notes_text_frame.text = note = prose(190 + number, 2)
        expected += [*texts, note]
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = title = "Parts and boxes"
    cells = [f"{word} {n}" for n in (31, 32) for word in ("filter", "price", "supplier")]
    table = slide.shapes.add_table(2, 3, *map(Inches, (1, 1.5, 6, 1))).table
    for place, text in enumerate(cells):
        table.cell(place // 3, place % 3).text = text
    upper, lower, grouped = prose(201, 2), prose(202, 2), prose(203, 2)
    for text, top in ((lower, 5.5), (upper, 4.5)):
        slide.shapes.add_textbox(*map(Inches, (1, top, 6, 0.8))).text_frame.text = text
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(*map(Inches, (1, 3, 6, 0.8))).text_frame.text = grouped
    expected += [title, *cells, grouped, upper, lower]
    buffer = io.BytesIO()
    presentation.save(buffer)
    return Sample("slides.pptx", buffer.getvalue(), "\n".join(expected), optional="Notes 1 2 3 4")


def _price_list() -> Sample:
    """Two sheets: a merged heading, formatted numbers, dates, a share, a computed total, gaps."""
    buffer = io.BytesIO()
    book = Workbook(buffer, {"in_memory": True})
    money, day, share = (
        book.add_format({"num_format": form}) for form in ("#,##0.00", "yyyy-mm-dd", "0%")
    )
    prices, stock = book.add_worksheet("Prices"), book.add_worksheet("Stock")
    prices.merge_range("A1:D1", "Spare parts and their prices")
    prices.write_row("A2", ["Part", "Price", "Since", "Discount"])
    expected = ["Spare parts and their prices", "Part Price Since Discount"]
    for row in range(12):
        name, price, since = prose(210 + row, 1), 1234.5 + row, date(2026, 3, 1 + row)
        prices.write(row + 2, 0, name)
        prices.write_number(row + 2, 1, price, money)
        prices.write_datetime(row + 2, 2, since, day)
        prices.write_number(row + 2, 3, row / 100, share)
        expected.append(f"{name} {price:,.2f} {since.isoformat()} {row}%")
    prices.write_formula("B15", "=SUM(B3:B14)", money, 14880.0)
    prices.write("A15", "Sum of all")
    expected += ["Sum of all 14,880.00"]
    for row in range(0, 12, 2):
        stock.write(row + 1, 1, text := prose(230 + row, 1))
        stock.write(row + 1, 4, amount := 3 * row + 7)
        expected.append(f"{text} {amount}")
    book.close()
    return Sample("prices.xlsx", buffer.getvalue(), "\n".join(expected), optional="Prices Stock")


def _bytes(document: Docx) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
