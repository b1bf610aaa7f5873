"""reStructuredText: parsed by docutils, with all that reaches outside of the file switched off."""

import re

from docutils import frontend, nodes
from docutils.parsers.rst import Parser
from docutils.transforms.references import Footnotes
from docutils.utils import new_document

from ingest.errors import PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import clean, decode
from ingest.parse.formats.rst.blocks import BlockWriter
from ingest.parse.formats.rst.markup import prepare
from ingest.parse.formats.rst.text import TextReader
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sniff import is_text, start_of, suffix
from ingest.parse.titles import choose_title

NAME = "reStructuredText"
RANK = 70
MEDIA_TYPE = "text/x-rst"
_UNDERLINED = re.compile(
    r"^(?P<title>\S[^\n]*)\n(?P<line>(?P<sign>[=\-~^\"'`#*+.:_])(?P=sign){2,})[ \t]*$", re.MULTILINE
)
_OWN_SIGNS = (
    re.compile(r"^[ \t]*\.\. [\w:+.-]{1,60}::(?:[ \t]|$)", re.MULTILINE),
    re.compile(r"^\.\. _[^\n:`]{1,100}:", re.MULTILINE),
    re.compile(r":[a-z][\w:+.-]{0,60}:`[^`\n]{1,300}`"),
)
# Markdown has these too, though seldom.
_SHARED_SIGNS = (re.compile(r"``[^`\n]{1,300}``"), re.compile(r"\w ?::[ \t]*$", re.MULTILINE))
_MARKDOWN = re.compile(r"^#{1,6} +\S|^(?:```|~~~)|\]\([^()\s]{1,300}\)", re.MULTILINE)
_BLOCK_BORDER = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+•]|\.\.|\w{1,3}[.)])[ \t])")
_MARK = re.compile(r"(?<![^\s'\"(\[{<:/-])[*`|_](?=\S)|_(?=\s)")
_MAX_CHARACTERS = 6_000_000
_MAX_COMPARISONS = 300_000_000
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 6,
    "warning_stream": "",
    "line_length_limit": _MAX_CHARACTERS,
    "syntax_highlight": "none",
}


def recognises(data: bytes, name: str) -> bool:
    """Tell whether its name says so or its text has titles and signs of this format."""
    if not is_text(data) or suffix(name) in {".md", ".markdown"}:
        return False
    return suffix(name) in {".rst", ".rest"} or _looks_like_it(start_of(data))


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a reStructuredText file."""
    source = clean(decode(data))
    _refuse_endless(source, name)
    document = _document(source, name)
    builder = DocumentBuilder()
    BlockWriter(builder, TextReader(document, name)).write(document)
    return builder.build(choose_title(name, builder.title_heading()), MEDIA_TYPE, "rst")


def _document(source: str, name: str) -> nodes.document:
    settings = frontend.get_default_settings(Parser)
    for setting, value in _SETTINGS.items():
        setattr(settings, setting, value)
    document = new_document(name, settings)
    prepare(source, document)
    try:
        Parser().parse(source, document)
    except RecursionError as error:
        raise PoisonDocumentError(title=name, reason="it is nested too deeply") from error
    # No other transforms: some take time without end, none adds text.
    Footnotes(document).apply()
    return document


def _looks_like_it(start: str) -> bool:
    start = start.replace("\r\n", "\n")
    if not any(len(found["line"]) >= len(found["title"]) for found in _UNDERLINED.finditer(start)):
        return False
    signs = _OWN_SIGNS if _MARKDOWN.search(start) else (*_OWN_SIGNS, *_SHARED_SIGNS)
    return any(sign.search(start) for sign in signs)


def _refuse_endless(source: str, name: str) -> None:
    """Refuse what would take minutes: docutils seeks the end of each mark to its block's end."""
    if len(source) > _MAX_CHARACTERS:
        reason = f"it is longer than {_MAX_CHARACTERS // 1_000_000} million characters"
        raise PoisonDocumentError(title=name, reason=reason)
    comparisons = sum(
        len(block) * sum(1 for _ in _MARK.finditer(block)) for block in _BLOCK_BORDER.split(source)
    )
    if comparisons > _MAX_COMPARISONS:
        raise PoisonDocumentError(title=name, reason="a paragraph of it has too much markup")
