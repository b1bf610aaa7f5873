import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from docx.document import Document as WordDocument

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import docx
from ingest.parse.parsed import ParsedDocument


def fill_handbook(document: WordDocument) -> None:
    document.add_heading("Handbook", 0)
    document.add_heading("Leave", 1)
    paragraph = document.add_paragraph("Ask\tyour ")
    paragraph.add_run("manager").bold = True
    paragraph.add_run().add_break()
    paragraph.add_run("first.")
    document.add_paragraph("Annual", style="List Bullet")
    document.add_paragraph("Apply", style="List Number")
    document.add_paragraph("Wait", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ["Kind", "Days", "Annual", "30"], strict=True):
        cell.text = text
    inner = table.cell(1, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "inner", "cell"
    document.add_heading("Sick leave", 2)


def test_structure_becomes_blocks(
    make_docx: Callable[..., bytes], blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]]
) -> None:
    document = docx.parse(make_docx(fill_handbook), "handbook.docx")

    assert blocks_of(document) == [
        ("heading1", "Handbook"),
        ("heading1", "Leave"),
        ("paragraph", "Ask your manager\nfirst."),
        ("list_item", "Annual"),
        ("list_item", "1. Apply"),
        ("list_item", "2. Wait"),
        ("table_row", "Kind | Days"),
        ("table_row", "Annual | 30 inner cell"),
        ("heading2", "Sick leave"),
    ]


def test_the_title_is_the_stated_one_then_the_first_heading_then_the_name(
    make_docx: Callable[..., bytes],
) -> None:
    stated = make_docx(fill_handbook, title="Staff handbook")
    placeholder = make_docx(fill_handbook, title="Microsoft Word - handbook.doc")
    bare = make_docx(lambda document: document.add_paragraph("text"))

    assert docx.parse(stated, "a.docx").title == "Staff handbook"
    assert docx.parse(placeholder, "a.docx").title == "Handbook"
    assert docx.parse(bare, "travel_rules.docx").title == "Travel rules"


def test_only_what_a_reader_sees_is_read(
    make_zip: Callable[[dict[str, bytes]], bytes], word_xml: Callable[..., bytes]
) -> None:
    main = word_xml(
        "<w:r><w:t>Seen</w:t></w:r><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t> inserted</w:t></w:r></w:ins>",
        "<w:r><w:instrText>PAGE</w:instrText></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>",
        "<w:r><w:t>box: </w:t></w:r><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>inside</w:t></w:r>"
        "</w:p></w:txbxContent></w:pict></w:r>",
    )

    document = docx.parse(make_zip({docx.MAIN_PART: main}), "a.docx")

    assert document.text == "Seen inserted\n\nlink\n\nbox:\n\ninside"


