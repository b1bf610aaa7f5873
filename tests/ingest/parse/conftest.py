"""Files of every format, made by the programs' libraries, and the invariants of what comes out."""

import io
import re
from collections.abc import Callable
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import pypdfium2 as pdfium
import pytest
from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.parse.parsed import BlockKind, PageSpan, ParsedDocument

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff"
    "\ufb00-\ufb06\ud800-\udfff\U000e0000-\U000e007f]"
)

Draw = Callable[[Canvas], object]


def assert_invariants(document: ParsedDocument) -> None:
    text, end = document.text, 0
    for block in document.blocks:
        assert end <= block.start < block.end <= len(text)
        assert not text[end : block.start].strip()
        assert text[block.start : block.end].strip()
        assert (block.level >= 1) == (block.kind is BlockKind.HEADING)
        end = block.end
    assert not text[end:].strip()
    assert not _INVISIBLE.search(text)
    text.encode("utf-8")
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    borders = [page.start for page in document.pages] + [page.end for page in document.pages[-1:]]
    assert borders == sorted(borders)
    assert all(
        before.end == after.start
        for before, after in zip(document.pages, document.pages[1:], strict=False)
    )
    for page in document.pages:
        _assert_words_are_within(page, text)
    if document.pages:
        assert (document.pages[0].start, document.pages[-1].end) == (0, len(text))


def _assert_words_are_within(page: PageSpan, text: str) -> None:
    end = page.start
    for word in page.words:
        assert end <= word.start < word.end <= page.end
        assert not any(character.isspace() for character in text[word.start : word.end])
        assert 0 <= word.left < word.right <= 1
        assert 0 <= word.top < word.bottom <= 1
        assert word.left == round(word.left, 4)
        end = word.end


@pytest.fixture(scope="session")
def check() -> Callable[[ParsedDocument], None]:
    return assert_invariants


@pytest.fixture(scope="session")
def blocks_of() -> Callable[[ParsedDocument], list[tuple[str, str]]]:
    def list_blocks(document: ParsedDocument) -> list[tuple[str, str]]:
        assert_invariants(document)
        return [
            (f"{block.kind}{block.level or ''}", document.text[block.start : block.end])
            for block in document.blocks
        ]

    return list_blocks


@pytest.fixture(scope="session")
def make_pdf() -> Callable[..., bytes]:
    def make(*pages: Draw, title: str = "", encrypt: object = None) -> bytes:
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, encrypt=encrypt, invariant=True)
        canvas.setTitle(title)
        for draw in pages:
            draw(canvas)
            canvas.showPage()
        canvas.save()
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def write_lines() -> Callable[..., Draw]:
    def lines_at(*lines: str, size: int = 11, top: int = 700, font: str = "Helvetica") -> Draw:
        def draw(canvas: Canvas) -> None:
            canvas.setFont(font, size)
            for number, line in enumerate(lines):
                canvas.drawString(72, top - number * size * 1.2, line)

        return draw

    return lines_at


@pytest.fixture(scope="session")
def make_scan(make_pdf: Callable[..., bytes]) -> Callable[..., bytes]:
    """Make a PDF of pictures of pages, turned to the left by degrees, without any text."""

    def make(*pages: Draw, degrees: int = 0) -> bytes:
        document = pdfium.PdfDocument(make_pdf(*pages))
        buffer = io.BytesIO()
        canvas = Canvas(buffer)
        for page in document:
            picture = page.render(scale=2).to_pil().convert("L").rotate(degrees, expand=True)
            canvas.setPageSize(picture.size)
            canvas.drawImage(ImageReader(picture), 0, 0, *picture.size)
            canvas.showPage()
        document.close()
        canvas.save()
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_docx() -> Callable[..., bytes]:
    def make(fill: Callable[..., object], title: str = "") -> bytes:
        document = Document()
        document.core_properties.title = title
        fill(document)
        buffer = io.BytesIO()
        document.save(buffer)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_zip() -> Callable[[dict[str, bytes]], bytes]:
    def make(members: dict[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def word_xml() -> Callable[..., bytes]:
    """Make a main part from the inner XML of its paragraphs."""

    def make(*paragraphs: str) -> bytes:
        namespace = escape("http://schemas.openxmlformats.org/wordprocessingml/2006/main")
        body = "".join(f"<w:p>{paragraph}</w:p>" for paragraph in paragraphs)
        return f'<w:document xmlns:w="{namespace}"><w:body>{body}</w:body></w:document>'.encode()

    return make
