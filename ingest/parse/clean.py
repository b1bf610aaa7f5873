"""Text as a person sees it: valid, visible and composed, before any offset is counted."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from unicodedata import normalize

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile("[\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls, soft hyphens, zero-width and direction marks, variation selectors, tags,
# noncharacters: nobody sees them, and instructions to a language model can hide in them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]+"
)
_LOOKALIKES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
    # Where the symbol fonts of word processors keep their bullets.
    "\uf0a7": "•",
    "\uf0b7": "•",
}
_LOOKALIKE = re.compile("[" + "".join(_LOOKALIKES) + "]")
_BLANKS = re.compile(r"[ \t]+")
_AROUND_LINE_END = re.compile(r"\s*\n\s*")


def clean(text: str) -> str:
    """Drop what cannot be seen, unify line ends and spaces, compose (NFC)."""
    text = _LINE_ENDS.sub("\n", text)
    if not text.isascii():
        if _SURROGATES.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        text = _SPACES.sub(" ", text)
        text = _LOOKALIKE.sub(lambda found: _LOOKALIKES[found[0]], text)
    return normalize("NFC", _INVISIBLE.sub("", text))


def reflow(text: str) -> str:
    """Collapse blanks within lines and blank lines between them; no blanks at either end."""
    return _AROUND_LINE_END.sub("\n", _BLANKS.sub(" ", text)).strip()


def one_line(text: str) -> str:
    """Collapse every run of whitespace to one space."""
    return " ".join(text.split())


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode a text file: byte order mark, UTF-8, the declared encoding, else Windows-1252."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", declared):
        try:
            if encoding:
                return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    if data.startswith(BOM_UTF8):
        return data.decode("utf-8-sig", "replace")
    return data.decode("cp1252", "replace")
