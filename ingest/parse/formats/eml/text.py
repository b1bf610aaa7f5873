"""The text of a mail's parts: decoded, unfolded, and what is quoted made readable."""

import binascii
import re
from collections.abc import Iterator
from email.errors import InvalidBase64LengthDefect
from email.message import Message

from ingest.parse.clean import clean
from ingest.parse.formats import html, text
from ingest.parse.formats.eml.headers import decode_text
from ingest.parse.lists import is_list_item
from ingest.parse.parsed import ParsedDocument

_CHARSET = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_QUOTED = re.compile(r"((?:> ?)+)(.*)")
_ESCAPED_FROM = ">From "
_SIGNATURE = "-- "
_BASE64_GROUP = 4


def read_part(part: Message, name: str) -> ParsedDocument:
    """Read a part that is text, as a page if it is HTML."""
    data, charset = _payload(part), _charset(part)
    if part.get_content_type() != "text/html":
        is_flowed = str(part.get_param("format", "")).lower() == "flowed"
        return text.parse(_readable(decode_text(data, charset), is_flowed=is_flowed), name)
    if charset is None:
        return html.parse(data, name)
    return html.parse_text(decode_text(data, charset), name, html.MEDIA_TYPE)


def _charset(part: Message) -> str | None:
    charset = part.get_content_charset()
    return charset if charset and _CHARSET.fullmatch(charset) else None


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b""
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):
        # The library hands out what it cannot decode; only the last characters are too few.
        whole = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        return binascii.a2b_base64(whole[: len(whole) // _BASE64_GROUP * _BASE64_GROUP])
    return data


def _readable(body: str, *, is_flowed: bool) -> bytes:
    """Keep one mark of quotation a paragraph, and paragraphs of one depth of it apart."""
    written: list[str] = []
    before = 0
    starts_paragraph = True
    for depth, line in _unfolded(clean(body).split("\n"), is_flowed=is_flowed):
        if depth != before:
            written.append("")
            starts_paragraph = True
        is_marked = depth and line.strip() and (starts_paragraph or is_list_item(line))
        written.append(f"{'>' * depth} {line}" if is_marked else line)
        before, starts_paragraph = depth, not line.strip()
    return "\n".join(written).encode()


def _unfolded(lines: list[str], *, is_flowed: bool) -> Iterator[tuple[int, str]]:
    """Yield each line with the depth of its quotation, those that flow on joined.

    Source: RFC 3676, section 4.
    """
    begun: list[str] = []
    depth = 0
    for line in lines:
        this_depth, content = _unquoted(line)
        if begun and this_depth != depth:
            yield depth, "".join(begun)
            begun = []
        depth = this_depth
        begun.append(content)
        if not (is_flowed and content.endswith(" ") and content != _SIGNATURE):
            yield depth, "".join(begun)
            begun = []
    if begun:
        yield depth, "".join(begun)


def _unquoted(line: str) -> tuple[int, str]:
    quoted = None if line.startswith(_ESCAPED_FROM) else _QUOTED.match(line)
    if quoted is None:
        return 0, line.removeprefix(">") if line.startswith(_ESCAPED_FROM) else line
    return quoted[1].count(">"), quoted[2]
