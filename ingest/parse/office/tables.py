"""Rows of cells → the tables among them, each with its first row as header."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile

from ingest.errors import PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.parsed import BlockKind

MAX_CELLS = 200_000
MAX_CHARACTERS = 5_000_000
_MAX_PLACES = 2_000_000  # of a table, its empty cells included
# A number with its unit or currency.
_NUMBER = re.compile(r"\W*\d[\d\W]*[^\W\d_]{0,3}\W*")
_MAX_NUMBER_CHARACTERS = 40

Row = dict[int, str]
"""The filled cells of a row by column; empty for blank rows."""


@dataclass(slots=True)
class Allowance:
    """What is left of the cells and characters that one document may have."""

    name: str
    cells: int = MAX_CELLS
    characters: int = MAX_CHARACTERS

    def take(self, text: str) -> str:
        """Count a filled cell and return it.

        Raises:
            PoisonDocumentError: It is one too many.
        """
        self.cells -= 1
        self.characters -= len(text)
        if self.cells < 0:
            self._refuse(f"it has more than {MAX_CELLS:,} filled cells")
        if self.characters < 0:
            self._refuse(f"its cells hold more than {MAX_CHARACTERS:,} characters")
        return text

    def lay_out(self, rows: int, columns: int) -> None:
        """Check the size of a table, its empty cells included."""
        if rows * columns > _MAX_PLACES:
            self._refuse(f"a table of it has {rows:,} rows and {columns:,} columns")

    def _refuse(self, reason: str) -> None:
        raise PoisonDocumentError(title=self.name, reason=reason)


def write_tables(builder: DocumentBuilder, rows: Iterable[Row], allowance: Allowance) -> None:
    """Add the tables of a sheet; lines over a table and lone lines become paragraphs."""
    for table in _tables(rows):
        width = max(map(len, table))
        captions = list(takewhile(lambda row: len(row) == 1, table)) if width > 1 else []
        if len(table) == 1 and width == 1:
            captions = table
        for row in captions:
            builder.add(BlockKind.PARAGRAPH, "\n".join(row.values()))
        builder.end_group()
        _write_rows(builder, table[len(captions) :], allowance)
        builder.end_group()


def _write_rows(builder: DocumentBuilder, rows: list[Row], allowance: Allowance) -> None:
    columns = sorted(set().union(*rows))
    allowance.lay_out(len(rows), len(columns))
    for row in rows:
        builder.add_row([row.get(column, "") for column in columns])


def _tables(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Split at blank rows, unless what follows goes on with the table before."""
    table: list[Row] = []
    extent = (0, 0)
    for is_filled, group in groupby(rows, key=bool):
        block = list(group) if is_filled else []
        if not block:
            continue
        if table and (_extent(block) != extent or not _starts_with_data(block)):
            yield table
            table = []
        if not table:
            extent = _extent(block)
        table += block
    if table:
        yield table


def _extent(rows: list[Row]) -> tuple[int, int]:
    return min(map(min, rows)), max(map(max, rows))


def _starts_with_data(rows: list[Row]) -> bool:
    """Tell a row of data from one of column names: names are no numbers."""
    return any(
        len(text) <= _MAX_NUMBER_CHARACTERS and _NUMBER.fullmatch(text) for text in rows[0].values()
    )
