"""Untrusted text where Streamlit reads Markdown."""

import re

_MARKS = frozenset(r"\`*_{}[]()<>#+-.!|~$:&")
# Addresses become links, and names between colons pictures, even when every mark in them is
# escaped; in a code span they do not.
_ADDRESS = re.compile(r"\S*(?:@|//|\bwww\.|:[A-Za-z][\w+/-]*:)\S*")


def plain(text: str) -> str:
    """Return text in which Markdown finds nothing: no link, no image, no format."""
    pieces, position = [], 0
    for match in _ADDRESS.finditer(text):
        pieces += [_escape(text[position : match.start()]), f"`{match.group().replace('`', '')}`"]
        position = match.end()
    return "".join([*pieces, _escape(text[position:])])


def _escape(text: str) -> str:
    return "".join(f"\\{character}" if character in _MARKS else character for character in text)
