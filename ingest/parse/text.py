"""Plain text: paragraphs at blank lines, list items at their markers."""

import re

from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import clean, decode
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.titles import choose_title

MEDIA_TYPE = "text/plain"
_PARAGRAPH_BORDER = re.compile(r"\n[ \t]*\n\s*")
_LIST_MARKER = re.compile(r"[ \t]*(?:[-*+•‣◦▪\u2013]|\d{1,3}[.)])[ \t]+\S")


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a plain-text file; its line breaks are kept."""
    builder = DocumentBuilder()
    for paragraph in _PARAGRAPH_BORDER.split(clean(decode(data))):
        for kind, lines in _items(paragraph.split("\n")):
            builder.add(kind, "\n".join(lines))
        if not _LIST_MARKER.match(paragraph):
            builder.end_group()
    return builder.build(choose_title(name), MEDIA_TYPE, "text")


def is_list_item(line: str) -> bool:
    """Tell whether a line starts with a bullet or a number."""
    return _LIST_MARKER.match(line) is not None


def _items(lines: list[str]) -> list[tuple[BlockKind, list[str]]]:
    """Group a paragraph's lines: a marker starts an item, which holds the lines up to the next."""
    groups: list[tuple[BlockKind, list[str]]] = []
    for line in lines:
        if is_list_item(line):
            groups.append((BlockKind.LIST_ITEM, [line]))
        elif groups:
            groups[-1][1].append(line)
        else:
            groups.append((BlockKind.PARAGRAPH, [line]))
    return groups
