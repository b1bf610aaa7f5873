"""XLSX: the visible sheets of a workbook, a page each, straight from the XML inside."""

from ingest.errors import EmptyDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.formats.xlsx.sheets import WORKBOOK, Sheet, Workbook
from ingest.parse.office.tables import write_tables
from ingest.parse.office.xml import Package
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import is_container_with
from ingest.parse.titles import choose_title

NAME = "XLSX"
RANK = 20
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container with Excel's main part."""
    return is_container_with(WORKBOOK, data, name)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an XLSX file; formulas count with the results that were saved."""
    package = Package(data, name)
    workbook = Workbook(package)
    builder = DocumentBuilder()
    seen: set[str] = set()
    for sheet in workbook.sheets:
        builder.start_page()
        if not sheet.is_hidden and sheet.part not in seen:
            _write(builder, sheet, workbook)
        seen.add(sheet.part)
    if builder.is_empty:
        raise EmptyDocumentError(title=name)
    return builder.build(choose_title(name, package.stated_title()), MEDIA_TYPE, "xlsx")


def _write(builder: DocumentBuilder, sheet: Sheet, workbook: Workbook) -> None:
    rows = list(workbook.rows(sheet))
    if any(rows):
        builder.add(BlockKind.HEADING, sheet.name, 1)
        write_tables(builder, rows, workbook.allowance)