def test_headings_are_known_by_outline_level_and_by_inherited_style(
    make_zip: Callable[[dict[str, bytes]], bytes],
    word_xml: Callable[..., bytes],
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    styles = (
        word_xml()
        .replace(b"w:document", b"w:styles")
        .replace(
            b"<w:body></w:body>",
            b'<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
            b'<w:style w:styleId="Mine"><w:basedOn w:val="berschrift1"/></w:style>'
            b'<w:style w:styleId="Loop"><w:name w:val="x"/><w:basedOn w:val="Loop"/></w:style>',
        )
    )
    main = word_xml(
        '<w:pPr><w:pStyle w:val="Mine"/></w:pPr><w:r><w:t>One</w:t></w:r>',
        '<w:pPr><w:outlineLvl w:val="2"/></w:pPr><w:r><w:t>Three</w:t></w:r>',
        '<w:pPr><w:pStyle w:val="Loop"/></w:pPr><w:r><w:t>Body</w:t></w:r>',
    )

    document = docx.parse(make_zip({docx.MAIN_PART: main, "word/styles.xml": styles}), "a.docx")

    assert blocks_of(document) == [
        ("heading1", "One"),
        ("heading3", "Three"),
        ("paragraph", "Body"),
    ]


def test_notes_are_read_once_after_what_refers_to_them(
    make_zip: Callable[[dict[str, bytes]], bytes],
    word_xml: Callable[..., bytes],
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    foot, end = '<w:r><w:footnoteReference w:id="{}"/></w:r>', '<w:endnoteReference w:id="1"/>'
    row = f"<w:tr><w:tc><w:p>{foot.format(2)}<w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc/></w:tr>"
    main = word_xml(
        f"<w:r><w:t>One</w:t></w:r>{foot.format(1)}<w:r>{end}</w:r><w:r><w:t> more</w:t></w:r>",
        f"<w:r><w:t>Two</w:t></w:r>{foot.format(1)}{foot.format(9)}<w:del>{foot.format(3)}</w:del>",
    ).replace(b"</w:body>", f"<w:tbl>{row}{row.replace('>a<', '>b<')}</w:tbl></w:body>".encode())
    footnote = "<w:footnote w:id='{}'><w:p><w:r><w:t>{}</w:t></w:r>{}</w:p></w:footnote>"
    notes = {
        "word/footnotes.xml": footnote.format(1, "first", foot.format(4))
        + footnote.format(2, "in a table", "")
        + footnote.format(3, "of deleted text", "")
        + footnote.format(4, "of a note", foot.format(1)),
        "word/endnotes.xml": footnote.format(1, "last", "").replace("footnote", "endnote"),
        "word/comments.xml": footnote.format(1, "a comment", ""),
        "word/header1.xml": footnote.format(1, "a header", ""),
    }
    parts = {
        part: word_xml().replace(b"<w:body></w:body>", inner.encode())
        for part, inner in notes.items()
    }

    document = docx.parse(make_zip({docx.MAIN_PART: main, **parts}), "a.docx")

    assert blocks_of(document) == [
        ("paragraph", "One more"),
        ("paragraph", "first"),
        ("paragraph", "last"),
        ("paragraph", "of a note"),
        ("paragraph", "Two"),
        ("table_row", "a"),
        ("table_row", "b"),
        ("paragraph", "in a table"),
    ]


def test_a_long_chain_of_notes_is_read_to_its_end(
    make_zip: Callable[[dict[str, bytes]], bytes], word_xml: Callable[..., bytes]
) -> None:
    refer = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    notes = "".join(
        f'<w:footnote w:id="{number}"><w:p>{refer.format(number + 1)}<w:r><w:t>note {number}'
        "</w:t></w:r></w:p></w:footnote>"
        for number in range(2_000)
    )
    parts = {
        docx.MAIN_PART: word_xml(refer.format(0)),
        "word/footnotes.xml": word_xml().replace(b"<w:body></w:body>", notes.encode()),
    }

    document = docx.parse(make_zip(parts), "a.docx")

    assert [len(document.blocks), document.text[-9:]] == [2_000, "note 1999"]


def test_external_entities_are_not_resolved(
    make_zip: Callable[[dict[str, bytes]], bytes], word_xml: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    main = word_xml("<w:r><w:t>a&x;b</w:t></w:r>")
    entity = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'.encode()

    document = docx.parse(make_zip({docx.MAIN_PART: entity + main}), "a.docx")

    assert "secret" not in document.text


def test_a_part_that_unpacks_to_far_more_is_refused(
    make_zip: Callable[[dict[str, bytes]], bytes],
) -> None:
    bomb = make_zip({docx.MAIN_PART: b" " * 3_000_000})

    with pytest.raises(PoisonDocumentError, match="100 times its size"):
        docx.parse(bomb, "bomb.docx")


def test_too_many_parts_are_refused(make_zip: Callable[[dict[str, bytes]], bytes]) -> None:
    many = make_zip({docx.MAIN_PART: b"", **{f"part{number}": b"" for number in range(2_001)}})

    with pytest.raises(PoisonDocumentError, match="more than 2,000 parts"):
        docx.parse(many, "many.docx")


def test_a_container_that_declares_too_much_is_refused(
    make_zip: Callable[[dict[str, bytes]], bytes],
) -> None:
    packed = bytearray(make_zip({"big.bin": b"x", docx.MAIN_PART: b"<x/>"}))
    directory = packed.index(b"PK\x01\x02")
    packed[directory + 20 : directory + 28] = struct.pack("<II", 300_000_000, 300_000_000)

    with pytest.raises(PoisonDocumentError, match="more than 200 MB"):
        docx.parse(bytes(packed), "big.docx")


def test_a_container_that_lies_about_a_size_is_caught_while_reading(
    make_zip: Callable[[dict[str, bytes]], bytes], word_xml: Callable[..., bytes]
) -> None:
    packed = bytearray(make_zip({docx.MAIN_PART: word_xml("<w:r><w:t>a</w:t></w:r>" * 1_000)}))
    directory = packed.index(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = struct.pack("<I", 100)

    with pytest.raises(CorruptDocumentError, match=r"word/document\.xml is damaged"):
        docx.parse(bytes(packed), "lying.docx")


def test_encrypted_files_are_named_as_such(make_zip: Callable[[dict[str, bytes]], bytes]) -> None:
    wrapper = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    )
    flagged = bytearray(make_zip({docx.MAIN_PART: b"<x/>"}))
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1

    for data in (wrapper, bytes(flagged)):
        with pytest.raises(EncryptedDocumentError, match="protected by a password"):
            registry.parse(data, "a.docx")


def test_damaged_files_say_what_is_damaged(
    make_docx: Callable[..., bytes], make_zip: Callable[[dict[str, bytes]], bytes]
) -> None:
    whole = make_docx(fill_handbook)
    broken_xml = make_zip({docx.MAIN_PART: b"<w:document><w:body>"})

    with pytest.raises(CorruptDocumentError, match="its ZIP container is damaged"):
        registry.parse(whole[: len(whole) // 2], "a.docx")
    with pytest.raises(CorruptDocumentError, match=r"its part word/document\.xml is damaged"):
        registry.parse(broken_xml, "a.docx")
