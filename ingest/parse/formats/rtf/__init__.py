"""RTF: paragraphs, lists, tables and notes, without what its writer kept for itself."""

from ingest.parse.formats.rtf.reader import Reader
from ingest.parse.formats.rtf.tokens import tokens
from ingest.parse.parsed import ParsedDocument
from ingest.parse.titles import choose_title

NAME = "RTF"
RANK = 10
MEDIA_TYPE = "application/rtf"
_START = b"{\\rtf"
_WINDOW = 64
_BLANKS = b"\xef\xbb\xbf \t\r\n"


def recognises(data: bytes, _name: str) -> bool:
    """Tell whether it starts as every RTF file does."""
    return data[:_WINDOW].lstrip(_BLANKS).startswith(_START)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an RTF file; what follows its outermost group is not part of it."""
    reader = Reader(name)
    for token in tokens(data[data.index(_START) :]):
        reader.take(token)
        if reader.is_finished:
            break
    reader.finish()
    blocks = reader.blocks
    title = choose_title(name, reader.title, blocks.title, blocks.builder.first_heading())
    return blocks.builder.build(title, MEDIA_TYPE, "rtf")
