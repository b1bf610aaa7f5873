"""Untrusted text where Streamlit reads Markdown."""

_MARKS = frozenset(r"\`*_{}[]()<>#+-.!|~$:@&")


def plain(text: str) -> str:
    """Return text in which Markdown finds nothing: no link, no image, no format."""
    return "".join(f"\\{character}" if character in _MARKS else character for character in text)
