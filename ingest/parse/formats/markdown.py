"""Markdown: rendered, then read like the page it stands for."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.parse.clean import clean, decode
from ingest.parse.formats import html
from ingest.parse.formats.html.blocks import BLOCK_TAGS
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sniff import is_text, start_of, suffix

NAME = "Markdown"
RANK = 80
MEDIA_TYPE = "text/markdown"
_SIGNS = (
    re.compile(r"^#{1,6} +\S", re.MULTILINE),
    re.compile(r"^(?:```|~~~)", re.MULTILINE),
    re.compile(r"\[[^\[\]\n]{1,300}\]\([^()\s]{1,300}\)"),
    re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|", re.MULTILINE),
    re.compile(r"\*\*[^*\s][^*\n]*\*\*"),
)
_MIN_SIGNS = 2
_FRONT_MATTER = re.compile(
    r"---[ \t]*\n((?:\w[\w.-]*[ \t]*:.*\n|[ \t#-].*\n|\n){0,200}?)---[ \t]*(?:\n|\Z)"
)
_FRONT_TITLE = re.compile(r"^title[ \t]*:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_MAX_NESTING = 100  # what is nested deeper would be lost; a list counts twice
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)")
# Any other tag is a placeholder such as <your-name>, or would swallow the rest of the text.
_RENDERED_TAGS = BLOCK_TAGS | frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "data", "del", "dfn", "em", "font", "i"}
    | {"img", "ins", "kbd", "mark", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span"}
    | {"strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}
)


def recognises(data: bytes, name: str) -> bool:
    """Tell whether its name says so or its text clearly has the structure."""
    if not is_text(data):
        return False
    start = start_of(data)
    signs = sum(sign.search(start) is not None for sign in _SIGNS)
    return suffix(name) in {".md", ".markdown"} or signs >= _MIN_SIGNS


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a Markdown file (CommonMark with tables)."""
    text, title = _without_front_matter(clean(decode(data)))
    renderer = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )
    tokens = renderer.parse(text)
    for token in tokens:
        for child in token.children or []:
            _show_placeholder(child)
    rendered = renderer.renderer.render(tokens, renderer.options, {})
    return html.parse_text(rendered, name, MEDIA_TYPE, title)


def _without_front_matter(text: str) -> tuple[str, str | None]:
    """Return the text after its front matter, and the title given there."""
    front = _FRONT_MATTER.match(text)
    if front is None:
        return text, None
    title = _FRONT_TITLE.search(front[1])
    return text[front.end() :], title[1] if title else None


def _show_placeholder(token: Token) -> None:
    if token.type != "html_inline":
        return
    tag = _TAG.match(token.content)
    if tag and tag[1].lower() not in _RENDERED_TAGS:
        token.type = "text"
