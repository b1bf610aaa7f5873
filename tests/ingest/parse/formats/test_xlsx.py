import struct
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

import pytest
from xlsxwriter import Workbook

from ingest.errors import (
    CorruptDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    IngestError,
    PoisonDocumentError,
)
from ingest.parse import registry
from ingest.parse.formats import xlsx
from ingest.parse.office.numbers import number_format
from ingest.parse.parsed import ParsedDocument

SHEET = "xl/worksheets/sheet1.xml"
Blocks = Callable[[ParsedDocument], list[tuple[str, str]]]
Change = Callable[[bytes, dict[str, Callable[[bytes], bytes]]], bytes]


def fill_prices(workbook: Workbook) -> None:
    sheet = workbook.add_worksheet("Prices")
    euros = workbook.add_format({"num_format": '#,##0.00 "€"'})
    percent = workbook.add_format({"num_format": "0.0%"})
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    code = workbook.add_format({"num_format": "00000"})
    sheet.write_row(2, 1, ["Part", "Pump", "Price", "Discount", "From", "Stock", "New"])
    sheet.write(3, 1, 742, code)
    sheet.write_rich_string(3, 2, "Zebra ", workbook.add_format({"bold": True}), "pump")
    sheet.write(3, 3, 1234.5, euros)
    sheet.write(3, 4, 0.125, percent)
    sheet.write_datetime(3, 5, datetime(2026, 3, 1), day)  # noqa: DTZ001
    sheet.write(3, 6, 24.0)
    sheet.write(3, 7, True)
    sheet.write(4, 1, 8, code)
    sheet.write(4, 6, 0.1 + 0.2)


def fill_cells(*cells: tuple[int, int, object]) -> Callable[[Workbook], None]:
    def fill(workbook: Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        for row, column, value in cells:
            sheet.write(row, column, value)

    return fill


def test_cells_are_read_as_people_see_them(
    make_xlsx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    document = xlsx.parse(make_xlsx(fill_prices), "a.xlsx")

    assert blocks_of(document) == [
        ("heading1", "Prices"),
        ("table_row", "Part | Pump | Price | Discount | From | Stock | New"),
        ("table_row", "00742 | Zebra pump | 1234.50 € | 12.5% | 2026-03-01 | 24 | TRUE"),
        ("table_row", "00008 | | | | | 0.3"),
    ]


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("General", 1e-7, "1e-07"),
        ("0", 2.5, "3"),
        ("0", -0.4, "0"),
        ("#,##0", 1234567.0, "1234567"),
        ("0.0#", 1.5, "1.5"),
        ("[$€-407] #,##0.00;[Red]-[$€-407] #,##0.00", -3.0, "-€ 3.00"),
        ('_-* #,##0.00\\ "kr"_-', 9.0, "9.00 kr"),
        ('0.0,,"M"', 12_300_000.0, "12.3M"),
        ("0.00E+00", 12345.0, "12345"),
        ("# ?/?", 0.5, "0.5"),
        ("mmm yyyy", 46082.0, "2026-03"),
        ("d. mmmm yyyy h:mm", 46082.5, "2026-03-01 12:00"),
        ("h:mm AM/PM", 0.75, "18:00"),
        ("mm:ss", 0.5, "12:00:00"),
        ("[h]:mm", 1.5, "36:00:00"),
        ("yyyy", -1.0, "-1"),
        ("0%", 1e300, "1e+302%"),
        ('"' * 300, 7.0, "7"),
    ],
)
def test_number_formats_are_followed(code: str, number: float, shown: str) -> None:
    assert number_format(code).show(number) == shown


def test_each_sheet_is_a_page_and_hidden_ones_are_left_out(
    make_xlsx: Callable[..., bytes], check: Callable[[ParsedDocument], None]
) -> None:
    def fill(workbook: Workbook) -> None:
        workbook.add_worksheet("First").write(0, 0, "one")
        secret = workbook.add_worksheet("Secret")
        secret.write(0, 0, "cost price")
        secret.hide()
        workbook.add_worksheet("Empty")
        workbook.add_worksheet("Last").write(0, 0, "four")

    document = xlsx.parse(make_xlsx(fill), "a.xlsx")

    check(document)
    assert document.text == "First\n\none\n\nLast\n\nfour"
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "First\n\none", "", "", "Last\n\nfour",
    ]  # fmt: skip


