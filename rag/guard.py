"""What a reply may hold: no link, picture or address that none of its sources holds.

Whatever passages, tickets or models say, this is decided on the text that would be sent.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingest.guard.hidden import INVISIBLE
from rag.cite import markers_in
from rag.errors import ForbiddenContentError
from rag.mask import accounts, online, phones
from rag.mask.finds import Find, Kind, Sureness
from rag.retrieve import Hit
from rag.voice import Voice

REMOVED = "[removed]"
"""What stands in a draft where something was taken out; it cannot be approved so."""
SHOWN_CHARACTERS = 120


class OffenceKind(StrEnum):
    """What a reply may not hold."""

    INVISIBLE = "invisible"
    IMAGE = "image"
    MARKUP = "markup"
    DEFINITION = "definition"
    SCHEME = "scheme"
    LINK = "link"
    PUNYCODE = "punycode"
    URL = "url"
    CONTACT = "contact"
    REMOVED = "removed"


WHY = {
    OffenceKind.INVISIBLE: "a character that nobody sees",
    OffenceKind.IMAGE: "and a reply holds no pictures",
    OffenceKind.MARKUP: "and a reply holds no HTML",
    OffenceKind.DEFINITION: "the target of a hidden link",
    OffenceKind.SCHEME: "an address that runs or carries something",
    OffenceKind.LINK: "a link that hides where it leads",
    OffenceKind.PUNYCODE: "an address that can look like another one",
    OffenceKind.URL: "and no passage that the reply cites has this address",
    OffenceKind.CONTACT: "and neither a cited passage nor the ticket has it",
    OffenceKind.REMOVED: "where something was taken out of the draft",
}
_PATTERNS = (
    # Not a sentence that ends in "!" before its markers.
    (
        OffenceKind.IMAGE,
        re.compile(
            r"!\[(?!\s*\d{1,3}\s*\])[^\]\n]{0,500}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])"
        ),
    ),
    (OffenceKind.IMAGE, re.compile(r"!\[[^\]\n]{0,500}\]\([^)\n]{0,2000}\)")),
    (
        OffenceKind.DEFINITION,
        re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*<?(?:\w+:|//?|www\.)\S*.*$", re.MULTILINE),
    ),
    (
        OffenceKind.LINK,
        re.compile(
            r"(?P<label>\[[^\]\n]{1,500}\])\(\s{0,9}<?[^\s()]{0,500}[:/.#?@][^()\n]{0,2000}\)"
        ),
    ),
    (
        OffenceKind.MARKUP,
        re.compile(
            r"<!--.*?(?:-->|\Z)|</?(?:a|abbr|address|article|aside|audio|b|base|blockquote|body|br|"
            r"button|canvas|center|code|dd|details|dialog|div|dl|dt|em|embed|fieldset|font|footer|"
            r"form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|kbd|label|li|link|"
            r"main|map|marquee|math|meta|nav|noscript|object|ol|option|p|param|picture|pre|script|"
            r"section|select|small|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|"
            r"template|textarea|th|thead|title|tr|track|u|ul|video|wbr)\b[^<>]*(?:>|\Z)",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    (
        OffenceKind.SCHEME,
        re.compile(r"\b(?:javascript|vbscript|blob):\S+|\bdata:[\w.+-]*[/;,]\S*", re.IGNORECASE),
    ),
    (OffenceKind.REMOVED, re.compile(re.escape(REMOVED))),
)
# An emoji may have one variation selector, and be joined to the next.
_OF_EMOJI = re.compile(
    "(?<=[\u2190-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]|(?<=[\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2600-\u27bf\U0001f000-\U0001faff])"
)
_URL = re.compile(
    r"""(?<![\w@.-])(?i:
    (?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>"“”«»\[\]]+      # with a scheme, or as the page's own
    |www\.[^\s<>"“”«»\[\]]+
    |(?P<name>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}     # mail programs link names, too
     (?:com|net|org|info|biz|io|co|app|dev|ai|me|xyz|top|site|online|shop|link|click|live|cloud|tech
     |store|page|test|example|de|at|ch|fr|be|it|es|nl|lu|uk|ie|eu|us|ca|au|pl|cz|pt|ru|cn|tk|ws|to|ly)
     )(?![\w-]|\.\w)(?:[:/?\#][^\s<>"“”«»\[\]]*)?
    )""",
    re.VERBOSE,
)
_PHONE = re.compile(r"[( ]*[+0]|\(?\d{3}\)?[ .-]+\d{3}[ .-]\d{4}$")
_TRAILING = ".,;:!?)]}'\u2019*_"


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """A stretch of a reply that may not stand there; `instead` is what a draft has in its place."""

    start: int
    end: int
    kind: OffenceKind
    found: str
    instead: str = REMOVED


@dataclass(frozen=True, slots=True)
class Known:
    """The texts that a reply may take addresses from: links from `cited` alone.

    Those are the passages that it cites and the desk's own words; `ticket` is the thread.
    """

    cited: Sequence[str]
    ticket: Sequence[str]


def known(text: str, hits: Sequence[Hit], ticket: Iterable[str], voice: Voice) -> Known:
    """Return what a reply may take addresses from, given the passages that its markers count."""
    cited = [hits[marker - 1].passage for marker in markers_in(text) if 0 < marker <= len(hits)]
    manners = voice.languages.values()
    own = [words for manner in manners for words in (manner.greeting, manner.sign_off)]
    return Known([*(passage.text for passage in cited), *own], list(ticket))


def offences(text: str, known: Known) -> list[Offence]:
    """Return what may not stand in a reply, in order and apart from each other."""
    found = sorted(_offences(text, known), key=lambda each: (each.start, -each.end))
    kept: list[Offence] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def sanitise(text: str, known: Known) -> tuple[str, list[str]]:
    """Take out of a draft what may not stand in it.

    Returns:
        The draft, with a mark in each place where words are missing, and what was taken out.
    """
    removed: list[str] = []
    # Once more where what was left grew together to something else.
    while found := [each for each in offences(text, known) if each.kind != OffenceKind.REMOVED]:
        removed += [each.found for each in found]
        for each in reversed(found):
            text = text[: each.start] + each.instead + text[each.end :]
    return text, list(dict.fromkeys(removed))


def check(text: str, hits: Sequence[Hit], ticket: Iterable[str], voice: Voice) -> None:
    """See that a reply holds nothing that may not be sent.

    Raises:
        ForbiddenContentError: It does.
    """
    if found := offences(text, known(text, hits, ticket, voice)):
        raise ForbiddenContentError(found=found[0].found, why=WHY[found[0].kind])


def _offences(text: str, known: Known) -> Iterator[Offence]:
    emoji = {match.start() for match in _OF_EMOJI.finditer(text)}
    for match in INVISIBLE.finditer(text):
        if match.start() not in emoji:
            name = f"U+{ord(match.group()):04X}"
            yield Offence(*match.span(), OffenceKind.INVISIBLE, name, "")
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Offence(*match.span(), kind, _short(match.group()), _instead(kind, match))
    yield from _addresses(text, known)
    yield from _contacts(text, known)


def _instead(kind: OffenceKind, match: re.Match[str]) -> str:
    """Return what a reader needs of it: the words of a link, nothing of mark-up."""
    if kind == OffenceKind.LINK:
        label = match["label"]
        return label if markers_in(label) else label[1:-1]
    return "" if kind in {OffenceKind.MARKUP, OffenceKind.DEFINITION} else REMOVED


def _addresses(text: str, known: Known) -> Iterator[Offence]:
    allowed = {address for source in known.cited for _, _, address in _urls(source)}
    for start, end, address in _urls(text):
        if "xn--" in address.lower():
            yield Offence(start, end, OffenceKind.PUNYCODE, _short(address))
        elif address not in allowed:
            yield Offence(start, end, OffenceKind.URL, _short(address))


def _urls(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _URL.finditer(text):
        # A name in mixed case is the end of a sentence and the beginning of the next.
        if (name := match["name"]) and not (name.islower() or name.isupper()):
            continue
        address = match.group().rstrip(_TRAILING)
        yield match.start(), match.start() + len(address), address


def _contacts(text: str, known: Known) -> Iterator[Offence]:
    sources = [*known.cited, *known.ticket]
    allowed = {_key(source, find) for source in sources for find in _finds(source)}
    for find in _finds(text):
        if _key(text, find) not in allowed:
            found = _short(text[find.start : find.end])
            yield Offence(find.start, find.end, OffenceKind.CONTACT, found)


def _finds(text: str) -> Iterator[Find]:
    """Yield mail addresses, telephone numbers and accounts."""
    for find in (*online.find(text), *accounts.find(text), *phones.find(text)):
        value = text[find.start : find.end]
        if find.kind in {Kind.EMAIL, Kind.IBAN} or (
            find.kind == Kind.PHONE and _dials(find, value)
        ):
            yield find


def _dials(find: Find, value: str) -> bool:
    """Tell a telephone number from an order or serial number that could be one somewhere."""
    return find.sureness == Sureness.IN_CONTEXT or _PHONE.match(value) is not None


def _key(text: str, find: Find) -> str:
    """Return a value however it is spaced."""
    return re.sub(r"[\s()./-]+", "", text[find.start : find.end]).casefold()


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
