"""How a desk's replies sound: what a model is told, what stands around its text, what is noted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from xml.sax.saxutils import escape

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rag.address import FORMS, Address, addressed
from rag.cite import MARKER
from rag.frame import NAME, after_greeting, before_sign_off, greet
from rag.phrases import finder, key
from rag.prompt import clean
from rag.tickets import StorableText

MAX_BANNED, MAX_GLOSSARY, MAX_EXAMPLES = 100, 100, 5
PHRASE_CHARACTERS, TEXT_CHARACTERS, EXAMPLE_CHARACTERS = 80, 500, 1_500
MIN_WORDS, MAX_WORDS = 20, 1_000
# About 3,000 tokens, which a model must read along with every ticket.
MAX_TOLD_CHARACTERS = 12_000

Phrase = Annotated[StorableText, Field(min_length=1, max_length=PHRASE_CHARACTERS)]
Text = Annotated[StorableText, Field(max_length=TEXT_CHARACTERS)]
Example = Annotated[StorableText, Field(min_length=1, max_length=EXAMPLE_CHARACTERS)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class Manner(BaseModel):
    """How replies in one language address, greet and take leave; an empty text is not set.

    In the greeting “{name}” stands for the customer's name.
    """

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    address: Address = "formal"
    greeting: Text = ""
    sign_off: Text = ""

    @field_validator("greeting", "sign_off")
    @classmethod
    def _leaves_one_place(cls, text: str, field: ValidationInfo) -> str:
        rest = text.replace(NAME, "", 1) if field.field_name == "greeting" else text
        if re.search(r"[{}]", rest):
            raise ValueError(f"curly brackets stand only in {NAME}, once, and in a greeting")
        if text and not re.search(r"[^\W\d_]", rest):
            raise ValueError("it has no word")
        return text


class Voice(BaseModel):
    """How the replies of a desk sound; the glossary leads from words not used to those that are."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    tone: Text = ""
    max_words: Annotated[int, Field(ge=MIN_WORDS, le=MAX_WORDS)] | None = None
    languages: dict[Language, Manner] = Field(default_factory=dict)
    banned: Annotated[tuple[Phrase, ...], Field(max_length=MAX_BANNED)] = ()
    glossary: Annotated[dict[Phrase, Phrase], Field(max_length=MAX_GLOSSARY)] = Field(
        default_factory=dict
    )
    examples: Annotated[tuple[Example, ...], Field(max_length=MAX_EXAMPLES)] = ()

    @model_validator(mode="after")
    def _follows_itself(self) -> Self:
        manners = self.languages.values()
        own = [text for manner in manners for text in (manner.greeting, manner.sign_off)]
        for text in (*own, *self.glossary.values(), *self.examples):
            for deviation in (*_banned(text, self), *_renamed(text, self)):
                raise ValueError(
                    f"“{deviation.found}” is not to be written, yet stands in your own text"
                    f" “{text[:PHRASE_CHARACTERS]}”"
                )
        return self

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if len(instructions(self, "")) > MAX_TOLD_CHARACTERS:
            limit = f"{MAX_TOLD_CHARACTERS:,} characters"
            raise ValueError(f"it has more than {limit} in all; leave out model replies or words")
        return self


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a reply does not sound as it should, in code points, and the text that stands there.

    `instead` is the word of the house for one of another.
    """

    kind: Literal["banned", "glossary", "address", "length"]
    start: int
    end: int
    found: str
    instead: str | None = None


def instructions(voice: Voice, language: str) -> str:
    """Return what the model is told of the voice; what differs by language stands last."""
    glossary = [f"“{house}” instead of “{word}”" for word, house in sorted(voice.glossary.items())]
    banned = [f"“{phrase}”" for phrase in sorted(voice.banned)]
    lines = [
        f"Tone: {_data(voice.tone)}" if voice.tone else "",
        f"Write at most {voice.max_words} words." if voice.max_words else "",
        f"Never write {_data('; '.join(banned))}." if banned else "",
        f"Write {_data('; '.join(glossary))}." if glossary else "",
        *_examples(voice),
        *_manner(voice, language),
    ]
    return "\n".join(filter(None, lines))


def dress(text: str, voice: Voice, language: str, name: str | None) -> str:
    """Put the desk's greeting and sign-off around a reply, in place of its own.

    What is not a name that letters can write is not greeted with.
    """
    manner = voice.languages.get(language)
    start, end = body(text, voice, language)
    if manner is None or start == end:
        return text
    inner, before, after = text[start:end], text[:start], text[end:]
    goes_on = language == "de" and manner.greeting.endswith(",")
    if manner.greeting and not goes_on and inner.split()[0].islower():
        # A reply may go on behind its own greeting with a small letter.
        inner = inner[0].upper() + inner[1:]
    parts = (greet(manner.greeting, name) or before, inner, manner.sign_off or after)
    return "\n\n".join(filter(None, map(str.strip, parts)))


def body(text: str, voice: Voice, language: str) -> tuple[int, int]:
    """Return where a reply begins behind its greeting and ends before its sign-off."""
    manner = voice.languages.get(language) or Manner()
    start = after_greeting(text, manner.greeting)
    end = before_sign_off(text, start, manner.sign_off)
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return start, start + len(inner.strip())


def deviations(text: str, voice: Voice, language: str) -> list[Deviation]:
    """Return where a reply does not sound as it should, in order.

    Length and form of address are those of its body; only what clearly addresses the customer in
    the other form is reported.
    """
    found = [*_banned(text, voice), *_renamed(text, voice)]
    found += [*_misaddressed(text, voice, language), *_surplus(text, voice, language)]
    return sorted(found, key=lambda deviation: (deviation.start, deviation.kind))


def _data(text: str) -> str:
    return escape(clean(text))


def _examples(voice: Voice) -> list[str]:
    if not voice.examples:
        return []
    return [
        "Model replies, for their style alone: state nothing because they do, and write the numbers"
        " of passages that they lack.",
        "<examples>",
        *(f"<example>\n{_data(example)}\n</example>" for example in voice.examples),
        "</examples>",
    ]


def _manner(voice: Voice, language: str) -> list[str]:
    manner = voice.languages.get(language)
    if manner is None:
        return []
    form = FORMS.get(language, {}).get(manner.address)
    texts = {"greeting": manner.greeting, "sign-off": manner.sign_off}
    added = " and ".join(name for name, text in texts.items() if text)
    return [
        f"Address the customer in the {manner.address} way, with “{form}”." if form else "",
        f"Leave out {added}, which the desk adds." if added else "",
    ]


def _banned(text: str, voice: Voice) -> Iterator[Deviation]:
    for match in finder(voice.banned).finditer(text):
        yield Deviation("banned", *match.span(), match.group())


def _renamed(text: str, voice: Voice) -> Iterator[Deviation]:
    """Yield the words that another one of the house stands for, unless they are part of it."""
    instead = {key(word): house for word, house in voice.glossary.items()}
    words = finder((*voice.glossary, *voice.glossary.values()))
    for match in words.finditer(text):
        house = instead.get(key(match.group()))
        if house is not None and " ".join(match.group().split()) != house:
            yield Deviation("glossary", *match.span(), match.group(), house)


def _misaddressed(text: str, voice: Voice, language: str) -> Iterator[Deviation]:
    manner = voice.languages.get(language)
    if manner is None:
        return
    start, end = body(text, voice, language)
    other: Address = "informal" if manner.address == "formal" else "formal"
    for first, last in addressed(text[start:end], language, other):
        found = text[start + first : start + last]
        yield Deviation("address", start + first, start + last, found)


def _surplus(text: str, voice: Voice, language: str) -> Iterator[Deviation]:
    """Yield all behind the last word that is allowed; markers are no words."""
    start, end = body(text, voice, language)
    bare = MARKER.sub(lambda match: " " * len(match.group()), text[start:end])
    words = [match.start() for match in re.finditer(r"\S+", bare) if _has_letter(match.group())]
    if voice.max_words and len(words) > voice.max_words:
        first = start + words[voice.max_words]
        yield Deviation("length", first, end, text[first:end])


def _has_letter(word: str) -> bool:
    return any(map(str.isalnum, word))
