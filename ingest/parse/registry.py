"""Finds a document's format by its content and has it read."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from ingest.errors import (
    DocumentTooLargeError,
    EmptyDocumentError,
    NoTextError,
    PoisonDocumentError,
    UnsupportedMediaTypeError,
)
from ingest.guard import hidden
from ingest.parse import formats, sniff
from ingest.parse.clean import decode
from ingest.parse.parsed import ParsedDocument

MAX_FILE_BYTES = 25_000_000
MAX_TEXT_BYTES = 5_000_000


class Format(Protocol):
    """A module of `ingest.parse.formats`."""

    NAME: str
    RANK: int

    def recognises(self, data: bytes, name: str, /) -> bool:
        """Tell whether a file is of this format."""

    def parse(self, data: bytes, name: str, /) -> ParsedDocument:
        """Read a file of this format."""


@cache
def known() -> tuple[Format, ...]:
    """Load every format; the first that recognises a file reads it."""
    names = [module.name for module in iter_modules(formats.__path__)]
    loaded = [import_module(f"{formats.__name__}.{name}") for name in sorted(names)]
    return tuple(sorted((cast("Format", module) for module in loaded), key=lambda one: one.RANK))


def detect(data: bytes, name: str) -> Format:
    """Tell a document's format; its name only decides between text formats.

    Raises:
        UnsupportedMediaTypeError: It is none of ours.
        EncryptedDocumentError: It is an Office document with a password.
        CorruptDocumentError: It is a ZIP container that cannot be opened.
    """
    sniff.refuse_encrypted_office(data, name)
    for candidate in known():
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
    document = checked(detect(data, name).parse(data, name), name)
    return replace(document, hidden=(*document.hidden, *_spelt(data)))


def _spelt(data: bytes) -> Iterator[str]:
    """Yield the invisible characters of a text file that spell something."""
    if not data.isascii() and sniff.is_text(data):
        text = decode(data)
        yield from (text[sign.start : sign.end] for sign in hidden.find(text))


def checked(document: ParsedDocument, name: str) -> ParsedDocument:
    """Return a document that has some text and not too much.

    Raises:
        IngestError: It has none, or is too long.
    """
    if not document.blocks and document.pages:
        raise NoTextError(title=name, pages=len(document.pages))
    if not document.blocks:
        raise EmptyDocumentError(title=name)
    if len(document.text.encode()) > MAX_TEXT_BYTES:
        reason = f"its text is longer than {MAX_TEXT_BYTES // 1_000_000} MB"
        raise PoisonDocumentError(title=name, reason=reason)
    return document
