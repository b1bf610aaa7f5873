"""PDF: the text of each page in reading order, its structure from places and font sizes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from types import MappingProxyType

import pypdfium2 as pdfium

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.formats.pdf import repair as pdf_repair
from ingest.parse.formats.pdf.blocks import Look, PdfBlock, group, join_lines, survey
from ingest.parse.formats.pdf.forms import Field, filled_fields, open_form
from ingest.parse.formats.pdf.frame import Frame, frame_of
from ingest.parse.formats.pdf.lines import Line, read_lines
from ingest.parse.formats.pdf.running import without_running_lines
from ingest.parse.formats.pdf.scans import is_scan, lines_of
from ingest.parse.formats.pdf.words import align, words_of_lines, words_of_row
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.titles import choose_title
from ingest.parse.wire import ScannedPage

NAME = "PDF"
RANK = 10
MEDIA_TYPE = "application/pdf"
MAX_PAGES = 2_000
NO_SCANS: Mapping[int, ScannedPage] = MappingProxyType({})
_MAX_COVER_LINES = 3
_MAGIC_WINDOW = 1024
_OBJECT = re.compile(rb"\d \d{1,5} obj\b")


def recognises(data: bytes, _name: str) -> bool:
    """Tell whether it is a PDF; some have a few bytes of something else in front."""
    at = data[:_MAGIC_WINDOW].find(b"%PDF-")
    return at == 0 or (at > 0 and _OBJECT.search(data) is not None)


def parse(data: bytes, name: str, scans: Mapping[int, ScannedPage] = NO_SCANS) -> ParsedDocument:
    """Read a PDF file; `scans` are pages without text that were recognised, by number."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise EncryptedDocumentError(title=name) from error
        return pdf_repair.parse(data, name, MEDIA_TYPE, MAX_PAGES)
    try:
        open_form(document)
        return _read(document, name, scans)
    finally:
        document.close()


@dataclass(frozen=True, slots=True)
class _Page:
    lines: list[Line]
    frame: Frame
    fields: Sequence[Field] = ()
    is_broken: bool = False
    is_unread: bool = False  # a scan that nobody recognised


def _read(
    document: pdfium.PdfDocument, name: str, scans: Mapping[int, ScannedPage]
) -> ParsedDocument:
    count = len(document)
    if count > MAX_PAGES:
        reason = f"it has {count:,} pages, more than {MAX_PAGES:,}"
        raise PoisonDocumentError(title=name, reason=reason)
    pages = [_page(document, number, scans.get(number)) for number in range(1, count + 1)]
    if all(page.is_broken for page in pages):
        raise CorruptDocumentError(title=name, reason="none of its pages can be read")
    readable = without_running_lines([page.lines for page in pages])
    look = survey(readable)
    builder, first_page = DocumentBuilder(), list[PdfBlock]()
    for lines, page in zip(readable, pages, strict=True):
        builder.start_page()
        blocks = list(group(lines, look))
        first_page = first_page or blocks
        for block in blocks:
            _add(builder, block, look, page.frame)
        _add_fields(builder, page)
    title = choose_title(name, _metadata_title(document), _largest_heading(first_page))
    unread = [number for number, page in enumerate(pages, start=1) if page.is_unread]
    return builder.build(title, MEDIA_TYPE, "pdf", unread)


def _page(document: pdfium.PdfDocument, number: int, scan: ScannedPage | None) -> _Page:
    """Read a page; one that is broken costs only itself."""
    try:
        page = document[number - 1]
    except pdfium.PdfiumError:
        return _Page([], Frame(0, 0, 1, 1), is_broken=True)
    frame = frame_of(page)
    try:
        lines, fields = read_lines(page, frame), filled_fields(page, frame)
        if lines or not is_scan(page, frame):
            return _Page(lines, frame, fields)
        if scan is None:
            return _Page([], frame, fields, is_unread=True)
        frame = replace(frame, tilt=scan.turns)
        return _Page(lines_of(scan, frame), frame, fields)
    except pdfium.PdfiumError:
        return _Page([], frame, is_broken=True)
    finally:
        page.close()


def _add(builder: DocumentBuilder, block: PdfBlock, look: Look, frame: Frame) -> None:
    if block.kind is BlockKind.TABLE_ROW:
        cells = block.lines[0].cells
        words = words_of_row(cells)
        added = builder.add_row([cell.text for cell in cells])
    else:
        words = words_of_lines(block.lines)
        added = builder.add(block.kind, join_lines(block.lines, look), block.level)
    if added:
        builder.place(align(*builder.last_text, words, frame))


def _add_fields(builder: DocumentBuilder, page: _Page) -> None:
    frame = replace(page.frame, tilt=0)  # a field lies as the page is shown
    for field in page.fields:
        if builder.add(BlockKind.PARAGRAPH, field.text):
            builder.place(align(*builder.last_text, field.words(), frame))


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
