"""Text → sentences with exact offsets, by rules that hold for European languages."""

import re
from collections.abc import Iterator

# A sentence ends at . ! ? … (with closing quotes, brackets or markers like [2]), or at a line break
# that ends a paragraph, a list item or a table row.
_END = re.compile(
    r"""(?:[.!?…]+["'”’»)\]]*(?:\s*\[\d{1,3}\])*(?=\s|\Z)|\n)\s*""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"""(?:^|[\s(])(?:
        e\.g|i\.e|etc|vs|approx|no|nr|art|fig|p|pp|vol|inc|ltd|co|mr|mrs|ms|dr|prof|st|
        z\.B|z\.\sB|d\.h|u\.a|bzw|ca|ggf|inkl|max|min|usw|evtl|Abb|Nr|Str|Tel|
        p\.ex|env|cf|av|M|Mme|n°|
        sig|dott|ecc|pag|
        Sr|Sra|Ud|Uds|pág|
        bijv|o\.a|mw|dhr|
        [A-Z]
    )\.$""",
    re.VERBOSE | re.IGNORECASE,
)
# German and Dutch dates: "ab dem 1. April" goes on.
_ORDINAL = re.compile(r"\b\d{1,2}\.$")
_MONTH = re.compile(
    r"(?:Jan|Feb|März|Mär|Apr|Mai|Juni?|Juli?|Aug|Sep|Okt|Nov|Dez|Quartal|Tag|Woche|Monat|Jahr)"
)
LOOKBACK = 40
_NUMBERED = re.compile(r"(?:^|\n)\s*\d{1,3}\.$")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each sentence; the spans partition the text, white space included."""
    start = 0
    for match in _END.finditer(text):
        if match.end() <= start or not _is_border(text, start, match):
            continue
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _is_border(text: str, start: int, match: re.Match[str]) -> bool:
    if match.group().startswith("\n"):
        return _ends_line(text, match)
    # Only the last words matter, and a text without borders must not be searched from its start.
    before = text[max(start, match.start() - LOOKBACK) : match.start() + 1]
    if _NUMBERED.search(before):
        return False
    if match.group().startswith("."):
        if _ABBREVIATION.search(before):
            return False
        if _ORDINAL.search(before) and _MONTH.match(text, match.end()):
            return False
        following = text[match.end() : match.end() + 1]
        return not following.islower()
    return True


def _ends_line(text: str, match: re.Match[str]) -> bool:
    """A blank line ends a sentence; a single break only before a list mark, cell row or capital."""
    if match.group().count("\n") > 1:
        return True
    following = text[match.end() : match.end() + 2]
    return not following[:1].islower()
