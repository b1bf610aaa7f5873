"""Mail addresses, user names inside links, addresses of devices, passwords and keys."""

import ipaddress
import re
from collections.abc import Iterator

from rag.mask.finds import Find, Kind, Sureness
from rag.words import COMMON

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w+%](?:[\w.+%'\u2019-]{0,126}[\w+%-])?(?:@|[ ]?[\[(][ ]?at[ ]?[\])][ ]?)"
    r"(?:[\w-]{1,63}(?:\.|[ ]?[\[(][ ]?dot[ ]?[\])][ ]?)){1,8}[^\W\d_]{2,24}",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"\b[a-z][a-z+.-]{1,11}://(?P<value>[^\s/?#@<>\"]{1,200})@", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f:]{3,39}(?![\w:])", re.IGNORECASE | re.ASCII)
_VERSION = re.compile(
    r"(?:\bv|versi[oó]ne?|versie|release|build|update|firmware|driver|treiber|pilote"
    r"|controlador|bios|windows|thunderbird|firefox|chrome|edge|/)[ :]{0,3}$",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"""(?<![^\W_])(?P<word>pass(?:word|phrase|code|wd)|pwd|pass?wort|kennwort|zugangsdaten
    |mot\ de\ passe|mdp|contrase(?:ñ|n)a|clave|wachtwoord|pin|puk|secret|token|bearer
    |(?:api|access|license|licence|product|auth|private|recovery)[ _-]?(?:key|token|code|secret)
    |lizenzschlüssel|schlüssel)(?P<link>["']?\s?[:=]\s?["']?
    |\s(?:is|was|ist|lautet|war|est|è|es|era)\s?:?\s["'„“«]?|\s(?=[^\s.]{0,40}\d))
    (?P<value>[^\s"'„“”«»<>]{4,200})""",
    re.IGNORECASE | re.VERBOSE,
)
_KEY = re.compile(
    r"""(?<![\w-])(?:sk-[\w-]{16,200}|gsk_\w{16,200}|gh[pousr]_\w{20,200}|github_pat_\w{20,200}
    |AKIA[0-9A-Z]{16}|AIza[\w-]{30,60}|xox[abprs]-[\w-]{10,200}|hf_\w{20,100}|glpat-[\w-]{16,100}
    |eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{0,2000})(?![\w-])""",
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{0,8000}", re.ASCII
)
# Settings and faults of passwords, where one could stand itself.
_STATES = frozenset(
    word
    for line in (
        "checked correct empty encrypted expired failed false incorrect invalid missing none",
        "normal null required saved true unchecked unknown wrong falsch ungültig invalide errata",
        "incorrecta ongeldig",
    )
    for word in line.split()
)
_PUNCTUATION = ".,;:!?)]}"
_MIN_SECRET = 4
_LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)?")


def find(text: str) -> Iterator[Find]:
    """Yield what identifies somebody on a network, or lets somebody in."""
    logins = [match.span("value") for match in _LOGIN.finditer(text)]
    yield from (Find(*span, Kind.LOGIN, Sureness.SHAPED) for span in logins)
    ends = {end for _, end in logins}
    for match in _EMAIL.finditer(text):
        # "password@host" inside a link is no mail address.
        if text.find("@", *match.span()) not in ends:
            yield Find(*match.span(), Kind.EMAIL, Sureness.SHAPED)
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_address(text, match):
                yield Find(*match.span(), Kind.IP, Sureness.CHECKED)
    for pattern in (_KEY, _PRIVATE_KEY):
        for match in pattern.finditer(text):
            yield Find(*match.span(), Kind.KEY, Sureness.CHECKED)
    yield from _secrets(text)


def _is_address(text: str, match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match.group())
    except ValueError:
        return False
    # Addresses inside a home or a machine say nothing of anybody, and much about a fault.
    if not address.is_global or address.is_multicast or match.group().endswith(".0"):
        return False
    return _VERSION.search(text, max(0, match.start() - 15), match.start()) is None


def _secrets(text: str) -> Iterator[Find]:
    for match in _SECRET.finditer(text):
        value = match["value"].rstrip(_PUNCTUATION)
        if len(value) >= _MIN_SECRET and _may_be_secret(text, match, value):
            start = match.start("value")
            yield Find(start, start + len(value), Kind.KEY, Sureness.IN_CONTEXT)


def _may_be_secret(text: str, match: re.Match[str], value: str) -> bool:
    """Tell a password from the next word of a sentence about one."""
    if not _LETTERS.fullmatch(value):
        return any(character.isalnum() for character in value)
    if (
        not match["link"].strip(" \"'\n\t").endswith((":", "="))
        or value.lower() in _STATES | COMMON
    ):
        return False
    return not text[match.end() : match.end() + 2].strip(" ").isalpha()
