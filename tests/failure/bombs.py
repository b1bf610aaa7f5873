"""Files that are small to send and large, deep or endless to read."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

MEGABYTE = 1_000_000
DEPTH = 100_000

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PRESENTED = "presentationml.presentation.main"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODT = "application/vnd.oasis.opendocument.text"

Parts = dict[str, str | Iterable[bytes]]


def write(folder: Path) -> list[Path]:
    """Write every bomb into a folder."""
    for name, build in BOMBS.items():
        (folder / name).write_bytes(build())
    return [folder / name for name in BOMBS]


def _zip(parts: Parts) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            pieces = [content.encode()] if isinstance(content, str) else content
            with archive.open(name, "w", force_zip64=True) as part:
                for piece in pieces:
                    part.write(piece)
    return buffer.getvalue()


def _repeated(before: str, middle: str, after: str, size: int) -> Iterator[bytes]:
    """Yield a text whose middle is repeated up to a size, a megabyte at a time."""
    yield before.encode()
    piece = middle.encode() * (MEGABYTE // len(middle) + 1)
    for _ in range(size // len(piece) + 1):
        yield piece
    yield after.encode()


def _zeros(size: int) -> Iterator[bytes]:
    return _repeated("", "\0", "", size)


def zip_of_zeros() -> bytes:
    return _zip({"zeros.txt": _zeros(1_000 * MEGABYTE)})


def nested_zips() -> bytes:
    inner = _zip({"zeros.txt": _zeros(10 * MEGABYTE)})
    for _ in range(6):
        inner = _zip({f"{number}.zip": [inner] for number in range(10)})
    return inner


def _laughs(root: str) -> str:
    """Return a document type whose last entity is a thousand million times its first."""
    entities = "".join(
        f'<!ENTITY lol{level} "{f"&lol{level - 1};" * 10}">' for level in range(1, 10)
    )
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY lol0 "ha">{entities}]>'


def _office(kind: str, main: str, target: str, parts: Parts) -> bytes:
    """Return an Office package whose main part is one of those given."""
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{target}" ContentType="{_OFFICE}{kind}+xml"/>{main}</Types>'
    )
    relations = (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATION}/officeDocument" Target="{target}"/></Relationships>'
    )
    return _zip({"[Content_Types].xml": types, "_rels/.rels": relations, **parts})


def _docx(document: str | Iterable[bytes]) -> bytes:
    kind = "wordprocessingml.document.main"
    return _office(kind, "", "word/document.xml", {"word/document.xml": document})


def docx_of_190_megabytes() -> bytes:
    begin = f'<w:document xmlns:w="{_WORD}"><w:body>'
    paragraph = "<w:p><w:r><w:t>All about pumps.</w:t></w:r></w:p>"
    return _docx(_repeated(begin, paragraph, "</w:body></w:document>", 190 * MEGABYTE))


def docx_of_laughs() -> bytes:
    body = "<w:body><w:p><w:r><w:t>&lol9;</w:t></w:r></w:p></w:body>"
    return _docx(f'{_laughs("w:document")}<w:document xmlns:w="{_WORD}">{body}</w:document>')


def docx_of_nested_tables() -> bytes:
    begin = "<w:tbl><w:tr><w:tc>" * 20_000
    end = "<w:p/></w:tc></w:tr></w:tbl>" * 20_000
    return _docx(f'<w:document xmlns:w="{_WORD}"><w:body>{begin}{end}</w:body></w:document>')


def _xlsx(sheet: str | Iterable[bytes]) -> bytes:
    main = (
        f'<Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{_OFFICE}spreadsheetml.worksheet+xml"/>'
    )
    book = (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_RELATION}"><sheets>'
        f'<sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    relations = (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    parts: Parts = {
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": relations,
        "xl/worksheets/sheet1.xml": sheet,
    }
    return _office("spreadsheetml.sheet.main", main, "xl/workbook.xml", parts)


def xlsx_of_laughs() -> bytes:
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&lol9;</t></is></c></row>'
    head = f'{_laughs("worksheet")}<worksheet xmlns="{_SHEET}">'
    return _xlsx(f"{head}<sheetData>{cell}</sheetData></worksheet>")


def xlsx_of_a_million_cells() -> bytes:
    rows = (
        f'<row r="{row}">{"".join(f"<c><v>{row}{column}</v></c>" for column in range(100))}</row>'
        for row in range(1, 10_001)
    )
    begin = f'<worksheet xmlns="{_SHEET}"><sheetData>'
    return _xlsx([begin.encode(), *(row.encode() for row in rows), b"</sheetData></worksheet>"])


def xlsx_of_absurd_dimensions() -> bytes:
    return _xlsx(
        f'<worksheet xmlns="{_SHEET}"><dimension ref="A1:XFD1048576"/><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
        '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    )


def pptx_of_laughs() -> bytes:
    main = (
        f'<Override PartName="/ppt/slides/slide1.xml" '
        f'ContentType="{_OFFICE}presentationml.slide+xml"/>'
    )
    show = (
        f'<p:presentation xmlns:p="{_SLIDE}" xmlns:r="{_RELATION}"><p:sldIdLst>'
        f'<p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>'
    )
    relations = (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATION}/slide" Target="slides/slide1.xml"/></Relationships>'
    )
    text = "<p:txBody><a:p><a:r><a:t>&lol9;</a:t></a:r></a:p></p:txBody>"
    slide = (
        f'{_laughs("p:sld")}<p:sld xmlns:p="{_SLIDE}" xmlns:a="{_DRAWING}"><p:cSld>'
        f"<p:spTree><p:sp>{text}</p:sp></p:spTree></p:cSld></p:sld>"
    )
    parts: Parts = {
        "ppt/presentation.xml": show,
        "ppt/_rels/presentation.xml.rels": relations,
        "ppt/slides/slide1.xml": slide,
    }
    return _office(_PRESENTED, main, "ppt/presentation.xml", parts)


def odt_of_laughs() -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f"{_laughs('office:document-content')}<office:document-content "
        f'xmlns:office="{names}:office:1.0" xmlns:text="{names}:text:1.0"><office:body>'
        "<office:text><text:p>&lol9;</text:p></office:text></office:body>"
        "</office:document-content>"
    )
    return _zip({"mimetype": _ODT, "content.xml": content})


def odt_of_repeated_spaces() -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:text="{names}:text:1.0" xmlns:table="{names}:table:1.0"><office:body><office:text>'
        '<text:p>a<text:s text:c="2000000000"/>b</text:p><table:table><table:table-row '
        'table:number-rows-repeated="1048576"><table:table-cell '
        'table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>'
        "</table:table-row></table:table></office:text></office:body></office:document-content>"
    )
    return _zip({"mimetype": _ODT, "content.xml": content})


def epub_of_300_megabytes() -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    begin = '<html xmlns="http://www.w3.org/1999/xhtml"><body>'
    chapter = _repeated(begin, "<p>All about pumps.</p>", "</body></html>", 300 * MEGABYTE)
    return _zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": book,
            "a.xhtml": chapter,
        }
    )


def _pdf(objects: Iterable[bytes]) -> bytes:
    """Return a PDF of numbered objects, the first of which is its catalogue."""
    buffer = io.BytesIO(b"%PDF-1.7\n")
    buffer.seek(0, io.SEEK_END)
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(buffer.tell())
        buffer.write(b"%d 0 obj %b endobj\n" % (number, content))
    begin = buffer.tell()
    buffer.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    buffer.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    buffer.write(b"trailer <</Size %d /Root 1 0 R>>\n" % (len(places) + 1))
    buffer.write(b"startxref\n%d\n%%%%EOF\n" % begin)
    return buffer.getvalue()


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d %b>> stream\n%b\nendstream" % (len(data), entries, data)


def pdf_of_60_000_pages() -> bytes:
    count = 60_000
    kids = b" ".join(b"%d 0 R" % number for number in range(5, count + 5))
    page = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"
    shared = b"/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>"
    return _pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count %d/Kids[%b]%b>>" % (count, kids, shared),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            _stream(b"BT /F 12 Tf 72 700 Td (All about pumps.) Tj ET"),
            *[page] * count,
        ]
    )


def _pdf_of_one_page(contents: bytes, *more: bytes) -> bytes:
    return _pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F 5 0 R>>>>>>",
            contents,
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            *more,
        ]
    )


def pdf_of_deep_objects() -> bytes:
    deep = b"[" * DEPTH + b"]" * DEPTH
    return _pdf_of_one_page(_stream(b"BT ET", b"/Deep " + deep), deep, b"<</A " * DEPTH)


def pdf_of_pages_in_a_ring() -> bytes:
    return _pdf(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R 2 0 R]>>"]
    )


def _flate(pieces: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(piece) for piece in pieces), packer.flush()])


def pdf_of_inflated_streams() -> bytes:
    packed = _flate(_repeated("BT /F 12 Tf ", "(pump) Tj ", "ET", 1_000 * MEGABYTE))
    return _pdf_of_one_page(_stream(packed, b"/Filter/FlateDecode"))


def pdf_inflated_twice() -> bytes:
    packed = _flate([_flate(_zeros(2_000 * MEGABYTE))])
    return _pdf_of_one_page(_stream(packed, b"/Filter[/FlateDecode/FlateDecode]"))


def rtf_nested() -> bytes:
    return rb"{\rtf1 " + b"{" * DEPTH + b"pump" + b"}" * DEPTH + b"}"


def markdown_of_600_000_items() -> bytes:
    return b"- pump\n" * 600_000


def markdown_of_nested_quotes() -> bytes:
    return b"# Pumps\n\n" + b">" * DEPTH + b" pump\n" + b"[" * DEPTH + b"*a _b " * DEPTH


def html_nested() -> bytes:
    body = "<div>" * DEPTH + "pump" + "</div>" * DEPTH
    return f"<!doctype html><html><body>{body}</body></html>".encode()


def html_of_nested_tables() -> bytes:
    body = "<table><tr><td>" * DEPTH + "pump"
    return f"<!doctype html><html><body>{body}</body></html>".encode()


def mail_of_100_000_parts() -> bytes:
    head = (
        "From: a@example.com\nTo: b@example.com\nSubject: Pumps\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="x"\n\n'
    )
    return (head + "--x\nContent-Type: text/plain\n\npump\n" * DEPTH + "--x--\n").encode()


def mail_nested() -> bytes:
    heads = "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n'
        for level in range(20_000)
    )
    return f"From: a@example.com\nSubject: Pumps\nMIME-Version: 1.0\n{heads}\npump".encode()


def csv_of_one_line() -> bytes:
    return b"pump,loud;" * (2 * MEGABYTE)


def text_of_one_word() -> bytes:
    return b"a" * (4 * MEGABYTE)


BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros.zip": zip_of_zeros,
    "nested.zip": nested_zips,
    "long.docx": docx_of_190_megabytes,
    "laughs.docx": docx_of_laughs,
    "nested.docx": docx_of_nested_tables,
    "laughs.xlsx": xlsx_of_laughs,
    "million.xlsx": xlsx_of_a_million_cells,
    "absurd.xlsx": xlsx_of_absurd_dimensions,
    "laughs.pptx": pptx_of_laughs,
    "laughs.odt": odt_of_laughs,
    "repeated.odt": odt_of_repeated_spaces,
    "long.epub": epub_of_300_megabytes,
    "pages.pdf": pdf_of_60_000_pages,
    "deep.pdf": pdf_of_deep_objects,
    "ring.pdf": pdf_of_pages_in_a_ring,
    "inflated.pdf": pdf_of_inflated_streams,
    "twice.pdf": pdf_inflated_twice,
    "nested.rtf": rtf_nested,
    "items.md": markdown_of_600_000_items,
    "quotes.md": markdown_of_nested_quotes,
    "nested.html": html_nested,
    "tables.html": html_of_nested_tables,
    "parts.eml": mail_of_100_000_parts,
    "nested.eml": mail_nested,
    "line.csv": csv_of_one_line,
    "word.txt": text_of_one_word,
}
