from collections.abc import Callable

import pytest

from ingest.errors import CorruptDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import csv
from ingest.parse.parsed import ParsedDocument

Blocks = Callable[[ParsedDocument], list[tuple[str, str]]]
PRICES = "Part,Name,Price\nP-1,pump,3\nP-2,hose,4\n"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", ["a | b", "1 | 2"]),
        ("Name;Preis\nHahn;1,50\nRohr;2,25\n", ["Name | Preis", "Hahn | 1,50", "Rohr | 2,25"]),
        ("1,5;2,5\n3,5;4,5\n", ["1,5 | 2,5", "3,5 | 4,5"]),
        ("a\tb\n1, 2\t3\n", ["a | b", "1, 2 | 3"]),
        ("a|b\n1|2\n", ["a | b", "1 | 2"]),
        ('a,b\n"x, y","two\nlines"\n', ["a | b", "x, y | two lines"]),
        ('a,b\n"say ""hi""",5" pipe\n', ["a | b", 'say "hi" | 5" pipe']),
        ("a,b,c\n1,2\n3,4,5,6\n7,,9\n", ["a | b | c", "1 | 2", "3 | 4 | 5 | 6", "7 | | 9"]),
        ("sep=|\na,b|c\n1,2|3\n", ["a,b | c", "1,2 | 3"]),
        ("Models\nA 100\nB 200\n", ["Models", "A 100", "B 200"]),
        ("a,b\r\n1,2\r\n", ["a | b", "1 | 2"]),
        ("a,b\r1,2\r", ["a | b", "1 | 2"]),
    ],
)
def test_columns_are_told_apart(text: str, rows: list[str], blocks_of: Blocks) -> None:
    document = registry.parse(text.encode(), "a.csv")

    assert blocks_of(document) == [("table_row", row) for row in rows]
    assert document.parser == "csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    document = registry.parse("Größe;Menge\n1;2\n".encode(encoding), "mass_liste.csv")

    assert (document.text, document.title) == ("Größe | Menge\n1 | 2", "Mass liste")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (PRICES, "a.txt", "CSV"),
        (PRICES, "a", "CSV"),
        (PRICES, "a.md", "Markdown"),
        ("Part,Name\nP-1,pump\n", "a.txt", "plain text"),
        ("Dear Ann, hello\nWe met, once\nI am, yours\n", "a.txt", "plain text"),
        ("Dear Ann,\nwe met,\nyours,\n", "a.txt", "plain text"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n# x\n", "a.txt", "Markdown"),
        ("a | b\n--- | ---\n1 | 2\n3 | 4\n", "a.txt", "plain text"),
        ('{"a": 1,"b": 2}\n{"a": 3,"b": 4}\n{"a": 5,"b": 6}\n', "a.txt", "plain text"),
        ("x=1;y=2\nx=3;y=4\nx=5;y=6\n", "a.txt", "plain text"),
        ("1,2\n3,4\n5,6\n", "a.txt", "plain text"),
        ("a,b,c\n" + "x" * 300 + ",y,z\n1,2,3\n", "a.txt", "plain text"),
        ("one line", "a.csv", "plain text"),
        ("a,b", "a.csv", "CSV"),
    ],
)
def test_a_table_is_told_from_prose_by_content(text: str, name: str, expected: str) -> None:
    assert expected == registry.detect(text.encode(), name).NAME


def test_blank_rows_and_captions_border_tables(blocks_of: Blocks) -> None:
    text = "Spare parts,,\n,,\n,Part,Price\n,pump,3\n,,\n,Country,Days\n,Italy,2\n"

    document = csv.parse(text.encode(), "a.csv")

    assert blocks_of(document) == [
        ("paragraph", "Spare parts"),
        ("table_row", "Part | Price"),
        ("table_row", "pump | 3"),
        ("table_row", "Country | Days"),
        ("table_row", "Italy | 2"),
    ]
    assert "pump | 3\n\nCountry" in document.text


def test_a_quote_that_never_ends_swallows_nothing(blocks_of: Blocks) -> None:
    text = 'a,b\n"open,2\n' + "3,4\n" * 200

    rows = blocks_of(csv.parse(text.encode(), "a.csv"))

    assert (len(rows), rows[1]) == (202, ("table_row", '"open | 2'))


def test_a_cell_without_end_is_refused() -> None:
    with pytest.raises(CorruptDocumentError, match="one of its cells has no end"):
        csv.parse(b"a,b\n1," + b"x" * 200_000, "a.csv")


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(PoisonDocumentError, match="more than 200,000 filled cells"):
        csv.parse(b"a,b\n" * 100_001, "a.csv")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ['"', ",", '",', ';"', "\t", "|-", "a,", 'a"\n', "-", ": "])
def test_no_repetition_makes_reading_slow(unit: str) -> None:
    data = (unit * 70_000)[:70_000].encode() + b"x"

    assert registry.detect(data, "a.csv").NAME in {"CSV", "plain text"}
    assert registry.detect(data, "a.txt").NAME in {"CSV", "Markdown", "plain text"}
