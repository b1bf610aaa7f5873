"""Files of every kind that the desk reads, and some that it does not."""

import io
import zlib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import xlsxwriter
from pptx import Presentation
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

LARGE_BYTES = 240_000
BOMB_BYTES = 250_000_000
SUBJECTS = ("kettle", "toaster", "mixer", "blender", "steamer", "juicer", "roaster", "cooler")


def mixed(folder: Path) -> list[Path]:
    """Write thirty files: all formats, and one for each way in which a file is not taken in."""
    written = [_write(folder / name, data) for name, data in _files()]
    assert len(written) == 30
    return written


def large(folder: Path) -> Path:
    """Write a text that takes long enough to be caught at work."""
    lines, size, number = ["# A very long list of spare parts\n"], 0, 0
    while size < LARGE_BYTES:
        number += 1
        digest = zlib.crc32(str(number).encode())
        lines.append(
            f"Part {number:06d} is kept on shelf {digest % 997} of hall {digest % 13} and fits the"
            f" {SUBJECTS[number % len(SUBJECTS)]} of series {digest % 5_003}.\n"
        )
        size += len(lines[-1])
    return _write(folder / "wagon-parts.md", "\n".join(lines).encode())


def pdf(*pages: str, password: str = "") -> bytes:
    """Return a PDF with one text a page."""
    buffer = io.BytesIO()
    encryption = StandardEncryption(password) if password else None
    canvas = Canvas(buffer, pagesize=A4, encrypt=encryption, invariant=True)
    for number, text in enumerate(pages, start=1):
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(72, 760, f"Chapter {number}")
        canvas.setFont("Helvetica", 11)
        for line, sentence in enumerate(text.split("\n")):
            canvas.drawString(72, 730 - 16 * line, sentence)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _files() -> Iterator[tuple[str, bytes]]:
    yield from _readable()
    for number, subject in enumerate(SUBJECTS):
        yield f"care-of-the-{subject}.txt", _care(subject, number)
    manual = f"# Manual of the {SUBJECTS[0]}\n\n" + _care("kettle in the office", 3).decode()
    yield "manual.md", manual.encode()
    yield "manual-copy.md", manual.encode()
    yield "damaged.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 20
    yield "protected.pdf", pdf("Nobody reads this.", password="secret")
    yield "empty.txt", b""
    yield "swollen.docx", _bomb()
    yield "picture.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
    long_name = "guarantee-" + "of-a-very-long-name-" * 9 + "end.txt"
    yield long_name, b"The guarantee of the long name lasts 11 months."


def _readable() -> Iterator[tuple[str, bytes]]:
    yield (
        "boiler.pdf",
        pdf(
            "The boiler holds 4 litres of water.\nIt heats up in 90 seconds.",
            "Descale the boiler every 6 weeks.\nUse 25 grams of citric acid for it.",
        ),
    )
    yield "second.pdf", pdf("The grinder of the second series runs at 480 turns a minute.")
    yield "brewing.docx", _docx()
    yield "training.pptx", _pptx()
    yield "prices.xlsx", _xlsx()
    yield "shops.csv", b"Town,Street,Opens at\nUtrecht,Oudegracht 12,9\nGhent,Korenlei 3,10\n"
    yield (
        "returns.html",
        (b"<!doctype html><title>Returns</title><h1>Returns</h1><p>Return it in 14 days.</p>"),
    )
    yield "cleaning.md", b"# Cleaning\n\nRinse the milk pipe for 20 seconds after each drink.\n"
    yield "service.rst", b"Service\n=======\n\nA service visit takes 45 minutes.\n"
    yield "answer.eml", _eml()
    yield "handbook.epub", _epub()
    yield "notice.odt", _odt()
    yield (
        "letter.rtf",
        rb"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 The cup warmer stays on for 30 minutes.\par}",
    )
    yield "notes.txt", "The frother swivels by 270 degrees; naïve café tests passed.".encode()


def _care(subject: str, number: int) -> bytes:
    return (
        f"Care of the {subject}. Wipe the {subject} with a damp cloth after use. Every"
        f" {number + 2} weeks its filter is changed, which takes {5 * (number + 1)} minutes."
    ).encode()


def _docx() -> bytes:
    document = docx.Document()
    document.add_heading("Brewing", 1)
    document.add_paragraph("Brew at 93 degrees for 27 seconds.")
    return _saved(document.save)


def _pptx() -> bytes:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Training"
    slide.placeholders[1].text = "New colleagues train for 3 days."
    return _saved(presentation.save)


def _xlsx() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as workbook:
        sheet = workbook.add_worksheet("Prices")
        sheet.write_row(0, 0, ["Part", "Price"])
        sheet.write_row(1, 0, ["Gasket", 4.5])
        sheet.write_row(2, 0, ["Pump", 61])
    return buffer.getvalue()


def _eml() -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Delivery times", "desk@example.com"
    message["To"], message["Date"] = "all@example.com", "Fri, 20 Nov 2026 08:00:00 +0000"
    message.set_content("From Monday on we deliver within 4 working days.")
    return message.as_bytes()


def _epub() -> bytes:
    page = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Handbook</title></head>'
        "<body><h1>Handbook</h1><p>The handle is tightened with 5 newton metres.</p></body></html>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">x'
        "</dc:identifier><dc:title>Handbook</dc:title><dc:language>en</dc:language></metadata>"
        '<manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="one"/></spine></package>'
    )
    return _zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": package,
            "one.xhtml": page,
        }
    )


def _odt() -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" xmlns:text="{names}:text:1.0">'
        "<office:body><office:text><text:h>Notice</text:h>"
        "<text:p>The drip tray holds 600 millilitres.</text:p>"
        "</office:text></office:body></office:document-content>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0"><manifest:file-entry'
        ' manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
        "</manifest:manifest>"
    )
    return _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
        }
    )


def _bomb() -> bytes:
    """Return a Word file of kilobytes that unpacks to more than anybody has room for."""
    buffer = io.BytesIO(_docx())
    piece = bytes(10_000_000)
    with (
        ZipFile(buffer, "a", ZIP_DEFLATED) as archive,
        archive.open("word/media/image1.xml", "w") as member,
    ):
        for _ in range(BOMB_BYTES // len(piece)):
            member.write(piece)
    return buffer.getvalue()


def _zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
