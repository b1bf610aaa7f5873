"""Plain text: paragraphs at blank lines, list items at their markers."""

import re

from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import clean, decode
from ingest.parse.lists import is_list_item
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import is_text
from ingest.parse.titles import choose_title

NAME = "plain text"
RANK = 90  # what nothing else recognises
MEDIA_TYPE = "text/plain"
_PARAGRAPH_BORDER = re.compile(r"\n[ \t]*\n\s*")


def recognises(data: bytes, _name: str) -> bool:
    """Tell whether it is made of characters and is not the source of something else."""
    return is_text(data)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a plain-text file; its line breaks are kept."""
    builder = DocumentBuilder()
    for paragraph in _PARAGRAPH_BORDER.split(clean(decode(data))):
        for kind, lines in _items(paragraph.split("\n")):
            builder.add(kind, "\n".join(lines))
        if not is_list_item(paragraph):
            builder.end_group()
    return builder.build(choose_title(name), MEDIA_TYPE, "text")


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
