"""Finds a document's format by its content and has it read."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from ingest.errors import (
    DocumentTooLargeError,
    EmptyDocumentError,
    NoTextError,
    PoisonDocumentError,
    UnsupportedMediaTypeError,
)
from ingest.parse import sniff
from ingest.parse.parsed import ParsedDocument

MAX_FILE_BYTES = 25_000_000
MAX_TEXT_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of document we read."""

    name: str
    module: str
    recognises: Callable[[bytes, str], bool]


# The first that recognises the content reads it.
FORMATS = (
    Format("PDF", "ingest.parse.pdf", sniff.is_pdf),
    Format("DOCX", "ingest.parse.docx", sniff.is_docx),
    Format("HTML", "ingest.parse.html", sniff.is_html),
    Format("Markdown", "ingest.parse.markdown", sniff.is_markdown),
    Format("plain text", "ingest.parse.text", sniff.is_text),
)


def detect(data: bytes, name: str) -> Format:
    """Tell a document's format; its name only decides between text formats.

    Raises:
        UnsupportedMediaTypeError: It is none of ours.
        EncryptedDocumentError: It is an Office document with a password.
        CorruptDocumentError: It is a ZIP container that cannot be opened.
    """
    sniff.refuse_encrypted_office(data, name)
    for candidate in FORMATS:
        if candidate.recognises(data, name):
            return candidate
    raise UnsupportedMediaTypeError(title=name, found=sniff.describe(data, name))


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a document.

    Raises:
        IngestError: It cannot be read; the subclass says why.
    """
    if not data:
        raise EmptyDocumentError(title=name)
    if len(data) > MAX_FILE_BYTES:
        raise DocumentTooLargeError(title=name, limit_mb=MAX_FILE_BYTES // 1_000_000)
    module = import_module(detect(data, name).module)
    read = cast("Callable[[bytes, str], ParsedDocument]", module.parse)
    return _checked(read(data, name), name)


def _checked(document: ParsedDocument, name: str) -> ParsedDocument:
    if not document.blocks and document.pages:
        raise NoTextError(title=name, pages=len(document.pages))
    if not document.blocks:
        raise EmptyDocumentError(title=name)
    if len(document.text.encode()) > MAX_TEXT_BYTES:
        reason = f"its text is longer than {MAX_TEXT_BYTES // 1_000_000} MB"
        raise PoisonDocumentError(title=name, reason=reason)
    return document
