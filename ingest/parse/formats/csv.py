"""CSV and its relatives: tables whose columns are told apart by a sign."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO

from ingest.errors import CorruptDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import clean, decode
from ingest.parse.office.tables import Allowance, Row, write_tables
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sniff import is_text, start_of, suffix
from ingest.parse.titles import choose_title

NAME = "CSV"
RANK = 60
MEDIA_TYPE = "text/csv"
_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
_OTHER_TEXT = frozenset({".md", ".markdown"})
# Of two that fit equally the first: commas and bars also stand within cells.
_DELIMITERS = "\t;|,"
_NO_DELIMITER = "\x1f"  # cannot stand in cleaned text
_STATED = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)
_SAMPLE_CHARACTERS = 65_536
_MAX_LINES_IN_CELL = 100
# Without a name that says so, a table must look like nothing else.
_MIN_ROWS = 3
_MIN_AGREEMENT = 0.95
_MAX_CELL_CHARACTERS = 200
_COLUMN_NAME = re.compile(r"(?=.{0,20}[^\W\d_])[\w(#%€$£][^<>{}=\[\]]{0,60}")
_BAR_TABLE = re.compile(r"^[ \t]*\||^[ \t:|-]*-{3}[ \t:|-]*$", re.MULTILINE)

Rows = list[list[str]]


def recognises(data: bytes, name: str) -> bool:
    """Tell whether its name says so and it has two cells, or it clearly is a table."""
    if not is_text(data):
        return False
    sample = _sample(clean(start_of(data)))
    if suffix(name) in _SUFFIXES:
        rows = list(_filled(_read(sample, _delimiter(sample))))
        return sum(map(len, rows[:2])) > 1
    return suffix(name) not in _OTHER_TEXT and _is_clearly_a_table(sample)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a CSV file."""
    text = clean(decode(data))
    delimiter = _delimiter(_sample(text))
    builder, allowance = DocumentBuilder(), Allowance(name)
    try:
        rows = _read(_STATED.sub("", text, count=1) if _STATED.match(text) else text, delimiter)
    except csv.Error as error:
        reason = "one of its cells has no end"
        raise CorruptDocumentError(title=name, reason=reason) from error
    write_tables(builder, (_row(cells, allowance) for cells in rows), allowance)
    return builder.build(choose_title(name), MEDIA_TYPE, "csv")


def _row(cells: list[str], allowance: Allowance) -> Row:
    return {place: allowance.take(cell) for place, cell in enumerate(cells) if cell.strip()}


def _sample(text: str) -> str:
    """Return whole lines from the start."""
    if len(text) < _SAMPLE_CHARACTERS // 2:
        return text
    return text[:_SAMPLE_CHARACTERS].rpartition("\n")[0] or text[:_SAMPLE_CHARACTERS]


def _delimiter(sample: str) -> str:
    """Choose what gives most rows the same number of columns, and many of them."""
    stated = _STATED.match(sample)
    if stated:
        return stated[1]
    scores = {delimiter: _score(sample, delimiter) for delimiter in _DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best][1] > 0 else _NO_DELIMITER


def _score(sample: str, delimiter: str) -> tuple[bool, float]:
    """Rate a delimiter: whether it fits every row, then by agreement and columns.

    A comma never counts as perfect: where another sign is, commas may stand within numbers.
    """
    if delimiter not in sample:
        return False, 0.0
    widths = Counter(len(row) for row in _filled(_read(sample, delimiter)))
    if not widths:
        return False, 0.0
    width, count = widths.most_common(1)[0]
    fits_all = delimiter != "," and width > 1 and 1 < count == widths.total()
    return fits_all, count / widths.total() * (1 - 1 / width)


def _read(text: str, delimiter: str) -> Rows:
    """Split into cells; where quotes do not pair up, they are mere characters."""
    try:
        rows = list(csv.reader(StringIO(text), delimiter=delimiter))
    except csv.Error:
        rows = []
    if rows and not any(cell.count("\n") > _MAX_LINES_IN_CELL for row in rows for cell in row):
        return rows
    return list(csv.reader(StringIO(text), delimiter=delimiter, quoting=csv.QUOTE_NONE))


def _filled(rows: Rows) -> Iterator[list[str]]:
    return (row for row in rows if any(cell.strip() for cell in row))


def _is_clearly_a_table(sample: str) -> bool:
    delimiter = _delimiter(sample)
    rows = list(_filled(_read(sample, delimiter)))
    if len(rows) < _MIN_ROWS or len(rows[0]) == 1 or _BAR_TABLE.search(sample):
        return False
    agreeing = sum(len(row) == len(rows[0]) for row in rows)
    return (
        agreeing >= _MIN_AGREEMENT * len(rows)
        and all(len(cell) <= _MAX_CELL_CHARACTERS for row in rows for cell in row)
        and _has_column_names(rows[0])
        and not _reads_like_prose(sample, delimiter)
    )


def _has_column_names(cells: list[str]) -> bool:
    names = [cell.strip() for cell in cells]
    return len(set(names)) == len(names) and all(
        _COLUMN_NAME.fullmatch(name) and not name.endswith((".", "!", "?", ":")) for name in names
    )


def _reads_like_prose(sample: str, delimiter: str) -> bool:
    """Tell sentences, in which a blank follows most commas and semicolons."""
    return delimiter in ",;" and 2 * sample.count(delimiter + " ") > sample.count(delimiter)
