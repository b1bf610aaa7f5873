"""What the control words of RTF mean for a reader."""

import codecs

SYMBOLS = {
    "~": " ", "_": "-", "tab": " ", "line": "\n", "lbr": "\n", "nestcell": " ", "nestrow": " ",
    "emspace": " ", "enspace": " ", "qmspace": " ",
    "emdash": "\u2014", "endash": "\u2013", "bullet": "\u2022",
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
}  # fmt: skip
PARAGRAPH_ENDS = frozenset({"par", "\n", "\r", "sect", "page", "column"})

# Where a group's text goes: nowhere, or to one of the places that the reader knows.
SKIPPED, TEXT, LABEL, NOTE, TITLE = "skipped", "text", "label", "note", "title"
FONTS, STYLES = "fonts", "styles"
# Skipped, but for a group inside: the title, the Unicode form, the text of a drawing.
_INFO, _TWO_FORMS, _DRAWING = "info", "two forms", "drawing"
OUTER = "outer"  # where the text went before the two forms
_OPENED = {
    "fonttbl": FONTS, "stylesheet": STYLES, "info": _INFO, "upr": _TWO_FORMS,
    "listtext": LABEL, "pntext": LABEL, "footnote": NOTE,
    "shpinst": _DRAWING, "do": _DRAWING,
}  # fmt: skip
_OPENED_INSIDE = {
    _INFO: {"title": TITLE, "upr": _TWO_FORMS},
    _TWO_FORMS: {"ud": OUTER},
    _DRAWING: {"shptxt": TEXT, "dptxbxtext": TEXT},
}
_NEVER_READ = frozenset(
    {"colortbl", "filetbl", "pict", "nonshppict", "shprslt", "nonesttables", "xe", "tc", "rxe"}
    | {"header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"}
    | {"ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "annotation", "revtbl"}
)

_CODECS_OF_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk",
    136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_SYMBOL_CHARSET = 2
_BULLETS_OF_SYMBOL_FONTS = {0xA7: "•", 0xB7: "•"}


def destination(word: str, current: str, *, is_starred: bool) -> str | None:
    """Tell where a word sends the text of its group; None: where it went before.

    Args:
        word: The first control word of a group, or any later one.
        current: Where the text goes so far.
        is_starred: Whether the word may be ignored by those who do not know it.
    """
    if current in _OPENED_INSIDE:
        return _OPENED_INSIDE[current].get(word, SKIPPED if is_starred else None)
    if current == SKIPPED:
        return None
    if word in _NEVER_READ or current in {FONTS, STYLES, TITLE}:
        return SKIPPED if is_starred or word in _NEVER_READ else None
    return _OPENED.get(word, SKIPPED if is_starred else None)


def codec_of_page(number: int) -> str | None:
    """Return the codec of a Windows code page; None if there is none."""
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return None


def decode(data: bytes, charset: int | None, default: str) -> str:
    """Decode text in a font of a charset; `default` is the codec of the document."""
    if charset == _SYMBOL_CHARSET:
        return data.decode("cp1252", "replace").translate(_BULLETS_OF_SYMBOL_FONTS)
    codec = default if charset is None else _CODECS_OF_CHARSETS.get(charset, default)
    return data.decode(codec, "replace")
