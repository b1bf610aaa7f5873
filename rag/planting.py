"""True sentences with one thing in them made false, to teach a verifier and to measure one."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?![\w]|[.,]\d)")
_MONTHS = (
    ("January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"),
    ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
     "Oktober", "November", "Dezember"),
    ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
     "octobre", "novembre", "décembre"),
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
)  # fmt: skip
# Each pair turns a sentence into its opposite, in either direction.
_OPPOSITES = (
    ("is not", "is"), ("are not", "are"), ("cannot", "can"), ("does not", "does"),
    ("do not", "do"), ("must not", "must"), ("will not", "will"), ("should not", "should"),
    ("was not", "was"), ("never", "always"), ("without", "with"), ("before", "after"),
    ("disable", "enable"), ("disabled", "enabled"), ("remove", "add"), ("open", "close"),
    ("increase", "decrease"), ("more than", "less than"), ("at least", "at most"),
    ("online", "offline"), ("all", "none of the"), ("allow", "block"), ("start", "stop"),
    ("include", "exclude"), ("included", "excluded"), ("free of charge", "at your expense"),
    ("optional", "required"), ("manually", "automatically"), ("minimum", "maximum"),
    ("old", "new"), ("first", "last"), ("possible", "impossible"), ("left", "right"),
    ("nicht", "immer"), ("keine", "eine"), ("ohne", "mit"), ("vor", "nach"), ("nie", "immer"),
    ("kostenlos", "kostenpflichtig"), ("mindestens", "höchstens"), ("jamais", "toujours"),
    ("sans", "avec"), ("avant", "après"), ("gratuit", "payant"), ("au moins", "au plus"),
    ("mai", "sempre"), ("senza", "con"), ("prima", "dopo"), ("nunca", "siempre"), ("sin", "con"),
    ("antes", "después"), ("nooit", "altijd"), ("zonder", "met"), ("geen", "een"),
)  # fmt: skip
_NAME = re.compile(r"(?<=[a-zß-ÿ,;:] )[A-ZÀ-Þ][\wÀ-ÿ+-]{2,}(?: (?:[A-ZÀ-Þ][\wÀ-ÿ+-]+|\d{2,4}))*")


class Error(StrEnum):
    """What is made false."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Planted:
    """A sentence with one error; offsets of the changed words in it."""

    text: str
    error: Error
    start: int
    end: int


def plant(
    sentence: str, error: Error, chance: random.Random, names: Sequence[str] = ()
) -> Planted | None:
    """Make one thing in a sentence false; None where it has no such thing.

    Args:
        sentence: A true one.
        error: What to make false.
        chance: Chooses the place and what stands there instead.
        names: What a name may be replaced by, from the same text as a rule.
    """
    change: dict[Error, Callable[[], tuple[int, int, str] | None]] = {
        Error.NUMBER: lambda: _number(sentence, chance),
        Error.DATE: lambda: _date(sentence, chance),
        Error.NEGATION: lambda: _negation(sentence, chance),
        Error.ENTITY: lambda: _entity(sentence, chance, names),
    }
    found = change[error]()
    if found is None:
        return None
    start, end, words = found
    return Planted(sentence[:start] + words + sentence[end:], error, start, start + len(words))


def names_in(text: str) -> list[str]:
    """Return the names of a text, as far as capitals within a sentence tell them."""
    return list(dict.fromkeys(_NAME.findall(text)))


def _number(sentence: str, chance: random.Random) -> tuple[int, int, str] | None:
    places = [match for match in _NUMBER.finditer(sentence) if not _is_mark(sentence, match)]
    if not places:
        return None
    place = chance.choice(places)
    return place.start(), place.end(), _another(place.group(), chance)


def _is_mark(sentence: str, match: re.Match[str]) -> bool:
    """Tell the number of a step or of a citation from one that says something."""
    after = sentence[match.end() : match.end() + 1]
    return (not sentence[: match.start()].strip() and after in {".", ")"}) or after == "]"


