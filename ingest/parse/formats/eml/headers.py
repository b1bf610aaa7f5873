"""The headers of a mail: what marks a file as one, and what they say in plain text."""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32

from ingest.parse.clean import clean, decode, one_line

MAX_CHARACTERS = 1_000  # of one header
_WINDOW = 65_536
_SHOWN_CHARACTERS = 500
_ENVELOPE = re.compile(r">?From [^\n]*\n")
_NAME = re.compile(r"([!-9;-~]{1,76})[ \t]*:|[ \t]")
_COMMON = frozenset({"from", "to", "subject", "date", "content-type"})
_ONLY_OF_MAIL = frozenset({"message-id", "mime-version", "received"})
_MIN_NAMES = 2
# The bytes of these look like ASCII, so that nothing but the declaration tells them apart.
_DISGUISED = ("utf-7", "utf-16", "utf-32", "iso-2022-", "hz")
# Declared by programs that write Windows-1252, and read as that by browsers.
_MEANT_FOR_WINDOWS = frozenset({"us-ascii", "ascii", "iso-8859-1", "latin1", "latin-1"})


class MailPolicy(Compat32):
    """Reads headers as they come, cut to a length.

    The library's newer policies read addresses by recursion, in time that grows with the square
    of their length, and raise what they do not document.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return a header's name and its value on one line."""
        name, _, value = "".join(sourcelines).partition(":")
        raw = value[:MAX_CHARACTERS].encode("ascii", "surrogateescape")
        return name.rstrip(" \t"), one_line(decode(raw))


def is_mail(data: bytes, *, is_named_so: bool) -> bool:
    """Tell whether a file starts with headers, among them some that only mail has."""
    names = _names(decode(unwrapped(data[:_WINDOW])))
    common, only = names & _COMMON, names & _ONLY_OF_MAIL
    return len(common | only) >= _MIN_NAMES and bool(only or is_named_so)


def unwrapped(data: bytes) -> bytes:
    """Return a mail in an encoding whose ASCII characters are single bytes."""
    for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        zeros = data[1 if codec == "utf-16-le" else 0 : 64 : 2]
        if data.startswith(mark) or (len(zeros) > 1 and not any(zeros)):
            return data.decode(codec, "replace").lstrip("\ufeff").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def value(mail: Message, name: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a header as people read it, empty if absent; a longer one is cut."""
    text = one_line(clean(_decoded(str(mail.get(name, "")))))
    return text if len(text) <= limit else text[:limit].rstrip() + "…"


def decode_text(data: bytes, charset: str | None) -> str:
    """Decode text whose charset was declared, rightly or not."""
    if charset and charset.startswith(_DISGUISED):
        try:
            return data.decode(charset)
        except (LookupError, UnicodeError):
            pass
    return decode(data, None if charset in _MEANT_FOR_WINDOWS else charset)


def _decoded(raw: str) -> str:
    try:
        pieces = decode_header(raw)
    except HeaderParseError:
        return raw
    return "".join(
        piece
        if isinstance(piece, str)
        else decode_text(piece, charset.lower())
        if charset
        else piece.decode("raw-unicode-escape", "replace")
        for piece, charset in pieces
    )


def _names(start: str) -> set[str]:
    """Collect the names of the headers that a file starts with."""
    start = start.lstrip()
    envelope = _ENVELOPE.match(start)
    names = set()
    for line in start[envelope.end() if envelope else 0 :].splitlines():
        found = _NAME.match(line)
        if found is None:
            break
        names.add((found[1] or "").lower())
    return names
