from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ingest.errors import (
    CorruptDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    IngestError,
    PoisonDocumentError,
    UnsupportedMediaTypeError,
)
from ingest.parse import registry
from ingest.parse.formats import odt
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sandbox import Limits, parse_file

Blocks = Callable[[ParsedDocument], list[tuple[str, str]]]
NUMBERS = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" '
    'style:num-format="1" style:num-suffix="."/><text:list-level-style-bullet text:level="2"/>'
    '</text:list-style><text:list-style style:name="L2"><text:list-level-style-number '
    'text:level="1" style:num-format="a" style:num-prefix="(" style:num-suffix=")" '
    'text:start-value="2"/></text:list-style>'
)


def item(*inner: str) -> str:
    content = "".join(text if "<" in text else f"<text:p>{text}</text:p>" for text in inner)
    return f"<text:list-item>{content}</text:list-item>"


def cell(text: str = "", attributes: str = "") -> str:
    inner = text if "<" in text else f"<text:p>{text}</text:p>"
    return f"<table:table-cell {attributes}>{inner}</table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def test_structure_becomes_blocks(make_odt: Callable[..., bytes], blocks_of: Blocks) -> None:
    body = (
        '<text:p text:style-name="P1">Handbook</text:p>'
        '<text:h text:outline-level="2">Leave</text:h>'
        "<text:p>Ask<text:tab/>your\n  <text:span>manager</text:span><text:line-break/>first"
        '<text:s text:c="3"/>of all.</text:p>'
        '<text:section><text:list text:style-name="L1">'
        + item("Apply", "<text:list>" + item("by mail") + "</text:list>")
        + item("Wait", "A while.")
        + "</text:list></text:section>"
        '<text:list text:style-name="L2">' + item("x") + item("y") + "</text:list>"
        '<text:list text:style-name="L1" text:continue-numbering="true">'
        + item("Go")
        + "</text:list>"
    )
    styles = NUMBERS + '<style:style style:name="P1" style:parent-style-name="Title"/>'

    document = odt.parse(make_odt(body, styles), "a.odt")

    assert blocks_of(document) == [
        ("heading1", "Handbook"),
        ("heading2", "Leave"),
        ("paragraph", "Ask your manager\nfirst of all."),
        ("list_item", "1. Apply"),
        ("list_item", "by mail"),
        ("list_item", "2. Wait"),
        ("paragraph", "A while."),
        ("list_item", "(b) x"),
        ("list_item", "(c) y"),
        ("list_item", "3. Go"),
    ]


def test_tables_keep_empty_cells_and_repeated_ones(
    make_odt: Callable[..., bytes], blocks_of: Blocks
) -> None:
    body = (
        "<table:table><table:table-header-rows>"
        + row(cell("Part"), cell(), cell("Price"))
        + "</table:table-header-rows>"
        + row(cell("pump"), cell("3", 'table:number-columns-repeated="2"'))
        + row(cell("", 'table:number-columns-repeated="16384"'))
        + row(cell("hose"), attributes='table:number-rows-repeated="2"')
        + row(cell("<text:list>" + item("a") + item("b") + "</text:list>"), cell("c"))
        + "</table:table><table:table>"
        + row(cell("Country"), "<table:covered-table-cell/>", cell("Days"))
        + "</table:table><table:table>"
        + row()
        + row(cell("<text:h>Framed</text:h><text:p>text</text:p>"))
        + "</table:table>"
    )

    document = odt.parse(make_odt(body), "a.odt")

    assert blocks_of(document) == [
        ("table_row", "Part | | Price"),
        ("table_row", "pump | 3 | 3"),
        ("table_row", "hose"),
        ("table_row", "hose"),
        ("table_row", "a b | c"),
        ("table_row", "Country | | Days"),
        ("heading1", "Framed"),
        ("paragraph", "text"),
    ]
    assert "a b | c\n\nCountry" in document.text


def test_only_what_a_reader_sees_is_read(make_odt: Callable[..., bytes]) -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        "<text:table-of-content><text:index-body><text:p>Leave 1</text:p></text:index-body>"
        "</text:table-of-content>"
        "<text:p>Seen<text:change-start/><office:annotation><text:p>remark</text:p>"
        '</office:annotation> text<text:span text:style-name="T1">hidden</text:span>.</text:p>'
        '<text:section text:display="none"><text:p>hidden</text:p></text:section>'
        "<text:p>Box<draw:frame><draw:text-box><text:p>inside</text:p></draw:text-box>"
        "<draw:desc>words</draw:desc></draw:frame> here.</text:p>"
    )
    styles = (
        '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'
    )

    document = odt.parse(make_odt(body, styles), "a.odt")

    assert document.text == "Seen text.\n\nBox here.\n\ninside"


def test_footnotes_follow_the_paragraph_that_cites_them(make_odt: Callable[..., bytes]) -> None:
    body = (
        "<text:p>See<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>Page 7.</text:p></text:note-body></text:note> below.</text:p><text:p>End</text:p>"
    )

    document = odt.parse(make_odt(body), "a.odt")

    assert document.text == "See[1] below.\n\n[1] Page 7.\n\nEnd"


