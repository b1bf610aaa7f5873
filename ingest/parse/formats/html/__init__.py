"""HTML: the text a reader of the page sees, without its navigation."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.errors import PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import decode, one_line
from ingest.parse.formats.html.blocks import BlockWriter
from ingest.parse.parsed import ParsedDocument
from ingest.parse.sniff import is_text, start_of, starts_like_html, suffix
from ingest.parse.titles import choose_title

NAME = "HTML"
RANK = 40
MEDIA_TYPE = "text/html"
_TAG = re.compile(
    r"</?(?:html|head|body|title|meta|p|div|span|table|tr|td|h[1-6]|ul|ol|li|a|br|b|i|pre)\b[^<>]*>",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_CHARSET_WINDOW = 4096
_UNSEEN_TAGS = frozenset(
    {"script", "style", "noscript", "noframes", "template", "head", "title", "annotation"}
    | {"svg", "canvas", "iframe", "object", "embed", "audio", "video", "map"}
    | {"input", "button", "select", "textarea", "datalist", "option", "progress", "meter"}
)
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside"})
_HIDING_STYLE = re.compile(
    r"display:none|visibility:(hidden|collapse)|opacity:0?\.?0+(;|$)|font-size:0[a-z%]*(;|!|$)"
)
_NEVER_IN_CELLS = "table, h1, h2, h3, h4, h5, h6"
_MAX_CELL_CHARACTERS = 1_000
_MIN_ROWS = 2
_MAX_DEPTH = 10_000


class _TooDeepError(Exception):
    """No person wrote this, and what keeps track of open elements grows slow with their number."""


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it starts like a page, or has some tags and a page's name."""
    if not is_text(data):
        return False
    if starts_like_html(data):
        return True
    return suffix(name) in {".html", ".htm", ".xhtml"} and bool(_TAG.search(start_of(data)))


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read an HTML file."""
    return parse_text(decode(data, _declared_charset(data)), name, MEDIA_TYPE)


def parse_text(
    html: str, name: str, media_type: str, stated_title: str | None = None
) -> ParsedDocument:
    """Read decoded HTML; a format that is rendered to HTML first comes in here."""
    tree = LexborHTMLParser(html)
    builder = DocumentBuilder()
    try:
        _write(tree, builder, _UNSEEN_TAGS | _BOILERPLATE_TAGS)
    except _TooDeepError as error:
        raise PoisonDocumentError(title=name, reason="it is nested too deeply") from error
    if builder.is_empty:
        # A page that is all navigation is still better read than refused.
        _write(tree, builder, _UNSEEN_TAGS)
    for node in tree.css("[style], [hidden]"):
        if _is_hidden(node, node.tag or ""):
            builder.hide(one_line(node.text()))
    title = choose_title(name, _title(tree), stated_title, builder.title_heading())
    return builder.build(title, media_type, media_type.partition("/")[2])


def _declared_charset(data: bytes) -> str | None:
    found = _CHARSET.search(data[:_CHARSET_WINDOW])
    declared = found[1].decode("ascii", "replace").lower() if found else None
    # A declaration readable as ASCII cannot be in UTF-16; browsers ignore it too.
    if declared is None or declared.startswith("utf-16"):
        return None
    # Browsers read Latin-1 as Windows-1252, which has the typographic quotes that pages mean.
    return "cp1252" if declared in {"iso-8859-1", "latin1", "us-ascii"} else declared


def _title(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("head > title")
    return one_line(node.text()) if node else None


def _write(tree: LexborHTMLParser, builder: DocumentBuilder, unseen: frozenset[str]) -> None:
    writer = BlockWriter(builder)
    for node, entering in _visible_nodes(tree.body, unseen):
        tag = node.tag or ""
        if node.is_text_node:
            writer.text(node.text_content or "")
        elif not entering:
            writer.leave(tag)
        elif tag == "table":
            writer.enter_table(is_data=_is_data_table(node))
        else:
            writer.enter(tag, _number(node.attributes.get("value" if tag == "li" else "start")))
    writer.finish()


def _visible_nodes(
    root: LexborNode | None, unseen: frozenset[str]
) -> Iterator[tuple[LexborNode, bool]]:
    """Yield (node, True) before a node's children and (node, False) after them.

    A stack of our own, because documents nest deeper than Python's.
    """
    stack = [(root, True)] if root else []
    depth = 0
    while stack:
        node, entering = stack.pop()
        yield node, entering
        depth -= not entering
        if not entering or not node.is_element_node:
            continue
        depth += 1
        if depth > _MAX_DEPTH:
            raise _TooDeepError
        stack.append((node, False))
        children = [child for child in _children(node) if _is_visible(child, unseen)]
        stack.extend((child, True) for child in reversed(children))


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _is_visible(node: LexborNode, unseen: frozenset[str]) -> bool:
    if node.is_text_node:
        return True
    tag = node.tag or ""
    if not node.is_element_node or tag in unseen:
        return False
    if tag == "header" and "nav" in unseen and node.css_first("h1") is None:
        return False
    return not _is_hidden(node, tag)


def _is_hidden(node: LexborNode, tag: str) -> bool:
    attributes = node.attributes
    if not attributes:
        return tag == "dialog"
    style = re.sub(r"\s+", "", attributes.get("style") or "").lower()
    return (
        "hidden" in attributes
        or (tag == "dialog" and "open" not in attributes)
        or attributes.get("role") == "navigation"
        or _HIDING_STYLE.search(style) is not None
    )


def _is_data_table(table: LexborNode) -> bool:
    """Tell a table of data from one that only lays out the page."""
    if table.attributes.get("role") in {"presentation", "none"}:
        return False
    if len(table.css("tr")) < _MIN_ROWS or any(
        node.mem_id != table.mem_id for node in table.css(_NEVER_IN_CELLS)
    ):
        return False
    return all(len(cell.text()) <= _MAX_CELL_CHARACTERS for cell in table.css("td"))


def _number(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"-?\d{1,6}", value) else None
