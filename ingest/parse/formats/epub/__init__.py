"""EPUB: the pages of a book in reading order."""

import posixpath
from typing import Any
from urllib.parse import unquote

from lxml import etree

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.container import Container
from ingest.parse.formats import html
from ingest.parse.formats.epub.pages import append, to_html
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sniff import is_container_with
from ingest.parse.titles import choose_title

NAME = "EPUB"
RANK = 10
MEDIA_TYPE = "application/epub+zip"
ENTRY_PART = "META-INF/container.xml"
ENCRYPTION_PART = "META-INF/encryption.xml"
_PACKAGE_TYPE = "application/oebps-package+xml"
_PAGE_TYPES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})
_DUBLIN_CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_MAX_PAGE_BYTES = 10_000_000
_MAX_MARKUP_BYTES = 50_000_000


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it is a ZIP container whose entry names the package of a book."""
    # Other formats, of sheet music and of page layout, have the same entry.
    return is_container_with(ENTRY_PART, data, name) and (
        _PACKAGE_TYPE.encode() in Container(data, name).read(ENTRY_PART)
    )


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an EPUB file."""
    container = Container(data, name)
    package_part = _package_part(_tree(container, ENTRY_PART, name), name)
    package = _tree(container, package_part, name)
    pages = [page for page in _pages(package, package_part) if page in container]
    _refuse_encrypted(container, {package_part, *pages}, name)
    builder = DocumentBuilder()
    left_bytes = _MAX_MARKUP_BYTES
    for page in pages:
        xhtml = container.read(page)
        left_bytes -= len(xhtml)
        if len(xhtml) > _MAX_PAGE_BYTES or left_bytes < 0:
            raise PoisonDocumentError(title=name, reason="its pages are too large")
        append(builder, html.parse_text(to_html(xhtml), page, html.MEDIA_TYPE))
    stated = package.find(f".//{_DUBLIN_CORE_TITLE}")
    title = choose_title(name, None if stated is None else stated.text, builder.first_heading())
    return builder.build(title, MEDIA_TYPE, "epub")


def _package_part(entry: Any, name: str) -> str:
    for root_file in entry.iter("{*}rootfile"):
        if root_file.get("media-type") == _PACKAGE_TYPE:
            return _inside("", root_file.get("full-path") or "")
    raise CorruptDocumentError(title=name, reason=f"its part {ENTRY_PART} names no book")


def _pages(package: Any, package_part: str) -> list[str]:
    """List the pages in reading order, each once, without tables of contents."""
    folder = posixpath.dirname(package_part)
    items = {item.get("id"): item for item in package.iter("{*}item")}
    contents = {
        _inside(folder, reference.get("href") or "")
        for reference in package.iter("{*}reference")
        if reference.get("type") == "toc"
    }
    pages: dict[str, None] = {}
    for place in package.iter("{*}itemref"):
        item = items.get(place.get("idref"))
        if item is None or item.get("media-type") not in _PAGE_TYPES:
            continue
        if "nav" not in (item.get("properties") or "").split():
            pages[_inside(folder, item.get("href") or "")] = None
    return [page for page in pages if page not in contents]


def _inside(folder: str, reference: str) -> str:
    """Resolve a reference to the name of a part; what leads out of the container names none."""
    path = unquote(reference.partition("#")[0])
    return posixpath.normpath(posixpath.join(folder, path))


def _refuse_encrypted(container: Container, parts: set[str], name: str) -> None:
    """Raise EncryptedDocumentError if the text is; fonts often are, without a password."""
    if ENCRYPTION_PART not in container:
        return
    for cipher in _tree(container, ENCRYPTION_PART, name).iter("{*}CipherReference"):
        if _inside("", cipher.get("URI") or "") in parts:
            raise EncryptedDocumentError(title=name)


def _tree(container: Container, part: str, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    xml = container.read(part)
    try:
        return etree.fromstring(xml, parser)
    except etree.LxmlError as error:
        reason = f"its part {part} is damaged"
        raise CorruptDocumentError(title=name, reason=reason) from error
