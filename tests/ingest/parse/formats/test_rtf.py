from collections.abc import Callable

import pytest

from ingest.errors import EmptyDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import rtf
from ingest.parse.formats.rtf.reader import MAX_DEPTH
from ingest.parse.parsed import ParsedDocument

HEAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}"
    rb"{\f2\fcharset2 Symbol;}{\f3\fcharset128 MS Gothic;}{\f4\fcharset1 Any;}}"
    rb"{\colortbl;\red255\green0\blue0;}{\stylesheet{\ql Normal;}{\s1\outlinelevel0 Kopf;}"
    rb"{\s2\sbasedon0 heading 2;}{\s3 Title;}{\*\cs10 Default;}}"
)


def text_of(body: bytes) -> str:
    return rtf.parse(HEAD + body + b"}", "a.rtf").text


def test_structure_becomes_blocks(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    body = (
        rb"{\info{\author Ada}{\title Fees\'21}}{\header Page 1\par}"
        rb"\pard\s3 Our fees\par\pard\s1 One\par\pard\s2{\b Two}\par"
        rb"\pard\outlinelevel2 Three\par\pard\plain Some {\i text}\line goes\tab on."
        b"\r\nHere\\par \\par "
        rb"{\listtext\f2 \'b7\tab}first\par{\pntext 2.\tab}second\par"
        rb"\trowd\intbl A\cell\intbl B\par more\cell\row"
        rb"\trowd\intbl 1\cell\cell\row\pard End.\sect Last"
    )

    document = rtf.parse(HEAD + body + b"} trailing", "a.rtf")

    assert document.title == "Fees!"
    assert blocks_of(document) == [
        ("heading1", "Our fees"),
        ("heading1", "One"),
        ("heading2", "Two"),
        ("heading3", "Three"),
        ("paragraph", "Some text\ngoes on.Here"),
        ("list_item", "first"),
        ("list_item", "2. second"),
        ("table_row", "A | B more"),
        ("table_row", "1"),
        ("paragraph", "End."),
        ("paragraph", "Last"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb"caf\'e9 \'80", "café €"),
        (rb"{\f1 \'f6\'e5\'ed\'e0} \'f6", "цена ö"),
        (rb"\f2 \'b7\plain\'b7", "•·"),
        (rb"{\f3 \'83\'65\'83X\'83g}", "テスト"),
        (rb"\ansicpg1251\f4 \'f6", "ц"),
        (rb"\u8364?\u8364\'80", "€€"),
        (rb"\uc2\u26085\'93\'fa\uc0\u-255 x", "日\uff01x"),
        (rb"\u55357?\u56832?", "😀"),
        (rb"\u8364{?}\u8212\emdash b", "€?—b"),  # the group ends what may be skipped
        (rb"\{a\}\\\~b\_c\-d", "{a}\\ b-cd"),
        (rb"\lquote a\rquote\endash\bullet", "\u2018a\u2019\u2013•"),
        (rb"\ansicpg99999 \'e9", "é"),
    ],
)
def test_characters_are_decoded_by_font_and_page_and_unicode(body: bytes, expected: str) -> None:
    assert text_of(body) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        rb"{\v secret}",
        rb"\v secret\v0 ",
        rb"{\deleted secret}",
        rb"{\*\unknown secret}",
        rb"{\*\bkmkstart secret}",
        rb"{\pict\pngblip 89504e47}",
        rb"{\pict\bin6 }}}{{{}",
        rb"{\field{\*\fldinst HYPERLINK secret}{\fldrslt }}",
        rb"{\*\annotation secret\par}",
        rb"{\footer secret}",
        rb"{\xe secret}",
        rb"{\shp{\*\shpinst{\sp{\sn secret}{\sv 1}}}{\shprslt secret}}",
    ],
)
def test_what_a_reader_cannot_see_is_left_out(hidden: bytes) -> None:
    assert text_of(b"Seen" + hidden + b" too") == "Seen too"


def test_links_objects_and_drawings_give_their_text() -> None:
    assert text_of(rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt here}}") == "here"
    assert text_of(rb"{\object{\*\objdata 00ff}{\result shown}}") == "shown"
    assert text_of(rb"{\shp{\*\shpinst{\sp{\sn x}}{\shptxt boxed}}}") == "boxed"


def test_footnotes_come_after_the_paragraph_that_refers_to_them() -> None:
    body = rb"Fees{\super\chftn}{\footnote\pard {\super\chftn} Without tax.} apply.\par Next."

    assert text_of(body) == "Fees apply.\n\nWithout tax.\n\nNext."


def test_of_a_title_in_two_forms_the_unicode_one_counts() -> None:
    body = rb"{\info{\upr{\title ????}{\*\ud{\title \u1094?\u1077?\u1085?\u1072?}}}}text"

    assert rtf.parse(HEAD + body + b"}", "a.rtf").title == "цена"


def test_a_row_without_its_end_is_kept() -> None:
    assert text_of(rb"a\cell b\cell") == "a | b"
    assert text_of(rb"\intbl a\cell\pard text\par") == "a\n\ntext"


def test_damaged_files_give_what_can_be_read() -> None:
    assert rtf.parse(rb"{\rtf1 one\par {\b two", "a.rtf").text == "one\n\ntwo"
    assert rtf.parse(b"\xef\xbb\xbf\r\n{\\rtf1 one\\", "a.rtf").text == "one"
    with pytest.raises(EmptyDocumentError):
        registry.parse(rb"{\rtf1\bin999999999 x}", "a.rtf")


@pytest.mark.timeout(20)
def test_groups_without_end_are_refused() -> None:
    deep = b"{" * (MAX_DEPTH - 1)

    assert text_of(deep + b"x" + b"}" * (MAX_DEPTH - 1)) == "x"
    with pytest.raises(PoisonDocumentError, match="nested more than 1,000 deep"):
        text_of(deep + b"{" * 100_000)
