"""Postal addresses: a street with its number, and the flat, postcode and town that follow.

A town or a postcode alone is no address, unless the text says that it is one.
"""

import re
from collections.abc import Iterator

from rag.mask.finds import Find, Kind, Sureness
from rag.mask.streets import NAME, NUMBER, POSTCODE, REST, STREETS, WORD

# A number before the house's: the flat's, or the other way round.
_STREET = re.compile(rf"(?<![\w.,#-])(?:\d{{1,4}}[ ])?(?:{'|'.join(STREETS)}){REST}")
_ANNOUNCED = re.compile(
    r"""\b(?i:(?:postal|home|delivery|shipping|new|billing|mailing|my|his|her|our|'s)\ address
    |address:|anschrift|adresse|indirizzo|direcci(?:ó|o)n|adres\b|liv(?:e|es|ing)\ (?:at|in|on)
    |wohn(?:e|t|en|haft)\ (?:in|an)|j['\u2019]?habite|abito|vivo\ en|woon\ (?:in|op)|moved\ to
    |(?:sen[dt]|ship(?:ped)?|deliver(?:ed)?|return|arrived)(?:\ it)?\ (?:to|at))
    [^\n\d]{0,20}?:?\s{0,4}(?P<value>"""
    rf"{NUMBER}[ ]{NAME}(?:[ ]\d{{1,5}}\b)?{REST}"
    rf"|{WORD}(?:[ ]{WORD}){{0,2}}[ ]{NUMBER}{REST})",
    re.VERBOSE,
)
_POSTCODE_WORD = re.compile(
    r"""\b(?i:zip(?:\ ?code)?|post(?:al\ |\ )?code|plz|postleitzahl|code\ postal
    |c(?:ó|o)digo\ postal|cap)\b[^\n\d]{0,12}?"""
    rf"(?P<value>{POSTCODE})",
    re.VERBOSE,
)


def find(text: str) -> Iterator[Find]:
    """Yield the postal addresses in a text."""
    for match in _STREET.finditer(text):
        yield _trimmed(text, *match.span(), Sureness.SHAPED)
    for pattern in (_ANNOUNCED, _POSTCODE_WORD):
        for match in pattern.finditer(text):
            yield _trimmed(text, *match.span("value"), Sureness.IN_CONTEXT)


def _trimmed(text: str, start: int, end: int, sureness: Sureness) -> Find:
    return Find(start, start + len(text[start:end].rstrip(" ,.\n")), Kind.ADDRESS, sureness)
