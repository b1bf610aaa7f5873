"""A document's title: what its author said, or its file name made readable."""

import re
from pathlib import PurePosixPath

from ingest.parse.clean import clean, one_line

_MAX_CHARACTERS = 300
# What programs write when nobody gave a title.
_PLACEHOLDER = re.compile(
    r"(microsoft (office )?(word|powerpoint|excel)\b.*|untitled\b.*|(new )?document ?\d*|"
    r"word document|\(?(anonymous|unspecified|unknown)\)?|no title|title|index|slide \d+|"
    r"full page( fax print)?|about:blank)",
    re.IGNORECASE,
)
_PATH_LIKE = re.compile(
    r"(\w:\\|/|file:|https?:)\S*|\S+\.(pdf|docx?|pptx?|xlsx?|html?|md|rst|txt|csv|eml|epub|odt|rtf|tex|dvi|indd|qxd)"
)


def choose_title(name: str, *candidates: str | None) -> str:
    """Return the first sensible candidate, else the file name made readable."""
    for candidate in candidates:
        title = one_line(clean(candidate or ""))[:_MAX_CHARACTERS].strip()
        if _is_sensible(title):
            return title
    return readable(name)


def readable(name: str) -> str:
    """Turn a file name into words: `refund_policy-2024.pdf` becomes `Refund policy 2024`."""
    stem = PurePosixPath(clean(name).replace("\\", "/")).stem
    words = one_line(re.sub(r"[_\-]+", " ", stem))[:_MAX_CHARACTERS]
    return words[:1].upper() + words[1:] or "Untitled"


def _is_sensible(title: str) -> bool:
    return (
        any(character.isalnum() for character in title)
        and not _PLACEHOLDER.fullmatch(title)
        and not _PATH_LIKE.fullmatch(title.lower())
    )