def _another(number: str, chance: random.Random) -> str:
    digits = re.sub(r"\D", "", number)
    value = int(digits)
    near = [value + 1, value + 2, value * 2, value * 10, value + 10, max(value - 1, 0), value // 2]
    other = str(chance.choice([each for each in near if each != value]))
    if mark := re.search(r"[.,]", number):
        places = len(number) - mark.start() - 1
        other = other.rjust(places + 1, "0")
        return f"{other[:-places]}{mark.group()}{other[-places:]}"
    return other


def _date(sentence: str, chance: random.Random) -> tuple[int, int, str] | None:
    places = [
        (match, family)
        for family in _MONTHS
        for name in family
        for match in re.finditer(rf"\b{name}\b", sentence)
    ]
    if not places:
        years = list(re.finditer(r"\b(?:19|20)\d\d\b", sentence))
        if not years:
            return None
        year = chance.choice(years)
        other = str(int(year.group()) + chance.choice([-2, -1, 1, 2, 3]))
        return year.start(), year.end(), other
    match, family = chance.choice(places)
    others = [name for name in family if name != match.group()]
    return match.start(), match.end(), chance.choice(others)


def _negation(sentence: str, chance: random.Random) -> tuple[int, int, str] | None:
    found: list[tuple[int, int, str]] = []
    for negative, positive in _OPPOSITES:
        matches = list(re.finditer(rf"\b{negative}\b", sentence, re.IGNORECASE))
        other = positive
        if not matches:
            once = rf"\b{positive}\b(?! (?:not?|never)\b)"
            matches = list(re.finditer(once, sentence, re.IGNORECASE))
            other = negative
        found += [(match.start(), match.end(), _cased(match.group(), other)) for match in matches]
    return chance.choice(found) if found else None


def _cased(old: str, new: str) -> str:
    return new[0].upper() + new[1:] if old[0].isupper() else new


def _entity(
    sentence: str, chance: random.Random, names: Sequence[str]
) -> tuple[int, int, str] | None:
    places = list(_NAME.finditer(sentence))
    if not places:
        return None
    place = chance.choice(places)
    others = [name for name in names if name not in sentence and place.group() not in name]
    return (place.start(), place.end(), chance.choice(others)) if others else None


# Changes that leave what a sentence says as it is.
_REWORDINGS = (
    (r"\bin order to\b", "to"), (r"\byou can\b", "it is possible to"), (r"\bcannot\b", "can't"),
    (r"\bdo not\b", "don't"), (r"\bis not\b", "isn't"), (r"\bdoes not\b", "doesn't"),
    (r"\bclick on\b", "select"), (r"\bclick\b", "select"), (r"\bsuch as\b", "like"),
    (r"\bfor example\b", "for instance"), (r"\bhowever,? ", ""), (r"\bplease \b", ""),
    (r"\bcontact\b", "get in touch with"), (r"\bbegin\b", "start"), (r"\brequire[sd]?\b", "need"),
    (r"\bpurchase\b", "buy"), (r"\buse\b", "make use of"), (r"\ballows you to\b", "lets you"),
    (r"\balso\b", "as well"), (r"\bmust\b", "have to"), (r"\bwithin\b", "in no more than"),
    (r"\bprovide\b", "give"), (r"\busers\b", "people"), (r"\bthe user\b", "you"),
)  # fmt: skip
_BRACKETS = re.compile(r" \([^()]{3,60}\)")
_IF = re.compile(r"^(If|When|Wenn|Si) ([^,]{8,80}), ([^,].{8,})\.$")
_LEADS = (
    "Please note: ", "According to our documentation, ", "Yes, ", "As a reminder, ", "In short: ",
    "Bitte beachten: ", "À noter : ",
)  # fmt: skip


def reword(sentence: str, chance: random.Random) -> str:
    """Say what a sentence says a little differently, or leave it as it is."""
    said = re.sub(r"^(?:\d{1,2}[.)]|[-*•])\s+", "", sentence)
    swaps = [(old, new) for old, new in _REWORDINGS if re.search(old, said, re.IGNORECASE)]
    for old, new in chance.sample(swaps, min(len(swaps), 2)):
        said = re.sub(old, new, said, count=1, flags=re.IGNORECASE)
    if chance.random() < 0.5:
        said = _BRACKETS.sub("", said)
    turned = _IF.match(said)
    if turned and chance.random() < 0.6:
        main = turned[3]
        said = f"{main[0].upper()}{main[1:]} {turned[1].lower()} {turned[2]}."
    if chance.random() < 0.15:
        said = chance.choice(_LEADS[:5]) + said[0].lower() + said[1:]
    return said[:1].upper() + said[1:]