def test_a_hidden_column_is_not_read(make_xlsx: Callable[..., bytes], blocks_of: Blocks) -> None:
    def fill(workbook: Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        sheet.write_row(0, 0, ["Part", "Cost", "Price"])
        sheet.write_row(1, 0, ["pump", "secret", "folded"])
        sheet.set_column(1, 1, options={"hidden": True})
        sheet.set_column(2, 2, options={"hidden": True, "level": 1})

    document = xlsx.parse(make_xlsx(fill), "a.xlsx")

    assert [text for _, text in blocks_of(document)] == ["S", "Part | Price", "pump | folded"]


def test_tables_on_one_sheet_stay_apart(make_xlsx: Callable[..., bytes], blocks_of: Blocks) -> None:
    def fill(workbook: Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        rows = [
            ["Prices 2026"], ["Part", "Price"], ["pump", 3], [], ["hose", 4], [],
            ["Country", "Days"], ["Italy", 2], [], ["Call us first."],
        ]  # fmt: skip
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    document = xlsx.parse(make_xlsx(fill), "a.xlsx")

    assert blocks_of(document)[1:] == [
        ("paragraph", "Prices 2026"),
        ("table_row", "Part | Price"),
        ("table_row", "pump | 3"),
        ("table_row", "hose | 4"),
        ("table_row", "Country | Days"),
        ("table_row", "Italy | 2"),
        ("paragraph", "Call us first."),
    ]
    assert "pump | 3\nhose | 4\n\nCountry" in document.text


def test_inline_strings_dates_as_text_errors_and_cells_without_references_are_read(
    make_xlsx: Callable[..., bytes], replace_parts: Change
) -> None:
    rows = (
        '<row><c t="inlineStr"><is><t>in</t><r><t>line</t></r><rPh><t>x</t></rPh></is></c>'
        '<c t="d"><v>2026-03-01T00:00:00</v></c><c t="e"><v>#N/A</v></c>'
        '<c t="str"><v>a_x0041_b</v></c><c t="s"><v>99</v></c><c t="n"><v>n/a</v></c></row>'
    )
    data = replace_parts(
        make_xlsx(fill_cells((0, 0, "a"))),
        {
            SHEET: lambda xml: (
                xml.partition(b"<row")[0] + rows.encode() + b"</sheetData></worksheet>"
            )
        },
    )

    document = xlsx.parse(data, "a.xlsx")

    assert document.text == "S\n\ninline | 2026-03-01 | #N/A | aAb | | n/a".replace("| | n", "| n")


def test_the_title_is_the_stated_one_then_the_file_name(make_xlsx: Callable[..., bytes]) -> None:
    assert xlsx.parse(make_xlsx(fill_prices, "Spare parts"), "a.xlsx").title == "Spare parts"
    assert xlsx.parse(make_xlsx(fill_prices), "price_list.xlsx").title == "Price list"


def test_one_far_cell_costs_nothing(make_xlsx: Callable[..., bytes], blocks_of: Blocks) -> None:
    data = make_xlsx(fill_cells((0, 0, "near"), (1_048_575, 16_383, "far")))

    document = xlsx.parse(data, "a.xlsx")

    assert blocks_of(document)[1:] == [("paragraph", "near"), ("paragraph", "far")]


def test_scattered_cells_are_refused(make_xlsx: Callable[..., bytes]) -> None:
    data = make_xlsx(fill_cells(*((number, number, 1) for number in range(1_500))))

    with pytest.raises(PoisonDocumentError, match="1,500 rows and 1,500 columns"):
        xlsx.parse(data, "a.xlsx")


def test_too_many_cells_are_refused(make_xlsx: Callable[..., bytes], replace_parts: Change) -> None:
    row = b"<row><c><v>1</v></c><c><v>2</v></c></row>"
    many = b"".join([row, *(f"<!--{number}-->".encode() + row for number in range(100_001))])
    data = replace_parts(
        make_xlsx(fill_cells((0, 0, "a"))),
        {SHEET: lambda xml: xml.partition(b"<row")[0] + many + b"</sheetData></worksheet>"},
    )

    with pytest.raises(PoisonDocumentError, match="more than 200,000 filled cells"):
        xlsx.parse(data, "a.xlsx")


def test_too_many_empty_rows_are_refused(
    make_xlsx: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.parse.office.xml._MAX_STREAMED", 9)
    data = make_xlsx(fill_cells(*((number, 0, 1) for number in range(10))))

    with pytest.raises(PoisonDocumentError, match=r"sheet1\.xml has more than 9 entries"):
        xlsx.parse(data, "a.xlsx")


def test_one_long_string_in_many_cells_is_refused(make_xlsx: Callable[..., bytes]) -> None:
    data = make_xlsx(fill_cells(*((number, 0, "long " * 2_000) for number in range(600))))

    with pytest.raises(PoisonDocumentError, match="more than 5,000,000 characters"):
        xlsx.parse(data, "a.xlsx")


def test_entities_are_refused_in_every_encoding(
    make_xlsx: Callable[..., bytes], replace_parts: Change
) -> None:
    entity = '<!DOCTYPE sst [<!ENTITY a "aaaa">]><sst><si><t>&a;</t></si></sst>'
    whole = make_xlsx(fill_cells((0, 0, "a")))
    bombs = [
        replace_parts(whole, {"xl/sharedStrings.xml": lambda _: entity.encode("utf-8")}),
        replace_parts(whole, {"xl/sharedStrings.xml": lambda _: entity.encode("utf-16")}),
    ]

    for bomb in bombs:
        with pytest.raises(PoisonDocumentError, match="defines XML entities"):
            xlsx.parse(bomb, "a.xlsx")


def test_a_part_nested_too_deeply_is_refused(
    make_xlsx: Callable[..., bytes], replace_parts: Change
) -> None:
    deep = b"<a>" * 5_000 + b"</a>" * 5_000
    data = replace_parts(make_xlsx(fill_cells((0, 0, "a"))), {SHEET: lambda _: deep})

    with pytest.raises(CorruptDocumentError, match=r"sheet1\.xml is damaged"):
        xlsx.parse(data, "a.xlsx")


def test_missing_parts_and_sheets_are_named(
    make_xlsx: Callable[..., bytes], replace_parts: Change
) -> None:
    whole = make_xlsx(fill_cells((0, 0, "a")))
    relations = "xl/_rels/workbook.xml.rels"
    elsewhere = replace_parts(whole, {relations: lambda xml: xml.replace(b"sheet1", b"sheet7")})
    nowhere = replace_parts(whole, {relations: lambda xml: xml.replace(b'"rId1"', b'"rId77"')})

    with pytest.raises(CorruptDocumentError, match=r"sheet7\.xml is missing"):
        xlsx.parse(elsewhere, "a.xlsx")
    with pytest.raises(CorruptDocumentError, match="its sheet “S” is missing"):
        xlsx.parse(nowhere, "a.xlsx")


def test_a_workbook_without_text_is_empty_and_no_scan(make_xlsx: Callable[..., bytes]) -> None:
    with pytest.raises(EmptyDocumentError, match="the file is empty"):
        registry.parse(make_xlsx(fill_cells()), "a.xlsx")


def test_encrypted_workbooks_are_named_as_such(make_xlsx: Callable[..., bytes]) -> None:
    flagged = bytearray(make_xlsx(fill_prices))
    for directory, _ in pairwise(range(len(flagged))):
        if flagged[directory : directory + 4] == b"PK\x01\x02":
            flagged[directory + 8] |= 1

    with pytest.raises(EncryptedDocumentError, match="protected by a password"):
        registry.parse(bytes(flagged), "a.xlsx")


def test_a_container_that_lies_about_a_size_is_caught(make_xlsx: Callable[..., bytes]) -> None:
    packed = bytearray(make_xlsx(fill_prices))
    name = packed.rindex(SHEET.encode())
    packed[name - 22 : name - 18] = struct.pack("<I", 100)

    with pytest.raises(CorruptDocumentError, match=r"sheet1\.xml is damaged"):
        xlsx.parse(bytes(packed), "a.xlsx")


def test_a_file_cut_anywhere_is_damaged(make_xlsx: Callable[..., bytes]) -> None:
    whole = make_xlsx(fill_prices)

    for length in range(4, len(whole), 500):
        with pytest.raises(IngestError):
            registry.parse(whole[:length], "a.xlsx")
