"""Office files, made by other programs' libraries or written out where those cannot."""

import io
from collections.abc import Callable
from zipfile import ZipFile

import pytest
import xlsxwriter
from pptx import Presentation
from pptx.presentation import Presentation as Deck
from xlsxwriter import Workbook

_ODT_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in [
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("style", "style"),
        ("draw", "drawing"),
        ("meta", "meta"),
    ]
)


@pytest.fixture(scope="session")
def make_pptx() -> Callable[..., bytes]:
    def make(fill: Callable[[Deck], object], title: str = "") -> bytes:
        deck = Presentation()
        deck.core_properties.title = title
        fill(deck)
        buffer = io.BytesIO()
        deck.save(buffer)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_xlsx() -> Callable[..., bytes]:
    def make(fill: Callable[[Workbook], object], title: str = "") -> bytes:
        buffer = io.BytesIO()
        workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
        workbook.set_properties({"title": title})
        fill(workbook)
        workbook.close()
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_odt(make_zip: Callable[[dict[str, bytes]], bytes]) -> Callable[..., bytes]:
    """Make an ODT file from the inner XML of its body and of its automatic styles."""

    def make(body: str, styles: str = "", title: str = "", kind: str = "text") -> bytes:
        content = (
            f"<office:document-content {_ODT_NAMESPACES}>"
            f"<office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
            "</office:document-content>"
        )
        meta = (
            f'<office:document-meta {_ODT_NAMESPACES} xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<office:meta><dc:title>{title}</dc:title></office:meta></office:document-meta>"
        )
        return make_zip(
            {
                "mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(),
                "content.xml": content.encode(),
                "meta.xml": meta.encode(),
                "META-INF/manifest.xml": b"<manifest/>",
            }
        )

    return make


@pytest.fixture(scope="session")
def replace_parts(
    make_zip: Callable[[dict[str, bytes]], bytes],
) -> Callable[[bytes, dict[str, Callable[[bytes], bytes]]], bytes]:
    """Rewrite some parts of an office file."""

    def replace(data: bytes, changes: dict[str, Callable[[bytes], bytes]]) -> bytes:
        with ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        for name, change in changes.items():
            parts[name] = change(parts[name])
        return make_zip(parts)

    return replace
