"""Telephone numbers: with a country's prefix, after words that announce one, or valid somewhere."""

import re
from collections.abc import Iterator

import phonenumbers

from rag.mask.finds import Find, Kind, Sureness

# Countries whose way to write a number without their prefix is understood.
REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "NL", "BE", "AT", "CH")
# A text with more numbers is a list or an attack: those after are taken for telephones unasked.
MAX_ASKED = 300
_CANDIDATE = re.compile(
    r"(?<![\w.,:/+=#-])(?:\+[ ]?|\(?\+|00)?\(?\d(?:[ ./()-]{0,3}\d){5,15}"
    r"(?:[ ]?(?:x|ext\.?|Durchwahl|poste)[ ]?\d{1,6})?(?!\w|[-.,:/%]\d)",
    re.ASCII | re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"""(?:\b(?:phone|tel|mobile|mob|cell|call|ring|fax|whatsapp|sms|reach|dial|text|telephone
    |answer(?:ing|s)?|my\ number|telefon|handy|mobil|anrufen|erreich\w{1,6}|rufnummer|meine\ nummer
    |t[ée]l[ée]phone|portable|joindre|joignable|appel\w{1,4}|mon\ num[ée]ro|telefono|cellulare
    |chiam\w{1,5}|mio\ numero|tel[ée]fono|m[óo]vil|llam\w{1,6}|mi\ n[úu]mero|telefoon|mobiel|bel)
    \b)[^\w\n]{0,4}
    (?:(?:number|nr|no|num|is|are|me|us|you|at|on|back|or|home|work|office|mobile|cell|phone|her|him
    |them|the|my|ist|lautet|mich|uns|mir|unter|der|die|meine[rn]?|nummer|au|sur|le|mon|est|moi|nous
    |num[ée]ro|al|allo|il|è|mi|numero|el|es|en|n[úu]mero|tel[ée]fono|op|het|via|per|und|and|:)
    [^\w\n]{1,4}){0,4}$""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_AFTER = re.compile(r"[ -]{1,2}(?:office|fax|mobile|phone|home|work|cell)\b", re.IGNORECASE)
# Fractions, dates and addresses of devices have digits and stops too.
_OTHER = re.compile(
    r"\d+\.\d+|\d{1,3}(?:\.\d{1,3}){3}"
    r"|(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}([-./])\d{1,2}\1(?:\d{4}|\d\d))(?:[ T]+\d{1,6})?",
    re.ASCII,
)
# Three to five numbers and stops, unless they are grouped as in 212.555.0123 or 01.23.45.67.89.
_VERSION = re.compile(r"(?!\d{3}\.\d{3}\.\d{4}$|(?:\d\d\.){4}\d\d$)\d+(?:\.\d+){2,}", re.ASCII)
MIN_DIGITS = 9
_LOOK_BACK = 45
_SEPARATED = re.compile(r"\d[ ./()-]+\d")


def find(text: str) -> Iterator[Find]:
    """Yield the telephone numbers in a text."""
    asked = 0
    for match in _CANDIDATE.finditer(text):
        number = match.group()
        if _OTHER.fullmatch(number):
            continue
        if _is_announced(text, match):
            yield Find(*match.span(), Kind.PHONE, Sureness.IN_CONTEXT)
            continue
        asked += 1
        if asked > MAX_ASKED or _is_valid(number):
            yield Find(*match.span(), Kind.PHONE, Sureness.SHAPED)


def _is_announced(text: str, match: re.Match[str]) -> bool:
    before = _ANNOUNCED.search(text, max(0, match.start() - _LOOK_BACK), match.start())
    return before is not None or _LABEL_AFTER.match(text, match.end()) is not None


def _is_valid(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    if len(digits) < MIN_DIGITS or _VERSION.fullmatch(number):
        return False
    if number.lstrip("( ").startswith("+") or digits.startswith("00"):
        return _parses("+" + digits.removeprefix("00"), None, strict=False)
    if not (_SEPARATED.search(number) or digits.startswith("0")):
        return False
    return any(_parses(number, region, strict=True) for region in REGIONS)


def _parses(number: str, region: str | None, *, strict: bool) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if strict:
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number(parsed)
