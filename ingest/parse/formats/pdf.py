"""PDF: the text of each page in reading order, its structure from places and font sizes."""

import re
from itertools import takewhile

import pypdfium2 as pdfium

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse import pdf_repair
from ingest.parse.builder import DocumentBuilder
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.pdf_blocks import PdfBlock, group, join_lines, survey
from ingest.parse.pdf_lines import Line, read_lines
from ingest.parse.pdf_running import without_running_lines
from ingest.parse.titles import choose_title

NAME = "PDF"
RANK = 10
MEDIA_TYPE = "application/pdf"
MAX_PAGES = 2_000
_MAX_COVER_LINES = 3
_MAGIC_WINDOW = 1024
_OBJECT = re.compile(rb"\d \d{1,5} obj\b")


def recognises(data: bytes, _name: str) -> bool:
    """Tell whether it is a PDF; some have a few bytes of something else in front."""
    at = data[:_MAGIC_WINDOW].find(b"%PDF-")
    return at == 0 or (at > 0 and _OBJECT.search(data) is not None)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a PDF file."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise EncryptedDocumentError(title=name) from error
        return pdf_repair.parse(data, name, MEDIA_TYPE, MAX_PAGES)
    try:
        return _read(document, name)
    finally:
        document.close()


def _read(document: pdfium.PdfDocument, name: str) -> ParsedDocument:
    count = len(document)
    if count > MAX_PAGES:
        reason = f"it has {count:,} pages, more than {MAX_PAGES:,}"
        raise PoisonDocumentError(title=name, reason=reason)
    pages = [_lines(document, index) for index in range(count)]
    if not count or all(lines is None for lines in pages):
        raise CorruptDocumentError(title=name, reason="none of its pages can be read")
    readable = without_running_lines([lines or [] for lines in pages])
    look = survey(readable)
    builder, first_page = DocumentBuilder(), list[PdfBlock]()
    for lines in readable:
        builder.start_page()
        blocks = list(group(lines, look))
        first_page = first_page or blocks
        for block in blocks:
            _add(builder, block, join_lines(block.lines, look))
    title = choose_title(name, _metadata_title(document), _largest_heading(first_page))
    return builder.build(title, MEDIA_TYPE, "pdf")


def _lines(document: pdfium.PdfDocument, index: int) -> list[Line] | None:
    """Read a page; one that is broken costs only itself."""
    try:
        page = document[index]
    except pdfium.PdfiumError:
        return None
    try:
        return read_lines(page)
    except pdfium.PdfiumError:
        return None
    finally:
        page.close()


def _add(builder: DocumentBuilder, block: PdfBlock, text: str) -> None:
    if block.kind is BlockKind.TABLE_ROW:
        builder.add_row([cell.text for cell in block.lines[0].cells])
    else:
        builder.add(block.kind, text, block.level)


def _metadata_title(document: pdfium.PdfDocument) -> str | None:
    try:
        return str(document.get_metadata_value("Title"))
    except (pdfium.PdfiumError, UnicodeError):
        return None


def _largest_heading(blocks: list[PdfBlock]) -> str | None:
    """Join a cover's headings; on a page with text, those of the highest level in a row."""
    levels = [block.level for block in blocks if block.kind is BlockKind.HEADING]
    if not levels:
        return None
    if len(levels) == len(blocks) <= _MAX_COVER_LINES:
        return ": ".join(map(_in_one_line, blocks))
    first = next(at for at, block in enumerate(blocks) if block.level == min(levels))
    title = takewhile(lambda block: block.level == min(levels), blocks[first:])
    return " ".join(map(_in_one_line, title))


def _in_one_line(block: PdfBlock) -> str:
    return " ".join(line.text for line in block.lines)
