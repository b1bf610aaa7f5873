from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import epub
from ingest.parse.parsed import ParsedDocument

ENTRY = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
    'full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
Zip = Callable[[dict[str, bytes]], bytes]


def page(body: str) -> bytes:
    head = "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head>"
    return f"{head}<body>{body}</body></html>".encode()


def package(items: dict[str, str], spine: list[str], title: str = "", more: str = "") -> bytes:
    manifest = "".join(
        f'<item id="{number}" href="{href}" media-type="application/xhtml+xml" {extra}/>'
        for number, (href, extra) in enumerate(items.items())
    )
    places = "".join(f'<itemref idref="{list(items).index(href)}"/>' for href in spine)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
        f"<manifest>{manifest}</manifest><spine>{places}</spine>{more}</package>"
    ).encode()


def book(members: dict[str, bytes], opf: bytes) -> dict[str, bytes]:
    return {epub.ENTRY_PART: ENTRY.encode(), "OPS/book.opf": opf, **members}


def test_pages_are_read_in_the_order_of_the_spine_each_once(
    make_zip: Zip, blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    members = {
        "OPS/text/second part.xhtml": page("<h1>Two</h1><ul><li>b</li></ul>"),
        "OPS/one.xhtml": page("<h1>One</h1><p>First.<br/>Line.</p><ul><li>a</li></ul>"),
        "OPS/nav.xhtml": page("<nav><a>One</a></nav>"),
        "OPS/toc.xhtml": page("<p>Contents</p>"),
    }
    items = {
        "text/second%20part.xhtml": "",
        "text/../one.xhtml#top": "",
        "nav.xhtml": 'properties="nav"',
        "toc.xhtml": "",
        "missing.xhtml": "",
    }
    spine = ["nav.xhtml", "toc.xhtml", "text/../one.xhtml#top", "text/second%20part.xhtml"]
    guide = '<guide><reference type="toc" href="toc.xhtml"/></guide>'
    opf = package(items, [*spine, "missing.xhtml", spine[2]], "Handbook", guide)

    document = epub.parse(make_zip(book(members, opf)), "a.epub")

    assert (document.title, document.pages) == ("Handbook", ())
    assert blocks_of(document) == [
        ("heading1", "One"),
        ("paragraph", "First.\nLine."),
        ("list_item", "a"),
        ("heading1", "Two"),
        ("list_item", "b"),
    ]


def test_headers_and_notes_of_a_book_are_text(make_zip: Zip) -> None:
    body = "<a id='x'/><header><h2>I</h2></header><p/><script/><aside>1 A note.</aside>"
    body += "<blockquote>Motto<footer>An author</footer></blockquote><p>End.</p>"
    members = book({"OPS/a.xhtml": page(body)}, package({"a.xhtml": ""}, ["a.xhtml"]))

    document = epub.parse(make_zip(members), "my_book.epub")

    assert document.text == "I\n\n1 A note.\n\nMotto\n\nAn author\n\nEnd."
    assert document.title == "I"


def test_only_encrypted_text_makes_a_book_unreadable(make_zip: Zip) -> None:
    members = book({"OPS/a b.xhtml": page("Text")}, package({"a b.xhtml": ""}, ["a b.xhtml"]))
    encryption = '<encryption xmlns:e="http://x"><e:CipherReference URI="{}"/></encryption>'
    fonts = {epub.ENCRYPTION_PART: encryption.format("OPS/font.otf").encode()}
    text = {epub.ENCRYPTION_PART: encryption.format("OPS/a%20b.xhtml").encode()}

    assert epub.parse(make_zip(members | fonts), "a.epub").text == "Text"
    with pytest.raises(EncryptedDocumentError):
        epub.parse(make_zip(members | text), "a.epub")


def test_other_containers_with_the_same_entry_are_not_books(make_zip: Zip) -> None:
    score = {epub.ENTRY_PART: b"<container><rootfile full-path='score.xml'/></container>"}

    assert not epub.recognises(make_zip(score), "a.epub")
    assert registry.detect(make_zip(book({}, b"")), "a.zip").NAME == "EPUB"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"OPS/book.opf": b"<package"}, r"its part OPS/book\.opf is damaged"),
        ({epub.ENTRY_PART: ENTRY.encode()[:-9]}, r"its part META-INF/container\.xml is damaged"),
        (
            {epub.ENTRY_PART: ENTRY.replace("OPS/", "../../etc/").encode()},
            r"its part \.\./\.\./etc/book\.opf is missing",
        ),
        (
            {epub.ENTRY_PART: ENTRY.replace("<rootfile ", "<other ").encode()},
            "names no book",
        ),
    ],
)
def test_damaged_books_say_what_is_damaged(
    make_zip: Zip, changed: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(CorruptDocumentError, match=reason):
        epub.parse(make_zip(book({}, package({}, [])) | changed), "a.epub")


def test_entities_are_never_resolved(make_zip: Zip, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    outside = f'<!DOCTYPE p [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'.encode()
    laughs = b'<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY x "' + b"&a;" * 1_000 + b'">]>'
    opf = package({"a.xhtml": ""}, ["a.xhtml"], "&x;")
    members = {"OPS/a.xhtml": outside + page("<p>a&x;b</p>")}

    for prologue in (outside, laughs):
        document = epub.parse(make_zip(book(members, prologue + opf)), "the_name.epub")
        assert "secret" not in document.text
        assert document.title == "The name"


@pytest.mark.parametrize("sizes", [[10_000_001], [9_000_000] * 6])
def test_pages_that_are_too_large_are_refused(make_zip: Zip, sizes: list[int]) -> None:
    names = [f"{number}.xhtml" for number in range(len(sizes))]
    # Not so repetitive that the container itself is refused.
    noise = b"".join(b"%d " % (number * 7_919 % 1_000_003) for number in range(20_000))
    members = {
        f"OPS/{name}": (b"<!--" + noise * (size // len(noise) + 1))[:size]
        for name, size in zip(names, sizes, strict=True)
    }
    opf = package(dict.fromkeys(names, ""), names)

    with pytest.raises(PoisonDocumentError, match="its pages are too large"):
        epub.parse(make_zip(book(members, opf)), "a.epub")
