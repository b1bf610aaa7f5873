"""What replies are never drafted about: a list of topics, and a place to try it."""

from collections.abc import Sequence

import streamlit as st

from app import session
from app.components import saving, tree
from app.components.saving import Form
from app.components.tree import Node, button, node
from app.components.voice_form import lines
from app.errors import InvalidInputError
from app.services import Services
from app.text import t
from app.workflow import rules
from app.workflow.access import Actor
from rag.topics import HAND_OVER_CHARACTERS, MAX_TOPICS, NAME_CHARACTERS, Topic, blocked

NAME = "topics"
WORDS_HEIGHT, TEXT_HEIGHT = 172, 68
Topics = list[Topic]


def show(services: Services, actor: Actor) -> None:
    """Show the section."""
    current = list(rules.read(services, actor.id).topics)
    form = saving.begin(NAME, current)

    def save(wanted: Topics) -> None:
        rules.save_topics(services, actor.id, wanted, seen=form.seen)

    with st.container(width=saving.WIDTH):
        st.caption(t("topics.lead"))
        _list(form)
        saving.end(form, current, lambda: read(form), save)
        _trial(form)


def read(form: Form[Topics]) -> Topics:
    """Return the topics that are typed.

    Raises:
        InvalidInputError: A part of one cannot be used.
    """
    return rules.topics_of(
        [
            {
                "name": form.typed(number, "name") or "",
                "words": lines(form.typed(number, "words") or ""),
                "hand_over": form.typed(number, "hand_over") or "",
            }
            for number in _numbers(form)
        ]
    )


def verdict(text: str, topics: Sequence[Topic]) -> Node:
    """Return what would become of a ticket with this text."""
    topic = blocked(text, topics)
    if topic is None:
        return node("p", t("topics.try_drafted"), role="status")
    said = t("topics.try_blocked", name=topic.name)
    return node("p", said, " ", node("em", topic.hand_over), class_="problem", role="status")


def _numbers(form: Form[Topics]) -> list[int]:
    """Return the numbers of the topics in the order in which they stand; a number stays."""
    numbers = session.get(form.key_of("numbers"))
    return list(range(len(form.first))) if numbers is None else list(numbers)


def _list(form: Form[Topics]) -> None:
    numbers = _numbers(form)
    if not numbers:
        st.info(t("topics.empty"))
    for position, number in enumerate(numbers):
        with st.container(border=True):
            _topic(form, number, position)
    if len(numbers) < MAX_TOPICS:
        st.button(t("topics.add"), key="topics.add", on_click=_add, args=(form,))


def _topic(form: Form[Topics], number: int, position: int) -> None:
    first = form.first[number] if number < len(form.first) else None
    left, right = st.columns(2, gap="medium")
    name = left.text_input(
        t("topics.name"),
        first.name if first else "",
        max_chars=NAME_CHARACTERS,
        key=form.key_of(number, "name"),
        persist_state="session",
    )
    left.text_area(
        t("topics.hand_over"),
        first.hand_over if first else "",
        height=TEXT_HEIGHT,
        max_chars=HAND_OVER_CHARACTERS,
        placeholder=t("topics.hand_over_example"),
        key=form.key_of(number, "hand_over"),
        persist_state="session",
    )
    right.text_area(
        t("topics.words"),
        "\n".join(first.words) if first else "",
        height=WORDS_HEIGHT,
        placeholder=t("topics.words_example"),
        key=form.key_of(number, "words"),
        persist_state="session",
    )
    _verbs(form, number, position, name.strip() or str(position + 1))


def _verbs(form: Form[Topics], number: int, position: int, about: str) -> None:
    verbs = [button(t("topics.remove"), "remove", str(number), about)]
    if position:
        verbs.insert(0, button(t("topics.up"), "up", str(number), about))
    tree.show(
        form.key_of(number, "verbs"),
        node("div", *verbs, class_="acts"),
        on_act=lambda action, subject: _move(form, action, int(subject)),
    )


def _add(form: Form[Topics]) -> None:
    numbers = _numbers(form)
    last = session.get(form.key_of("last")) or len(form.first)
    # A number is never given twice: what was typed into a removed topic must not come back.
    session.put(form.key_of("last"), last + 1)
    session.put(form.key_of("numbers"), [*numbers, last])


def _move(form: Form[Topics], action: str, number: int) -> None:
    numbers = _numbers(form)
    if number not in numbers:
        return
    position = numbers.index(number)
    numbers.remove(number)
    if action == "up":
        numbers.insert(max(0, position - 1), number)
    session.put(form.key_of("numbers"), numbers)


def _trial(form: Form[Topics]) -> None:
    st.subheader(t("topics.try_title"))
    text = st.text_area(t("topics.try"), key="topics.trial", persist_state="session")
    if not text.strip():
        return
    try:
        tree.show("topics.verdict", verdict(text, read(form)))
    except InvalidInputError:
        st.caption(t("topics.try_later"))
