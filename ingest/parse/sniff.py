"""Tells what a file is by its first bytes; names only decide between kinds of text."""

import re
from pathlib import PurePosixPath

from ingest.errors import EncryptedDocumentError
from ingest.parse.clean import decode
from ingest.parse.container import Container

_TEXT_WINDOW = 65_536
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TEXT_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

_MAGIC = (
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"II*\x00", "TIFF image"),
    (b"MM\x00*", "TIFF image"),
    (b"BM", "bitmap image"),
    (b"RIFF", "picture, sound or video"),
    (b"\x00\x00\x00", "video"),
    (b"ID3", "sound"),
    (b"OggS", "sound"),
    (b"%!PS", "PostScript document"),
    (b"\x1f\x8b", "compressed archive"),
    (b"BZh", "compressed archive"),
    (b"7z\xbc\xaf", "compressed archive"),
    (b"Rar!", "compressed archive"),
    (b"\xfd7zXZ", "compressed archive"),
    (b"MZ", "Windows program"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3", "database"),
    (_OLE, "old Microsoft Office file"),
)
_ZIP_CONTENTS = (
    ("xl/workbook.bin", "binary Excel workbook"),
    ("META-INF/manifest.xml", "OpenDocument file"),
    ("content.xml", "OpenDocument file"),
)
# Atomic, possessive and bounded: no file may make these searches take forever.
_LEADING_MARKUP = r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+"
_HTML_START = re.compile(
    _LEADING_MARKUP + r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML_START = re.compile(r"\s*<\?xml\b", re.IGNORECASE)


def is_container_with(part: str, data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container that holds a part of this name."""
    return data.startswith(_ZIP) and part in Container(data, name)


def is_text(data: bytes) -> bool:
    """Tell whether it is made of characters and is not the source of something else."""
    return _looks_like_text(data) and _describe_text(data) is None


def starts_like_html(data: bytes) -> bool:
    """Tell whether the first markup is that of a page."""
    return _HTML_START.match(start_of(data)) is not None


def start_of(data: bytes) -> str:
    """Return the first characters of a text file."""
    return decode(data[:_TEXT_WINDOW]).lstrip("\ufeff")


def suffix(name: str) -> str:
    """Return the ending of a file name in lower case, its dot included."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def refuse_encrypted_office(data: bytes, name: str) -> None:
    """Raise EncryptedDocumentError for the wrapper that Office puts around encrypted files."""
    if data.startswith(_OLE) and _ENCRYPTED_PACKAGE in data:
        raise EncryptedDocumentError(title=name)


def describe(data: bytes, name: str) -> str:
    """Say in plain words what a file is that we do not read."""
    if data.startswith(_ZIP):
        container = Container(data, name)
        return next((words for part, words in _ZIP_CONTENTS if part in container), "ZIP archive")
    for magic, words in _MAGIC:
        if data.startswith(magic):
            return words
    return (_looks_like_text(data) and _describe_text(data)) or "binary data"


def _describe_text(data: bytes) -> str | None:
    if data.startswith(b"%!PS"):
        return "PostScript document"
    if _XML_START.match(start_of(data)) and not starts_like_html(data):
        return "XML data"
    return None


def _looks_like_text(data: bytes) -> bool:
    window = data[:_TEXT_WINDOW]
    if window.startswith(_TEXT_BYTE_ORDER_MARKS):
        return True
    controls = sum(window.count(code) for code in range(32) if code not in b"\t\n\r\f\x1b")
    return b"\x00" not in window and controls * 100 <= len(window)
