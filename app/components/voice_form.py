"""How replies of this desk are to sound: a form, with each greeting as a customer reads it."""

from typing import Any

import streamlit as st

from app.components import saving, tree
from app.components.saving import Form
from app.components.tree import Node, node
from app.errors import InvalidInputError
from app.services import Services
from app.text import t
from app.workflow import rules
from app.workflow.access import Actor
from rag.address import FORMS
from rag.prompt import LANGUAGES
from rag.voice import (
    EXAMPLE_CHARACTERS,
    MAX_EXAMPLES,
    MAX_WORDS,
    MIN_WORDS,
    TEXT_CHARACTERS,
    Manner,
    Voice,
    dress,
)

NAME = "voice"
LIST_HEIGHT, TEXT_HEIGHT = 180, 110
HEADING = "margin: 0.5rem 0 0.3rem; font-size: inherit"
ADDRESSES = ("formal", "informal")


def show(services: Services, actor: Actor) -> None:
    """Show the section."""
    current = rules.read(services, actor.id).voice
    form = saving.begin(NAME, current)

    def save(wanted: Voice) -> None:
        rules.save_voice(services, actor.id, wanted, seen=form.seen)

    with st.container(width=saving.WIDTH):
        st.caption(t("voice.lead"))
        _sound(form)
        _languages(form)
        _words(form)
        _examples(form)
        saving.end(form, current, lambda: read(form), save)


def read(form: Form[Voice]) -> Voice:
    """Return the voice that is typed.

    Raises:
        InvalidInputError: A part of it cannot be used.
    """
    chosen = form.typed("languages") or []
    examples = [form.typed("example", number) or "" for number in range(MAX_EXAMPLES)]
    return rules.voice_of(
        {
            "tone": form.typed("tone") or "",
            "max_words": form.typed("max_words"),
            "languages": {language: _manner(form, language) for language in chosen},
            "banned": lines(form.typed("banned") or ""),
            "glossary": glossary(form.typed("glossary") or ""),
            "examples": [example for example in examples if example.strip()],
        }
    )


def lines(text: str) -> list[str]:
    """Return the lines of a text that are not blank, each once."""
    return list(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))


def glossary(text: str) -> dict[str, str]:
    """Read lines like “word = word of the house”.

    Raises:
        InvalidInputError: A line is not like that.
    """
    words = {}
    for line in lines(text):
        word, sign, house = (part.strip() for part in line.partition("="))
        if not (word and sign and house):
            why = "it needs a word, an equals sign and the word of the house"
            raise InvalidInputError(what=f"The line “{line}”", why=why)
        words[word] = house
    return words


def preview(voice: Voice, language: str) -> list[Node]:
    """Return a short reply as a customer reads it, and the greeting where the name is unknown."""
    named = dress(t("voice.preview_body"), voice, language, t("voice.preview_name"))
    nameless = dress(t("voice.preview_body"), voice, language, None)
    shown = [node("h4", t("voice.preview"), style=HEADING), node("blockquote", named)]
    if nameless != named:
        greeting = nameless.partition("\n")[0]
        shown.append(node("h4", t("voice.preview_nameless"), style=HEADING))
        shown.append(node("blockquote", greeting))
    return [node("div", *shown, style="font-size: 0.92rem")]


def _sound(form: Form[Voice]) -> None:
    left, right = st.columns([3, 1])
    left.text_area(
        t("voice.tone"),
        form.first.tone,
        height=TEXT_HEIGHT,
        max_chars=TEXT_CHARACTERS,
        placeholder=t("voice.tone_example"),
        key=form.key_of("tone"),
        persist_state="session",
    )
    right.number_input(
        t("voice.max_words"),
        MIN_WORDS,
        MAX_WORDS,
        form.first.max_words,
        step=10,
        placeholder=t("voice.max_words_none"),
        key=form.key_of("max_words"),
        persist_state="session",
    )


def _languages(form: Form[Voice]) -> None:
    known = [*LANGUAGES, *(code for code in form.first.languages if code not in LANGUAGES)]
    st.subheader(t("voice.languages_title"))
    chosen = st.pills(
        t("voice.languages"),
        known,
        selection_mode="multi",
        default=list(form.first.languages),
        format_func=_language_name,
        key=form.key_of("languages"),
        persist_state="session",
    )
    for language in filter(chosen.__contains__, known):
        with st.container(border=True):
            _language(form, language)


def _language(form: Form[Voice], language: str) -> None:
    first = form.first.languages.get(language, Manner())
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown(f"#### {_language_name(language)}")
        if language in FORMS:
            st.radio(
                t("voice.address"),
                ADDRESSES,
                index=ADDRESSES.index(first.address),
                format_func=lambda name: t(f"voice.{name}", form=FORMS[language][name]),
                horizontal=True,
                key=form.key_of(language, "address"),
                persist_state="session",
            )
        for name, height in (("greeting", 68), ("sign_off", TEXT_HEIGHT)):
            st.text_area(
                t(f"voice.{name}"),
                getattr(first, name),
                height=height,
                max_chars=TEXT_CHARACTERS,
                placeholder=t(f"voice.{name}_example"),
                key=form.key_of(language, name),
                persist_state="session",
            )
    with right:
        tree.show(form.key_of(language, "preview"), *_preview(form, language))


def _preview(form: Form[Voice], language: str) -> list[Node]:
    try:
        voice = rules.voice_of({"languages": {language: _manner(form, language)}})
    except InvalidInputError as error:
        return [node("p", error.describe()[0], class_="problem", role="status")]
    return preview(voice, language)


def _manner(form: Form[Voice], language: str) -> dict[str, Any]:
    names = ("address", "greeting", "sign_off")
    typed = {name: form.typed(language, name) for name in names}
    return {name: value for name, value in typed.items() if value is not None}


def _words(form: Form[Voice]) -> None:
    st.subheader(t("voice.words_title"))
    first = form.first
    texts = {
        "banned": "\n".join(first.banned),
        "glossary": "\n".join(f"{word} = {house}" for word, house in first.glossary.items()),
    }
    for column, (name, text) in zip(st.columns(2, gap="medium"), texts.items(), strict=True):
        column.text_area(
            t(f"voice.{name}"),
            text,
            height=LIST_HEIGHT,
            placeholder=t(f"voice.{name}_example"),
            key=form.key_of(name),
            persist_state="session",
        )


def _examples(form: Form[Voice]) -> None:
    """Show the model replies, and room for one more."""
    st.subheader(t("voice.examples_title"))
    st.caption(t("voice.examples_lead", count=MAX_EXAMPLES))
    for number in range(MAX_EXAMPLES):
        first = dict(enumerate(form.first.examples)).get(number, "")
        text = st.text_area(
            t("voice.example", number=number + 1),
            first,
            height=TEXT_HEIGHT,
            max_chars=EXAMPLE_CHARACTERS,
            key=form.key_of("example", number),
            persist_state="session",
        )
        if not text.strip() and number >= len(form.first.examples) - 1:
            break


def _language_name(code: str) -> str:
    return t(f"voice.language_{code}") if code in LANGUAGES else code
