from collections.abc import Callable

import pytest

from ingest.errors import (
    DocumentTooLargeError,
    EmptyDocumentError,
    PoisonDocumentError,
    UnsupportedMediaTypeError,
)
from ingest.parse import registry

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"%PDF-1.7 ...", "a.pdf", "PDF"),
        (b"\xef\xbb\xbf\n%PDF-1.7\n1 0 obj", "a.txt", "PDF"),
        (b"<!DOCTYPE html><p>x", "a.pdf", "HTML"),
        (b"<?xml version='1.0'?><!-- x --> <html>", "a.txt", "HTML"),
        ("<html>".encode("utf-16"), "a", "HTML"),
        (b"<p>just a part</p>", "a.html", "HTML"),
        (b"<p>just a part</p>", "a.md", "Markdown"),
        (b"no tags at all", "a.html", "plain text"),
        (b"plain", "a.markdown", "Markdown"),
        (b"# Title\n\nSee [this](x).", "a.txt", "Markdown"),
        (b"# only one sign", "a.txt", "plain text"),
        (b"Some say a PDF starts with %PDF-1.7 these days.", "a.txt", "plain text"),
        (b"{\\rtf1 Hello}", "a.doc", "RTF"),
        (b"Subject: a memo\n\nHello", "memo.txt", "plain text"),
        (b"Subject: a memo\nDate: today\n\nHello", "memo.txt", "plain text"),
        (b"Subject: a memo\nDate: today\n\nHello", "memo.eml", "e-mail"),
        (b"MIME-Version: 1.0\nFrom: a\n\nHi", "a.eml", "e-mail"),
        (b"MIME-Version: 1.0\r\nFrom: a\r\n\r\n<html>Hi", "a.txt", "e-mail"),
        (b"From x@y Mon Mar 17\nReceived: by z\n (a)\nTo: b\n\nHi", "a", "e-mail"),
        ("Message-ID: <1>\nTo: b\n\nHi".encode("utf-16-be"), "a.eml", "e-mail"),
        (b"Fees\n====\n\n.. note:: None.", "a.txt", "reStructuredText"),
        (b"Fees\n----\n\nAs follows::\n\n  none", "a.txt", "reStructuredText"),
        (b"only text", "a.rst", "reStructuredText"),
        (b"Fees\n====\n\nNone.", "a.txt", "plain text"),
        (b"Fees\n==\n\n.. note:: None.", "a.txt", "plain text"),
        (b"Fees\n====\n\nSee [this](x), **new**, and ``code``.", "a.txt", "Markdown"),
        (b"Fees\n====\n\n.. note:: None.", "a.md", "Markdown"),
        ("Größe".encode("cp1252"), "a.csv", "plain text"),
    ],
)
def test_a_format_is_told_by_content_before_name(data: bytes, name: str, expected: str) -> None:
    assert expected == registry.detect(data, name).NAME


def test_a_word_document_is_known_under_any_name(make_docx: Callable[..., bytes]) -> None:
    data = make_docx(lambda document: document.add_paragraph("Hello"))

    assert registry.parse(data, "hello.pdf").text == "Hello"


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (PNG, "scan.pdf", "PNG image"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "a.docx", "JPEG image"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "a.doc", "old Microsoft Office file"),
        (b"<?xml version='1.0'?><rss/>", "a.xml", "XML data"),
        (b"a\0b\0c\0", "a.txt", "binary data"),
        (bytes(range(1, 32)) * 9, "a.txt", "binary data"),
    ],
)
def test_what_cannot_be_read_is_named_in_plain_words(data: bytes, name: str, found: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        registry.parse(data, name)

    assert caught.value.fields == {"title": name, "found": found}


def test_containers_of_other_programs_are_named(
    make_zip: Callable[[dict[str, bytes]], bytes],
) -> None:
    contents = {
        "xl/workbook.bin": "binary Excel workbook",
        "META-INF/manifest.xml": "OpenDocument file",
        "readme.txt": "ZIP archive",
    }

    for member, found in contents.items():
        with pytest.raises(UnsupportedMediaTypeError) as caught:
            registry.parse(make_zip({member: b"x"}), "a.docx")
        assert caught.value.fields["found"] == found


@pytest.mark.parametrize("data", [b"", b" \n\t", "\u200b\ufeff".encode(), b"\xff\xfe"])
def test_files_without_visible_text_are_empty(data: bytes) -> None:
    with pytest.raises(EmptyDocumentError, match="the file is empty"):
        registry.parse(data, "a.txt")


def test_a_file_over_25_mb_is_refused_unread() -> None:
    with pytest.raises(DocumentTooLargeError, match="larger than 25 MB"):
        registry.parse(b"a" * 25_000_001, "a.txt")


def test_text_over_5_mb_is_refused() -> None:
    with pytest.raises(PoisonDocumentError, match="longer than 5 MB"):
        registry.parse(b"word " * 1_000_001, "a.txt")


def test_reading_twice_gives_the_same_document(make_docx: Callable[..., bytes]) -> None:
    data = make_docx(lambda document: document.add_paragraph("Hello"))

    assert registry.parse(data, "a.docx") == registry.parse(data, "a.docx")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", [" ", "[", "[a](", "<!--", "<!-- -->", "**a", "A: b\n", "-", "| "])
def test_no_repetition_makes_detection_slow(unit: str) -> None:
    data = (unit * 100_000)[:65_536].encode() + b"x"

    assert registry.detect(data, "a.html").NAME in {"plain text", "Markdown", "HTML"}
