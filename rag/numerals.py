"""Numbers that are written as words → digits, in six languages."""

import re

from ingest.units import lexicon

_WORDS = {
    2: "two zwei deux due dos twee",
    3: "three drei trois tre tres drie",
    4: "four vier quatre quattro cuatro",
    5: "five fünf cinq cinque cinco vijf",
    6: "six sechs sei seis zes",
    7: "seven sieben sept sette siete zeven",
    8: "eight acht huit otto ocho",
    9: "nine neun neuf nove nueve negen",
    10: "ten zehn dix dieci diez tien",
    11: "eleven elf onze undici once",
    12: "twelve zwölf douze dodici doce twaalf",
    14: "fourteen vierzehn quatorze quattordici catorce veertien",
    15: "fifteen fünfzehn quinze quindici vijftien",
    20: "twenty zwanzig vingt venti veinte twintig",
    24: "vierundzwanzig vingt-quatre ventiquattro veinticuatro vierentwintig",
    30: "thirty dreißig trente trenta treinta dertig",
    36: "sechsunddreißig trente-six trentasei zesendertig",
    48: "achtundvierzig quarante-huit quarantotto",
    50: "fifty fünfzig cinquante cinquanta cincuenta vijftig",
    60: "sixty sechzig soixante sessanta sesenta zestig",
    90: "ninety neunzig quatre-vingt-dix novanta noventa negentig",
    100: "hundred hundert cent cento cien honderd",
}
_VALUES = {word: value for value, words in _WORDS.items() for word in words.split()}
# “once” and “sei” are other words more often.
_ONLY_BEFORE_UNITS = {
    word: _VALUES.pop(word, 1)
    for word in (
        *("one", "a", "an", "ein", "eine", "einem", "einen", "einer", "un", "une", "uno", "una"),
        *("een", "één", "once", "sei", "onze", "due", "elf", "tien", "dos"),
    )
}
_HALF = re.compile(
    r"\b(?:half an?|une? demi(?:e)?|eine?n? halbe[rnms]?|mezzo|mezza|medi[oa]|een halve)\b[- ]",
    re.IGNORECASE,
)
_NEXT = re.compile(r"[ \u00a0-](?P<word>[^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def in_digits(text: str) -> str:
    """Write the number words of a text in digits; of small words only those before a unit."""

    def rewrite(match: re.Match[str]) -> str:
        word = match.group().lower()
        if word in _VALUES:
            return str(_VALUES[word])
        following = _NEXT.match(match.string, match.end())
        is_unit = following is not None and following["word"].lower() in lexicon().units
        return str(_ONLY_BEFORE_UNITS.get(word, match.group())) if is_unit else match.group()

    text = _HALF.sub("0.5 ", text)
    return _WORD.sub(rewrite, text)
