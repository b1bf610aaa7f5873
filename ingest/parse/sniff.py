"""Tells what a file is by its first bytes; names only decide between kinds of text."""

import re
from pathlib import PurePosixPath

from ingest.errors import EncryptedDocumentError
from ingest.parse.clean import decode
from ingest.parse.container import Container

_PDF_WINDOW = 1024
_PDF_OBJECT = re.compile(rb"\d \d{1,5} obj\b")
_TEXT_WINDOW = 65_536
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_DOCX_PART = "word/document.xml"
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
    (b"{\\rtf", "RTF document"),
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
    ("xl/workbook.xml", "Excel workbook"),
    ("xl/workbook.bin", "Excel workbook"),
    ("ppt/presentation.xml", "PowerPoint presentation"),
    ("META-INF/container.xml", "e-book"),
    ("META-INF/manifest.xml", "OpenDocument file"),
    ("content.xml", "OpenDocument file"),
)
# Atomic, possessive and bounded: no file may make these searches take forever.
_LEADING_MARKUP = r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+"
_HTML_START = re.compile(
    _LEADING_MARKUP + r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML_START = re.compile(r"\s*<\?xml\b", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"</?(?:html|head|body|title|meta|p|div|span|table|tr|td|h[1-6]|ul|ol|li|a|br|b|i|pre)\b[^<>]*>",
    re.IGNORECASE,
)
_MAIL_HEADERS = re.compile(
    r"(?:(?>[A-Z][\w-]*: .*\n|[ \t].*\n)){0,60}?(?:MIME-Version|Message-I[Dd]|Received): ",
    re.MULTILINE,
)
_MARKDOWN_SIGNS = (
    re.compile(r"^#{1,6} +\S", re.MULTILINE),
    re.compile(r"^(?:```|~~~)", re.MULTILINE),
    re.compile(r"\[[^\[\]\n]{1,300}\]\([^()\s]{1,300}\)"),
    re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|", re.MULTILINE),
    re.compile(r"\*\*[^*\s][^*\n]*\*\*"),
)
_MIN_MARKDOWN_SIGNS = 2


def is_pdf(data: bytes, _name: str) -> bool:
    """Tell whether it is a PDF; some have a few bytes of something else in front."""
    at = data[:_PDF_WINDOW].find(b"%PDF-")
    return at == 0 or (at > 0 and _PDF_OBJECT.search(data) is not None)


def is_docx(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container with Word's main part."""
    return data.startswith(_ZIP) and _DOCX_PART in Container(data, name)


def is_html(data: bytes, name: str) -> bool:
    """Tell whether it starts like a page, or has some tags and a page's name."""
    if not is_text(data, name):
        return False
    start = _start(data)
    if _HTML_START.match(start):
        return True
    return _suffix(name) in {".html", ".htm", ".xhtml"} and _HTML_TAG.search(start) is not None


def is_markdown(data: bytes, name: str) -> bool:
    """Tell whether its name says so or its text clearly has the structure."""
    if not is_text(data, name):
        return False
    start = _start(data)
    signs = sum(sign.search(start) is not None for sign in _MARKDOWN_SIGNS)
    return _suffix(name) in {".md", ".markdown"} or signs >= _MIN_MARKDOWN_SIGNS


def is_text(data: bytes, name: str) -> bool:
    """Tell whether it is made of characters and is not the source of something else."""
    return _looks_like_text(data) and _describe_text(data, name) is None


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
    return (_looks_like_text(data) and _describe_text(data, name)) or "binary data"


def _describe_text(data: bytes, name: str) -> str | None:
    start = _start(data)
    if data.startswith(b"{\\rtf"):
        return "RTF document"
    if data.startswith(b"%!PS"):
        return "PostScript document"
    if _MAIL_HEADERS.match(start) and _suffix(name) not in {".txt", ".md", ".html"}:
        return "e-mail message"
    if _XML_START.match(start) and not _HTML_START.match(start):
        return "XML data"
    return None


def _looks_like_text(data: bytes) -> bool:
    window = data[:_TEXT_WINDOW]
    if window.startswith(_TEXT_BYTE_ORDER_MARKS):
        return True
    controls = sum(window.count(code) for code in range(32) if code not in b"\t\n\r\f\x1b")
    return b"\x00" not in window and controls * 100 <= len(window)


def _start(data: bytes) -> str:
    return decode(data[:_TEXT_WINDOW]).lstrip("\ufeff")


def _suffix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()
