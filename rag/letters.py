"""A customer's mail → their own words, without quoted mail, signatures and courtesies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from mailparser_reply import EmailMessage  # type: ignore[import-untyped]

from rag import formulas

# So much of a mail's start and end is read: its matter is there, and its history in between.
HEAD_CHARACTERS, TAIL_CHARACTERS = 12_000, 4_000
# Of the library only the headers are used: its signatures and disclaimers take any line that begins
# with "Thanks," or "- " and all that follows, and warnings that name a mail.
HEADER_LANGUAGES = ["en", "de", "fr", "it", "es", "nl"]
# Its patterns look back and forth within what they are given.
HEADER_LINES, HEADER_CHARACTERS, MAX_HEADERS = 8, 200, 40
# Two lines like "From:" and "Subject:" may describe a filter; a mail program writes more.
MIN_FIELDS = 3
# What follows a sign-off is a name and an address, not sentences.
SENTENCE_WORDS, LINE_WORDS = 4, 7
CONTACT_LINES = 8
COURTESIES = 2

_INVISIBLE = str.maketrans(
    {"\r": None, "\u200b": None, "\ufeff": None, "\xa0": " ", "\xad": None, "\u2019": "'"}
)
_BLANK_LINES = re.compile(r"\n\s*\n")
_WORD = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Header:
    """The lines with which a mail program introduces another mail; none where length is 0."""

    length: int
    forwards: bool = False


NO_HEADER = Header(0)


def own_words(text: str) -> str:
    """Return what the writer of a mail says themselves; the whole mail if that is nothing.

    Lines stay lines. Of a very long mail the middle is left out.
    """
    whole = _excerpt(text).translate(_INVISIBLE)
    lines = [line.strip() for line in whole.split("\n")]
    own = _without_signature(_without_history(lines))
    letter = _without_courtesies(_without_disclaimers(own).strip())
    if _WORD.search(letter):
        return letter
    return "\n".join(line.lstrip("> ") for line in lines).strip()


def _excerpt(text: str) -> str:
    """Return the first and last lines of a text that is too long to be read whole."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    head = text[:HEAD_CHARACTERS].rpartition("\n")[0] or text[:HEAD_CHARACTERS]
    tail = text[-TAIL_CHARACTERS:].partition("\n")[2] or text[-TAIL_CHARACTERS:]
    return f"{head}\n{tail}"


def _without_history(lines: Sequence[str]) -> list[str]:
    """Drop mail that the writer answers to; what they forward is kept, without its header."""
    own: list[str] = []
    position = tries = 0
    while position < len(lines):
        line, header = lines[position], NO_HEADER
        if tries < MAX_HEADERS and _may_be_header(lines[position : position + 2]):
            tries += 1
            header = _header(lines[position : position + HEADER_LINES])
        position += header.length or 1
        if header.length and not header.forwards and _ends_own_words(own, lines[position:]):
            break
        if not header.length and not line.startswith(">"):
            own.append(line)
    return own


def _may_be_header(lines: Sequence[str]) -> bool:
    first = lines[0]
    return bool(first) and (
        first.startswith("--")
        or any(line.endswith(":") for line in lines)
        or formulas.FIELD.match(first) is not None
        or formulas.FORWARDED.match(first) is not None
    )


def _ends_own_words(own: Sequence[str], rest: Sequence[str]) -> bool:
    """Tell whether all that follows a header is history.

    It is not where the writer has said nothing yet, nor where quoted lines are marked one by one.
    """
    said = any(_WORD.search(line) for line in own)
    return said and not next(filter(None, rest), "").startswith(">")


def _header(lines: Sequence[str]) -> Header:
    """Return the header at the start of some lines."""
    text = "\n".join(lines)[:HEADER_CHARACTERS]
    if formulas.FORWARDED.match(text):
        return Header(1 + _fields(lines[1:]), forwards=True)
    if formulas.ORIGINAL.match(text):
        return Header(1 + _fields(lines[1:]))
    wrote = formulas.WROTE.match(text)
    if wrote and any(map(str.isdigit, wrote.group())):
        return Header(wrote.group().rstrip().count("\n") + 1)
    fields = _fields(lines)
    known = formulas.SENT.match(text) or _known_headers().match(text)
    if known is None or fields:
        return Header(fields) if known and fields >= MIN_FIELDS else NO_HEADER
    # A sentence that ends in "wrote:" names no date.
    dated = any(map(str.isdigit, known.group()))
    return Header(known.group().rstrip().count("\n") + 1) if dated else NO_HEADER


def _fields(lines: Sequence[str]) -> int:
    """Count the lines like "Subject: ..." at the start, a blank one before them included."""
    blank = 1 if lines and not lines[0] else 0
    fields = list(takewhile(formulas.FIELD.match, lines[blank:]))
    return blank + len(fields) if fields else 0


@cache
def _known_headers() -> re.Pattern[str]:
    pattern: re.Pattern[str] = EmailMessage("", languages=list(HEADER_LANGUAGES)).HEADER_REGEX
    return pattern


def _without_signature(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    said = signed = False
    for line in lines:
        if said and line in {"--", "\u2014"}:
            break
        if (signed and not _goes_on(line)) or formulas.DEVICE.fullmatch(line) or set(line) == {"_"}:
            continue
        if signed:
            kept.append("")
        signed = said and formulas.SIGN_OFF.fullmatch(line.rstrip(" ,.!;")) is not None
        said = said or _WORD.search(line) is not None
        if not signed:
            kept.append(line)
    last = len(kept) - CONTACT_LINES
    return [
        line for at, line in enumerate(kept) if at < last or not formulas.CONTACT.fullmatch(line)
    ]


def _goes_on(line: str) -> bool:
    """Tell a letter that goes on below a sign-off, or its postscript, from a name and address."""
    least = SENTENCE_WORDS if line.endswith((".", "!", ":")) else LINE_WORDS
    prose = len(line.split()) >= least or line.endswith("?")
    return prose or formulas.POSTSCRIPT.match(line) is not None


def _without_disclaimers(lines: Sequence[str]) -> str:
    text = "\n".join(line for line in lines if not formulas.PRINTING.search(line))
    paragraphs = _BLANK_LINES.split(text)
    return "\n\n".join(filter(None, map(_without_disclaimer, paragraphs)))


def _without_disclaimer(paragraph: str) -> str:
    start = formulas.DISCLAIMER_START.search(paragraph)
    if start is None:
        return paragraph
    rest = paragraph[start.start() :]
    disclaims = "?" not in rest and all(mark.search(rest) for mark in formulas.DISCLAIMER)
    return paragraph[: start.start()].rstrip() if disclaims else paragraph


def _without_courtesies(letter: str) -> str:
    for _ in range(COURTESIES):
        greeting = formulas.GREETING.match(letter)
        letter = letter[greeting.end() :] if greeting else letter
        last = formulas.LAST_SENTENCE.search(letter[-100:])
        if last is None or formulas.CLOSING.fullmatch(last.group().strip()) is None:
            continue
        letter = letter[: len(letter) - len(last.group())].rstrip()
    return letter
