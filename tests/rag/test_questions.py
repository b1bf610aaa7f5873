"""Long tickets are reduced to what the customer asks."""

import re
import time

import pytest

from rag.questions import BUDGET, Asked, asked
from rag.tables import Author


def _asked(body: str, subject: str = "Printing") -> Asked:
    return asked(subject, [(Author.CUSTOMER, body)])


def test_prefixes_of_answers_are_not_part_of_the_subject() -> None:
    text = _asked("The tray is stuck.", "RE: AW: [EXT] Fwd: [Ticket #812] [LX-200] Tray 2").text

    assert text.startswith("[LX-200] Tray 2\n")


def test_a_follow_up_is_joined_by_what_came_before_newest_first() -> None:
    messages = [
        (Author.CUSTOMER, "Hello, my LX-200 prints blank pages since firmware 2.1."),
        (Author.AGENT, "Please clean the drum."),
        (Author.CUSTOMER, "The drum is clean, the test page comes out fine though."),
        (Author.AGENT, "Please restart it."),
        (Author.CUSTOMER, "Still doesn't work, what now?\n\nAnn"),
    ]

    text = asked("Re: Blank pages", messages).text

    assert text == (
        "Blank pages\nStill doesn't work, what now?\n\nAnn\n"
        "The drum is clean, the test page comes out fine though.\n"
        "my LX-200 prints blank pages since firmware 2.1."
    )


def test_a_later_message_with_a_matter_of_its_own_stands_alone() -> None:
    messages = [
        (Author.CUSTOMER, "My LX-200 prints blank pages."),
        (Author.CUSTOMER, "How do I export last year's invoices as a PDF for my accountant?"),
    ]

    assert "blank" not in asked("LX-200", messages).text


def test_a_ticket_without_messages_is_its_subject() -> None:
    assert asked("Printing stops", []) == Asked("Printing stops", (), "en")


def test_of_a_long_message_the_question_and_the_fault_come_within_the_window() -> None:
    story = "We moved to the new office in spring and everybody there likes the light. " * 20
    body = f"{story}The LX-200 shows E-1042. {story}How do I warm up the fuser of the LX-200?"

    text = _asked(body, "LX-200 is cold").text

    assert len(text) <= BUDGET
    assert text.startswith("LX-200 is cold\n")
    assert "The LX-200 shows E-1042." in text
    assert text.endswith("How do I warm up the fuser of the LX-200?")


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("Two things: 1) How do I add a tray? 2) Where can I order toner?", "en"),
        ("Zwei Fragen:\n1. Wie füge ich ein Fach hinzu?\n2. Wo bestelle ich den Toner?", "de"),
        ("Bonjour,\na) Comment ajouter un bac ?\nb) Où commander du toner ?", "fr"),
        ("Due domande:\n- Come aggiungo un cassetto?\n- Dove ordino il toner?", "it"),
        ("1) ¿Cómo añado una bandeja?\n2) ¿Dónde puedo pedir el tóner?", "es"),
        ("1. Hoe voeg ik een lade toe?\n2. Waar bestel ik de toner?", "nl"),
    ],
)
def test_listed_questions_are_parts_below_the_subject(body: str, language: str) -> None:
    found = _asked(body, "LX-200")

    assert found.language == language
    assert [part.partition("\n")[0] for part in found.parts] == ["LX-200", "LX-200"]
    assert [bool(re.search("t[oó]ner", part.lower())) for part in found.parts] == [False, True]


def test_paragraphs_that_ask_different_things_are_parts() -> None:
    body = (
        "Our LX-200 has one tray. How do I add a second paper tray?\n\n"
        "The invoice of May is missing as well. Where can I download old invoices?"
    )

    assert _asked(body, "").parts == (
        "Our LX-200 has one tray. How do I add a second paper tray?",
        "The invoice of May is missing as well. Where can I download old invoices?",
    )


@pytest.mark.parametrize(
    "body",
    [
        "How do I add a paper tray?\n\nSo once more: how can I add another paper tray?",
        "How do I add a paper tray?\n\nAny ideas? Is that so hard? What am I doing wrong?",
        "Steps:\n1) I open the tray\n2) I close the tray\n\nWhy does it stay stuck?",
        "How do I add a tray? Where is the latch for the tray?",
    ],
)
def test_one_question_is_not_split(body: str) -> None:
    assert _asked(body).parts == ()


def test_there_are_at_most_four_parts() -> None:
    things = ["tray", "toner", "drum", "fuser", "cable", "roller"]
    body = "\n".join(f"{n}) Where do I order a {thing}?" for n, thing in enumerate(things, 1))

    assert len(_asked(body).parts) == 4


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "unit",
    [
        ">",
        "> ",
        ">\n",
        "> > a\n",
        "a",
        "a ",
        " ",
        "\n",
        "On ",
        "On a wrote\n",
        "On 1, a wrote:\n",
        "From: a\n",
        "From:          \n",
        "A: Da: Il ",
        "--\n",
        "- a\n",
        "Thanks\n",
        "Hi, ",
        "This mail\n",
        "This is confidential mail.\n",
        "0",
        "aF0",
        "A1_",
        "at a(",
        "at a\n",
        "2026-11-20 10:00:00 ERROR a\n",
        "https://",
        "1) a? 2) b? ",
        "1) 2) ",
        "How? ",
        "A? ",
        "- A?\n",
        "On " * 75 + ":\n",
        "Il " * 75 + ":\n",
        "From:" + " a" * 100 + "\n:\n",
        "a.",
        "?",
        "[a] Re: ",
        'File "a", line 1\n',
        "\u00e9\u2019\u200b",
    ],
)
def test_hostile_text_takes_no_time(unit: str) -> None:
    asked("Warm", [(Author.CUSTOMER, "Where is the paper tray of the LX-200?")])
    body = unit * (MEGABYTE // len(unit))
    begun = time.perf_counter()

    asked(body, [(Author.CUSTOMER, body)] * 3)

    assert time.perf_counter() - begun < 0.2
