"""The sheets of a workbook and the text of their cells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.errors import CorruptDocumentError, PoisonDocumentError
from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.office.numbers import BUILT_IN, NumberFormat, number_format
from ingest.parse.office.tables import Allowance, Row
from ingest.parse.office.xml import Package, qualified, whole_number

WORKBOOK = "xl/workbook.xml"
_MAX_SHEETS = 2_000
_MAX_COLUMNS = 16_384
_MAX_ROWS = 1_048_576
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?\d{1,7}")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_TRUE = frozenset({"1", "true", "on"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """An entry of the workbook's list of sheets."""

    name: str
    part: str
    is_hidden: bool


class Workbook:
    """Reads sheets, one row in memory at a time."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._allowance = Allowance(package.name)
        root = package.tree(WORKBOOK)
        self._relations = package.relations(WORKBOOK)
        properties = child(root, "workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in _TRUE
        self._strings = self._read_strings()
        self._formats = self._read_formats()
        self.sheets = [self._sheet(entry) for entry in children(child(root, "sheets"), "sheet")]
        if len(self.sheets) > _MAX_SHEETS:
            reason = f"it has more than {_MAX_SHEETS:,} sheets"
            raise PoisonDocumentError(title=package.name, reason=reason)

    @property
    def allowance(self) -> Allowance:
        """What is left of the cells that the workbook may have."""
        return self._allowance

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """Yield a sheet's rows by column, counted from 1; one empty row for any blank ones."""
        last, is_hidden = 0, bytearray(_MAX_COLUMNS + 1)
        for element in self._package.stream(sheet.part, "col", "row"):
            if local_name(element) == "col":
                _hide(is_hidden, element)
                continue
            number = max(last + 1, min(whole_number(element.get("r")), _MAX_ROWS))
            if number > last + 1:
                yield {}
            last = number
            yield {
                column: self._allowance.take(text)
                for column, text in self._cells(element)
                if not is_hidden[column]
            }

    def _cells(self, row: Any) -> Iterator[tuple[int, str]]:
        column = 0
        for cell in children(row, "c"):
            column = _column(cell.get("r")) or column + 1
            if column > _MAX_COLUMNS:
                return
            text = self._text(cell)
            if text.strip():
                yield column, text

    def _text(self, cell: Any) -> str:
        kind = cell.get("t")
        if kind == "inlineStr":
            return _rich_text(child(cell, "is"))
        element = child(cell, "v")
        value = "" if element is None else (element.text or "").strip()
        if kind == "s":
            index = whole_number(value, default=len(self._strings))
            return self._strings[index] if index < len(self._strings) else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "d":
            return value.replace("T", " ").removesuffix("Z").removesuffix(" 00:00:00")
        return _unescaped(value) if kind in {"str", "e"} else self._number(value, cell.get("s"))

    def _number(self, value: str, style: str | None) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        index = whole_number(style)
        shown = self._formats[index] if index < len(self._formats) else NumberFormat()
        return shown.show(number, from_1904=self._from_1904)

    def _sheet(self, entry: Any) -> Sheet:
        name = str(entry.get("name") or "")
        relation = self._relations.get(qualified(entry, "id"))
        if relation is None:
            reason = f"its sheet “{name}” is missing"
            raise CorruptDocumentError(title=self._package.name, reason=reason)
        return Sheet(name, relation.target, entry.get("state") in {"hidden", "veryHidden"})

    def _part(self, kind: str) -> str | None:
        parts = (found.target for found in self._relations.values() if found.kind == kind)
        return next((part for part in parts if part in self._package), None)

    def _read_strings(self) -> list[str]:
        part = self._part("sharedStrings")
        return [_rich_text(item) for item in self._package.stream(part, "si")] if part else []

    def _read_formats(self) -> list[NumberFormat]:
        part = self._part("styles")
        root = self._package.tree(part) if part else None
        codes = dict(BUILT_IN)
        for element in children(child(root, "numFmts"), "numFmt"):
            codes[whole_number(element.get("numFmtId"))] = str(element.get("formatCode") or "")
        styles = children(child(root, "cellXfs"), "xf")
        return [number_format(codes.get(whole_number(s.get("numFmtId")), "")) for s in styles]


def _column(reference: str | None) -> int:
    """Return the column of a reference such as `B7`, from 1; 0 for none."""
    found = _REFERENCE.fullmatch(reference or "")
    number = 0
    for letter in found[1] if found else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _hide(is_hidden: bytearray, element: Any) -> None:
    """Mark the columns that were hidden by hand; those of a folded group are only folded."""
    if element.get("hidden") in _TRUE and not whole_number(element.get("outlineLevel")):
        first = whole_number(element.get("min"), default=_MAX_COLUMNS + 1)
        last = min(whole_number(element.get("max")), _MAX_COLUMNS)
        if first <= last:
            is_hidden[first : last + 1] = b"\1" * (last + 1 - first)


def _rich_text(item: Any) -> str:
    """Join the runs of a string, without the reading aids beside them."""
    runs = [item, *children(item, "r")]
    return _unescaped("".join(text.text or "" for run in runs for text in children(run, "t")))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
