"""The pieces of an RTF file: groups, control words and stretches of bytes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?"
    rb"|\\'([0-9a-fA-F]{2})"
    rb"|\\(.)"
    rb"|([{}])"
    rb"|[\r\n\x00]+"
    rb"|([^\\{}\r\n\x00]+)",
    re.DOTALL,
)
_ESCAPED = frozenset({b"\\", b"{", b"}"})


class TokenKind(StrEnum):
    """What a piece is."""

    OPEN = "{"
    CLOSE = "}"
    WORD = "word"
    BYTES = "bytes"


@dataclass(slots=True)
class Token:
    """A piece: a control word with its number, or bytes in the code page of their font."""

    kind: TokenKind
    word: str = ""
    number: int | None = None
    data: bytes = b""


def tokens(data: bytes) -> Iterator[Token]:
    """Yield the pieces of a file; line ends mean nothing, raw binary data is skipped."""
    position = 0
    while found := _TOKEN.match(data, position):
        position = found.end()
        word, number, code, sign, brace, text = found.groups()
        if word == b"bin":
            position += max(0, int(number or 0))
        elif word:
            yield Token(TokenKind.WORD, word.decode("ascii"), int(number) if number else None)
        elif brace:
            yield Token(TokenKind.OPEN if brace == b"{" else TokenKind.CLOSE)
        elif code:
            yield Token(TokenKind.BYTES, data=bytes.fromhex(code.decode("ascii")))
        elif text or sign in _ESCAPED:
            yield Token(TokenKind.BYTES, data=text or sign)
        elif sign:
            yield Token(TokenKind.WORD, sign.decode("latin-1"))
