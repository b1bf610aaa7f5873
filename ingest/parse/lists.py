"""How list items begin in formats that only have lines."""

import re

_LIST_MARKER = re.compile(r"[ \t]*(?:[-*+•‣◦▪\u2013]|\d{1,3}[.)])[ \t]+\S")


def is_list_item(line: str) -> bool:
    """Tell whether a line starts with a bullet or a number."""
    return _LIST_MARKER.match(line) is not None
