"""What stands for what: placeholders for values, and values for placeholders again."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rag.mask.finds import Find, Kind

# No placeholder is longer, however a model writes it.
MAX_CHARACTERS = 60
_DECORATION = r"[\s*\\`_]{0,4}"
# As we write it, and as models do: in other case, escaped, in bold, without brackets.
PLACEHOLDER = re.compile(
    rf"(?P<open>(?:&(?:amp;)?lt;|<){_DECORATION})?"
    rf"(?P<kind>{'|'.join(Kind)}|(?:(?<=<)|(?<=lt;))[^\W\d_]{{2,20}}(?=_\d))"
    r"(?P<link>[\s*\\_-]{1,5})(?P<number>[0-9]{1,6})(?![0-9])"
    rf"(?(open)(?:{_DECORATION}(?:&(?:amp;)?gt;|>))?|(?:&(?:amp;)?gt;|>)?)",
    re.IGNORECASE,
)

_WHOLE: re.Pattern[str] = re.compile(rf"<(?:{'|'.join(Kind)})_[0-9]{{1,6}}>")
_OPENED, _CLOSED = re.compile("[<&]"), re.compile(">|gt;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unmasked:
    """A text with the values back; `unknown` are placeholders that were never given out."""

    text: str = field(repr=False)
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Masking:
    """The placeholders of a thread and what they stand for.

    It shows no value when printed. Whoever stores `values` stores personal data.
    """

    values: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = ", ".join(f"{kind}={count}" for kind, count in self.counts().items())
        return f"Masking({counts})"

    def counts(self) -> dict[Kind, int]:
        """Return how many different values of each kind are masked, for people to see."""
        kinds = Counter(_kind(placeholder) for placeholder in self.values)
        return {kind: kinds[kind] for kind in Kind if kinds[kind] and kind != Kind.LITERAL}

    def kinds(self) -> dict[str, Kind]:
        """Return what each value is."""
        return {value: _kind(placeholder) for placeholder, value in self.values.items()}

    def unmask(self, text: str) -> Unmasked:
        """Put the values back, however a model has written their placeholders."""
        unknown: list[str] = []
        return Unmasked(self._filled(text, unknown), tuple(dict.fromkeys(unknown)))

    def unmask_pieces(self, pieces: Iterable[str], unknown: list[str]) -> Iterator[str]:
        """Do as `unmask` does for a text that comes in pieces; a placeholder may be cut by them.

        Placeholders that were never given out are appended to `unknown`.
        """
        waiting = ""
        for piece in pieces:
            waiting += piece
            cut = _settled(waiting)
            if cut:
                yield self._filled(waiting[:cut], unknown)
                waiting = waiting[cut:]
        if waiting:
            yield self._filled(waiting, unknown)

    def _filled(self, text: str, unknown: list[str]) -> str:
        def value(match: re.Match[str]) -> str:
            if not is_placeholder(match):
                return match.group()
            placeholder = f"<{match['kind'].upper()}_{int(match['number'])}>"
            # Without brackets it may be a word of a document, such as the name of a field.
            if placeholder not in self.values and match["open"] is not None:
                unknown.append(placeholder)
            return self.values.get(placeholder, match.group())

        return PLACEHOLDER.sub(value, text)


class Issue:
    """Gives out placeholders: one value, one placeholder."""

    def __init__(self, known: Masking) -> None:
        self._values = dict(known.values)
        self._placeholders = {
            _key(_kind(placeholder), value): placeholder
            for placeholder, value in known.values.items()
        }
        self._last = Counter(_kind(placeholder) for placeholder in known.values)

    def replaced(self, text: str, finds: Iterable[Find]) -> str:
        """Return a text with placeholders for what was found in it, without overlaps."""
        pieces, position = [], 0
        for find in finds:
            pieces += [text[position : find.start], self._placeholder(text, find)]
            position = find.end
        return "".join([*pieces, text[position:]])

    def masking(self) -> Masking:
        """Return all that was given out."""
        return Masking(self._values)

    def _placeholder(self, text: str, find: Find) -> str:
        value = text[find.start : find.end]
        key = _key(find.kind, value)
        if key not in self._placeholders:
            self._last[find.kind] += 1
            placeholder = f"<{find.kind}_{self._last[find.kind]}>"
            self._placeholders[key] = placeholder
            self._values[placeholder] = value
        return self._placeholders[key]


def left_in(text: str) -> list[str]:
    """Return the placeholders that stand in a text as we write them."""
    return [match.group() for match in _WHOLE.finditer(text)]


def is_placeholder(match: re.Match[str]) -> bool:
    """Tell a placeholder from a word and a number, such as "email 2" or "my_email_2"."""
    if match["open"] is not None:
        return True
    before = match.string[max(0, match.start() - 1) : match.start()]
    return is_bare(match) and not (before.isalnum() or before == "_")


def is_bare(match: re.Match[str]) -> bool:
    """Tell what would be a placeholder without brackets, if nothing stood before it."""
    return "_" in match["link"] and not any(map(str.isspace, match["link"]))


def _kind(placeholder: str) -> Kind:
    return Kind(placeholder.strip("<>").rpartition("_")[0])


def _key(kind: Kind, value: str) -> tuple[Kind, str]:
    # Whoever gets mail does so in any case of letters.
    return kind, value.casefold() if kind == Kind.EMAIL else value


def _settled(text: str) -> int:
    """Return how far into a text no placeholder can be under way."""
    # Nothing goes on behind a closing bracket.
    closed = max((match.end() for match in _CLOSED.finditer(text)), default=0)
    opened = _OPENED.search(text, max(closed, len(text) - MAX_CHARACTERS))
    word = max(closed, *(text.rfind(blank) + 1 for blank in " \n\t"))
    return min(word, opened.start()) if opened else word
