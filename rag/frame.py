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
# Below a sign-off stand a name and a company.
CLOSING_LINES, SIGNATURE_WORDS = 6, 6
_SENTENCE_END = re.compile(r"(?<=[.!?\]])\s+")


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
    for line in reversed(text[start:end].splitlines(keepends=True)[-CLOSING_LINES:]):
        position -= len(line)
        last = _SENTENCE_END.split(line.strip())[-1]
        formula, _, rest = last.partition(",")
        if SIGN_OFF.fullmatch(formula.rstrip(" .!;")) and _is_signature(rest):
            found = position + line.rindex(last)
            return found if text[start:found].strip() else end
        if not _is_signature(line):
            break
    return end


def _after_formula(text: str, start: int) -> int:
    match = GREETING.match(text, start)
    # “Hi-res” is no greeting.
    if match is not None and (match.group()[-1].isspace() or match.end() == len(text)):
        return match.end()
    line = text[start:].partition("\n")[0]
    # “Dear customer,” is one, on a line of its own.
    is_greeting = len(line.split()) <= GREETING_WORDS and GREETING.fullmatch(line.title())
    return start + len(line) if is_greeting else start


def _is_signature(line: str) -> bool:
    bare = line.strip()
    is_sentence = bare.endswith((".", "!", "?", ":")) or len(bare.split()) > SIGNATURE_WORDS
    return not is_sentence and not bare.startswith(("-", "*", "•")) and not MARKER.search(bare)


def _is_of_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in " .-'\u2019"
