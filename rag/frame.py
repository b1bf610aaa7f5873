"""The frame of a reply: its greeting and its sign-off, found, and written as the desk does."""

import re
import unicodedata

from rag.cite import MARKER
from rag.formulas import GREETING, SIGN_OFF
from rag.phrases import literal
from rag.prompt import clean

NAME = "{name}"
NAME_CHARACTERS = 60
# “Hello! Good morning, Ann,” are two; of “Dear valued customer,” each word may be a name.
GREETINGS, GREETING_WORDS = 2, 3
# Below a sign-off stand a name and a company; what is longer, a list or a postscript is content.
CLOSING_LINES, SIGNATURE_WORDS = 4, 4
_CONTENT = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•]|p\.?\s?s\b)", re.IGNORECASE)
_THANKS = re.compile(r"dank|merci|grazie|gracias|obrigad|thank|bedankt", re.IGNORECASE)
_LAST_SENTENCE = re.compile(r"(?<=[.!?\]])\s+")
# The end of a sentence, not of “Dr.”
_SENTENCE_END = re.compile(
    r"(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bmrs)(?<!\bhr)(?<!\bfr)(?<!\bprof)[.!?]\s", re.IGNORECASE
)


def greet(greeting: str, name: str | None) -> str:
    """Return a greeting with the name of a customer, or without one where it is no name."""
    words = " ".join(clean(name or "").split())
    if words[:1].isalpha() and len(words) <= NAME_CHARACTERS and all(map(_is_of_a_name, words)):
        return greeting.replace(NAME, words)
    if NAME not in greeting:
        return greeting
    without = re.sub(rf"\s*{re.escape(NAME)}", "", greeting).lstrip(" ,;:!.")
    return without[:1].upper() + without[1:]


def after_greeting(text: str, greeting: str) -> int:
    """Return where a reply goes on behind its greeting, be it the desk's or the writer's own."""
    start = len(text) - len(text.lstrip())
    if greeting:
        with_name = rf"[^\n]{{0,{NAME_CHARACTERS}}}?".join(map(literal, greeting.split(NAME)))
        own = rf"(?:{with_name}|{literal(greet(greeting, None))})[ \t]*(?:\n|\Z)"
        if match := re.compile(own).match(text, start):
            return match.end()
    for _ in range(GREETINGS):
        start = _after_formula(text, start)
    return start


def before_sign_off(text: str, start: int, sign_off: str) -> int:
    """Return where a reply ends before its sign-off; one that nothing stands before is none."""
    end = len(text.rstrip())
    own = end - len(sign_off)
    if sign_off and text.endswith(sign_off, start, end) and text[start:own][-1:].isspace():
        return own
    position = end
    below: list[str] = []
    for line in reversed(text[start:end].splitlines(keepends=True)[-CLOSING_LINES:]):
        position -= len(line)
        found = _sign_off_in(line, below)
        if found is not None:
            found += position
            return found if text[start:found].strip() else end
        if not _is_signature(line):
            break
        below.append(line)
    return end


def _sign_off_in(line: str, below: list[str]) -> int | None:
    """Return where in a line a sign-off begins, with what stands below the line."""
    formula, _, rest = line.strip().rstrip(" ,.!;").partition(",")
    if SIGN_OFF.fullmatch(formula) and _is_signature(rest):
        # After thanks stands what was thanked for, unless it is a name.
        words = " ".join([rest, *below]).split()
        if not _THANKS.search(formula) or all(word[:1].isupper() for word in words):
            return 0
    last = _LAST_SENTENCE.split(line.rstrip())[-1]
    if not below and SIGN_OFF.fullmatch(last.rstrip(" .!;")):
        return line.rindex(last)
    return None


def _after_formula(text: str, start: int) -> int:
    match = GREETING.match(text, start)
    # “Hi-res” is no greeting.
    if match is not None and (match.group()[-1].isspace() or match.end() == len(text)):
        # “Hello Martha. Warranty: …” goes on behind the name.
        sentence = _SENTENCE_END.search(text, start, match.end())
        return sentence.end() if sentence else match.end()
    line = text[start:].partition("\n")[0]
    # “Dear customer,” is one, on a line of its own.
    is_greeting = len(line.split()) <= GREETING_WORDS and GREETING.fullmatch(line.title())
    return start + len(line) if is_greeting else start


def _is_signature(line: str) -> bool:
    bare = line.strip()
    is_sentence = bare.endswith((".", "!", "?")) or len(bare.split()) > SIGNATURE_WORDS
    is_content = ":" in bare or _CONTENT.match(bare) or MARKER.search(bare)
    return not is_sentence and not is_content


def _is_of_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in " .-'\u2019"
