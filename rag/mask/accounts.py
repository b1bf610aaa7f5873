"""Numbers of accounts, cards and persons: by their check digits, or by the words before them."""

import re
from collections.abc import Callable, Iterator

from rag.mask import checks
from rag.mask.finds import Find, Kind, Sureness

_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w-])", re.ASCII)
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)
_CARD_WORDS = re.compile(
    r"(?:\b(?:credit|debit|visa|mastercard|amex|cc|card|carte|carta|tarjeta)"
    r"|kreditkarte)[^\n\d]{0,25}$",
    re.IGNORECASE,
)
_IBAN_WORD = re.compile(r"\bIBAN\b[^\n\d]{0,15}$", re.IGNORECASE)
_LOOK_BACK = 40
# Numbers of papers have no common check digit: the paper must be named.
_PAPERS = re.compile(
    r"""\b(?:passport|passeport|passaporto|pasaporte|paspoort|reisepass|personalausweis|ausweis
    |driver'?s\ licen[cs]e|driving\ licen[cs]e|f(?:ü|ue)hrerschein|permis\ de\ conduire
    |patente(?:\ di\ guida)?|permiso\ de\ conducir|carnet\ de\ conducir|rijbewijs
    |carte\ d['\u2019]identit(?:é|e)|carta\ d['\u2019]identit(?:à|a)|identity\ card|id\ card
    |social\ security|ssn|bsn|steuer-?id\w{0,20}|steuernummer|tax\ id|national\ insurance
    |sozialversicherungsnummer|num(?:é|e)ro\ de\ s(?:é|e)curit(?:é|e)\ sociale|dni|nie
    |codice\ fiscale|partita\ iva)\b[^\n\d]{0,25}?[ :#]
    (?P<value>(?:[A-Z]{1,3}[ ]?)?\d[\dA-Z]{0,20}(?:[ ./-][\dA-Z]{0,8}\d[\dA-Z]{0,8}){0,6})(?!\w)""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_PAPER_DIGITS = 5

_SEPARATORS = str.maketrans("", "", " -./")
Check = Callable[[str], bool]
_IDS: tuple[tuple[re.Pattern[str], Check], ...] = tuple(
    (re.compile(rf"(?<![\w.,-])(?:{shape})(?![\w-])", re.ASCII | re.IGNORECASE), check)
    for shape, check in (
        (r"\d{3}([ -])\d{2}\1\d{4}", checks.is_social_security_number),
        (r"(?:\d{2}\.?\d{3}\.?\d{3}|[XYZ][ -]?\d{7})[ -]?[A-Z]", checks.is_dni),
        (
            r"[A-Z]{3} ?[A-Z]{3} ?[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2} ?"
            r"[A-Z][0-9L-NP-V]{3}[A-Z]",
            checks.is_codice_fiscale,
        ),
        (r"\d{2} ?\d{3} ?\d{3} ?\d{3}", checks.is_steuer_id),
        (
            r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d",
            checks.is_nir,
        ),
    )
)


def find(text: str) -> Iterator[Find]:
    """Yield the cards, accounts and numbers of persons in a text."""
    yield from _cards(text)
    yield from _accounts(text)
    for pattern, check in _IDS:
        for match in pattern.finditer(text):
            if check(match.group().translate(_SEPARATORS).upper()):
                yield Find(*match.span(), Kind.ID, Sureness.CHECKED)
    for match in _PAPERS.finditer(text):
        if sum(map(str.isdigit, match["value"])) >= _PAPER_DIGITS:
            yield Find(*match.span("value"), Kind.ID, Sureness.IN_CONTEXT)


def _cards(text: str) -> Iterator[Find]:
    for match in _CARD.finditer(text):
        if checks.is_card(match.group().translate(_SEPARATORS)):
            yield Find(*match.span(), Kind.CARD, Sureness.CHECKED)
        elif _follows(_CARD_WORDS, text, match.start()):
            yield Find(*match.span(), Kind.CARD, Sureness.IN_CONTEXT)


def _accounts(text: str) -> Iterator[Find]:
    for match in _IBAN.finditer(text):
        length = checks.IBAN_LENGTHS.get(match.group()[:2].upper(), 0)
        end = _end_of(match.group(), length)
        account = match.group()[:end].translate(_SEPARATORS).upper()
        if checks.is_iban(account):
            yield Find(match.start(), match.start() + end, Kind.IBAN, Sureness.CHECKED)
        elif _follows(_IBAN_WORD, text, match.start()):
            yield Find(*match.span(), Kind.IBAN, Sureness.IN_CONTEXT)


def _end_of(text: str, length: int) -> int:
    """Return where a text has so many characters, blanks and dashes not counted."""
    places = [at for at, character in enumerate(text, start=1) if character not in " -"]
    return places[length - 1] if 0 < length <= len(places) else 0


def _follows(words: re.Pattern[str], text: str, start: int) -> bool:
    return words.search(text, max(0, start - _LOOK_BACK), start) is not None
