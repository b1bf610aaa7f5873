"""The filled text fields of a PDF form, which are no part of its pages' text."""

from collections.abc import Callable, Iterator
from ctypes import POINTER, c_ushort, cast, create_string_buffer
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest.parse.formats.pdf.frame import Box, Frame
from ingest.parse.formats.pdf.words import Placed

_MAX_ANNOTATIONS = 5_000
_MAX_CHARACTERS = 20_000

_Reader = Callable[[Any, Any, Any, int], int]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that somebody filled in, and where its page shows it."""

    name: str
    value: str
    box: Box

    @property
    def text(self) -> str:
        """What is read of it."""
        return f"{self.name}: {self.value}"

    def words(self) -> Iterator[Placed]:
        """List its words; those of the value stand in the field, its name perhaps nowhere."""
        yield from ((word, None) for word in f"{self.name}:".split())
        yield from ((word, self.box) for word in self.value.split())


def open_form(document: pdfium.PdfDocument) -> None:
    """Make a form's fields readable; to be called before its pages are loaded."""
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()


def filled_fields(page: pdfium.PdfPage, frame: Frame) -> list[Field]:
    """List the filled text fields of a page, each value of a name once."""
    if page.formenv is None:
        return []
    found: dict[tuple[str, str], Field] = {}
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        field = _field(page.formenv, annotation, frame)
        raw.FPDFPage_CloseAnnot(annotation)
        if field:
            found.setdefault((field.name, field.value), field)
    return list(found.values())


def _field(form: Any, annotation: Any, frame: Frame) -> Field | None:
    if raw.FPDFAnnot_GetFormFieldType(form, annotation) != raw.FPDF_FORMFIELD_TEXTFIELD:
        return None
    is_secret = raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD
    if is_secret or raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
        return None
    value = _read(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if not value:
        return None
    name = _read(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    name = name or _read(raw.FPDFAnnot_GetFormFieldName, form, annotation).rpartition(".")[2]
    rectangle = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, rectangle)
    box = frame.box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    return Field(name.rstrip(" :"), value, box)


def _read(reader: _Reader, form: Any, annotation: Any) -> str:
    size = reader(form, annotation, None, 0)
    if not 2 < size <= 2 * _MAX_CHARACTERS:
        return ""
    buffer = create_string_buffer(size)
    reader(form, annotation, cast(buffer, POINTER(c_ushort)), size)
    return buffer.raw.decode("utf-16-le", "ignore").rstrip("\0").strip()
