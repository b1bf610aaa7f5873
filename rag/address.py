"""Words that address a customer formally or informally, in languages that tell the two apart."""

import re
from collections.abc import Iterator
from typing import Literal

Address = Literal["formal", "informal"]

FORMS: dict[str, dict[Address, str]] = {
    "de": {"formal": "Sie", "informal": "du"},
    "es": {"formal": "usted", "informal": "tú"},
    "fr": {"formal": "vous", "informal": "tu"},
    "it": {"formal": "Lei", "informal": "tu"},
    "nl": {"formal": "u", "informal": "je"},
}
"""How a customer is addressed, by ISO 639-1 code."""

# What somebody else said, or what a screen shows, addresses whom it likes.
_QUOTED = re.compile(
    "[„“][^“”„]{0,400}[“”]|”[^”\n]{0,400}”|«[^«»]{0,400}»|»[^«»]{0,400}«"
    "|\u2039[^\u2039\u203a]{0,400}\u203a|\u201a[^\u201a\u2018\n]{0,400}\u2018"
    '|"[^"\n]{0,400}"'
)
# Not part of a path, an option, a compound or a name such as O'Du.
_BEFORE = r"(?<![\w/\\@.%'\u2019-])"
_AFTER = r"(?![\w/\\@'\u2019]|[-.]\w)"
# French asks “peux-tu”.
_BEFORE_FRENCH = r"(?<![\w/\\@.%'\u2019])(?<!--)"
# At the start of a sentence “Sie” may be “they” and “Lei” may be “she”.
_WITHIN_SENTENCE = r"(?:(?<=[^\W\d_] )|(?<=, ))"


def _words(alternatives: str, before: str = _BEFORE) -> re.Pattern[str]:
    return re.compile(rf"{before}(?:{alternatives}){_AFTER}", re.IGNORECASE)


def _capitals(alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"{_WITHIN_SENTENCE}(?:{alternatives}){_AFTER}")


_CLEAR: dict[str, dict[Address, re.Pattern[str]]] = {
    "de": {
        "formal": _capitals("Sie|Ihnen|Ihr(?:e[mnrs]?)?"),
        "informal": _words("du|dich|dir|dein(?:e[mnrs]?|s)?|euch|euer|eure[mnrs]?"),
    },
    "es": {
        "formal": _words(r"usted|[uv]d\."),
        "informal": _words("tú|tus?|te|ti|contigo|tuy[oa]s?|vosotr[oa]s|vuestr[oa]s?"),
    },
    "fr": {
        "formal": _words("(?<!rendez-)(?<!à-)vous|votre|vos", _BEFORE_FRENCH),
        # “Le ton” is a tone, and “a-t'il” has no you in it.
        "informal": _words(
            r"tu|te|toi|ta|tes|(?<!le )(?<!un )(?<!ce )(?<!du )ton|(?<!-)t['\u2019]\w+",
            _BEFORE_FRENCH,
        ),
    },
    "it": {
        "formal": _capitals("Lei|Suo|Sua|Suoi|Sue"),
        "informal": _words("tu|te|ti|tuo|tua|tuoi|tue"),
    },
    "nl": {
        # “10 u” is an hour.
        "formal": _words(r"(?<!\d )u|uw|uzelf"),
        "informal": _words("jij|je|jou|jouw|jezelf|jullie"),
    },
}


def addressed(text: str, language: str, address: Address) -> Iterator[tuple[int, int]]:
    """Yield where words clearly address somebody so; words in quotation marks are passed over."""
    pattern = _CLEAR.get(language, {}).get(address)
    if pattern is None:
        return
    bare = _QUOTED.sub(lambda match: " " * len(match.group()), text)
    for match in pattern.finditer(bare):
        # In capitals they are names of something: DIR, TU.
        if len(match.group()) == 1 or not match.group().isupper():
            yield match.span()