def test_the_title_is_the_stated_one_then_the_one_shown_then_the_name(
    make_odt: Callable[..., bytes],
) -> None:
    shown = '<text:h>Leave</text:h><text:p text:style-name="Title">Handbook</text:p>'

    assert odt.parse(make_odt(shown, title="Staff handbook"), "a.odt").title == "Staff handbook"
    assert odt.parse(make_odt(shown), "a.odt").title == "Handbook"
    assert odt.parse(make_odt("<text:h>Leave</text:h>"), "a.odt").title == "Leave"
    assert odt.parse(make_odt("<text:p>x</text:p>"), "travel_rules.odt").title == "Travel rules"


def test_only_text_documents_are_recognised(
    make_odt: Callable[..., bytes], make_zip: Callable[[dict[str, bytes]], bytes]
) -> None:
    body = b'<o:d xmlns:o="o" xmlns:office="f"><office:text/></o:d>'
    unnamed = {"content.xml": body, "META-INF/manifest.xml": b""}

    assert registry.detect(make_odt(""), "a.docx").NAME == "ODT"
    assert registry.detect(make_zip(unnamed), "a").NAME == "ODT"
    for other in [make_odt("", kind="spreadsheet"), make_odt("", kind="presentation")]:
        with pytest.raises(UnsupportedMediaTypeError, match="OpenDocument file"):
            registry.detect(other, "a.odt")


def test_encrypted_documents_are_named_as_such(
    make_odt: Callable[..., bytes],
    replace_parts: Callable[[bytes, dict[str, Callable[[bytes], bytes]]], bytes],
) -> None:
    manifest = b'<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry>'
    data = replace_parts(make_odt(""), {"META-INF/manifest.xml": lambda _: manifest})

    with pytest.raises(EncryptedDocumentError, match="protected by a password"):
        registry.parse(data, "a.odt")


@pytest.mark.parametrize(
    "table",
    [
        row(cell("x", 'table:number-columns-repeated="999999999"')),
        row(cell("x"), cell("y"), attributes='table:number-rows-repeated="999999999"'),
        row(cell("", 'table:number-columns-repeated="999999999"'), cell("y")),
        row(cell("long " * 100_000), cell("y"), attributes='table:number-rows-repeated="99"'),
    ],
)
def test_absurd_repetition_is_refused(make_odt: Callable[..., bytes], table: str) -> None:
    data = make_odt(f"<table:table>{row(cell('a'))}{table}</table:table>")

    with pytest.raises(PoisonDocumentError, match="reading it was stopped"):
        odt.parse(data, "a.odt")


def test_nested_repetition_does_not_multiply(make_odt: Callable[..., bytes]) -> None:
    table = "x"
    for _ in range(20):
        table = "<table:table>" + row(
            cell("y"), cell(table), attributes='table:number-rows-repeated="1000"'
        ) + "</table:table>"  # fmt: skip

    with pytest.raises(PoisonDocumentError, match="reading it was stopped"):
        odt.parse(make_odt(table), "a.odt")


def test_deep_nesting_is_read_and_absurd_nesting_is_refused(
    make_odt: Callable[..., bytes],
) -> None:
    def nest(depth: int) -> bytes:
        return make_odt("<text:section>" * depth + "<text:p>x</text:p>" + "</text:section>" * depth)

    assert odt.parse(nest(240), "a.odt").text == "x"
    with pytest.raises(CorruptDocumentError, match=r"content\.xml is damaged"):
        odt.parse(nest(5_000), "a.odt")


def test_a_part_that_needs_too_much_memory_is_no_damaged_one(
    make_odt: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.odt"
    noise = "".join(f"<text:p>{sha256(str(n).encode()).hexdigest()}</text:p>" for n in range(3_000))
    path.write_bytes(make_odt(noise + "<text:p/>" * 1_000_000))

    with pytest.raises(PoisonDocumentError, match="memory"):
        parse_file(path, "a.odt", Limits(memory_bytes=64 << 20))


def test_entities_are_refused(make_zip: Callable[[dict[str, bytes]], bytes]) -> None:
    content = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    parts = {"mimetype": odt.MEDIA_TYPE.encode(), "content.xml": content}

    with pytest.raises(PoisonDocumentError, match="defines XML entities"):
        odt.parse(make_zip(parts), "a.odt")


def test_missing_and_empty_parts_are_told(
    make_odt: Callable[..., bytes], make_zip: Callable[[dict[str, bytes]], bytes]
) -> None:
    with pytest.raises(CorruptDocumentError, match=r"content\.xml is missing"):
        registry.parse(make_zip({"mimetype": odt.MEDIA_TYPE.encode()}), "a.odt")
    with pytest.raises(EmptyDocumentError, match="the file is empty"):
        registry.parse(make_odt("<text:p/>"), "a.odt")


def test_a_file_cut_anywhere_is_damaged(make_odt: Callable[..., bytes]) -> None:
    whole = make_odt("<text:p>x</text:p>")

    for length in range(4, len(whole), 50):
        with pytest.raises(IngestError):
            registry.parse(whole[:length], "a.odt")
