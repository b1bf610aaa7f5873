"""Pages inside other documents: read like a page of HTML, appended to what is there."""

import re

from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import decode
from ingest.parse.parsed import BlockKind, ParsedDocument

_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{1,40})""")
_ENCODING_WINDOW = 200
# Empty elements of XML; HTML would take all that follows as their content.
_CLOSED_AT_ONCE = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)"
    r"([A-Za-z][\w:.-]*+)([^<>]*+)(?<=/)>",
    re.IGNORECASE,
)
# In a book these hold text: headings of chapters, sources of mottos, footnotes.
_TEXT_IN_BOOKS = re.compile(r"(</?)(?:header|footer|aside)\b", re.IGNORECASE)


def append(builder: DocumentBuilder, document: ParsedDocument, *, deeper: int = 0) -> None:
    """Append a document's blocks, its headings so many levels deeper; its groups stay apart."""
    end = -1
    for block in document.blocks:
        if block.start != end + 1:
            builder.end_group()
        level = block.level + deeper if block.kind is BlockKind.HEADING else 0
        builder.add(block.kind, document.text[block.start : block.end], level)
        end = block.end
    builder.end_group()


def to_html(xhtml: bytes) -> str:
    """Decode a page of a book and write it the way that browsers read HTML."""
    declared = _ENCODING.search(xhtml[:_ENCODING_WINDOW])
    text = decode(xhtml, declared[1].decode("ascii") if declared else None)
    text = _CLOSED_AT_ONCE.sub(_opened_and_closed, text)
    return _TEXT_IN_BOOKS.sub(r"\1div", text)


def _opened_and_closed(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{tag[2][:-1]}></{tag[1]}>"
