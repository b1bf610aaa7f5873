"""What is left to people is told by words, however customers write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.topics import Topic, blocked

LEGAL = Topic(
    name="Law",
    words=("Anwalt*", "Kündigung", "rechtliche Schritte", "l'avocat", "§ 823"),
    hand_over="Pass it to Clara.",
)
PRESS = Topic(name="Press", words=("Presse", "Zeitung*", "ernste rechtliche"))


def _named(text: str, *topics: Topic) -> str | None:
    found = blocked(text, topics or (LEGAL, PRESS))
    return found.name if found else None


@pytest.mark.parametrize(
    "text",
    [
        "Ich frage meinen Anwalt.",
        "MEINE ANWÄLTIN SCHREIBT",
        "Die Anwaltskanzlei schreibt.",
        "Hiermit die Kündigung!",
        "kundigung",
        "Kuendigung",
        "KU\u0308NDIGUNG",
        "Kündi\u00adgung",
        "K\u200bündigung",
        "rechtliche\n   Schritte",
        "J\u2019appelle l\u2019avocat.",
        "gemäß § 823 BGB",
        "\uff2bündigung",
    ],
)
def test_a_word_is_found_whatever_its_case_accents_and_blanks(text: str) -> None:
    assert _named(text) == "Law"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rechtsanwalt",
        "Kündigungen",
        "die rechtlichen Schritte",
        "Espresse",
        "Expressen",
        "anw alt",
        "§ 8231",
    ],
)
def test_a_part_of_another_word_is_not_the_word(text: str) -> None:
    assert _named(text) is None


def test_a_word_without_umlaut_is_no_other_with_an_e() -> None:
    tax = Topic(name="Tax", words=("Steuer",))

    assert _named("Er ist stur.", tax) is None
    assert _named("Die Steuer.", tax) == "Tax"


def test_the_topic_listed_first_wins_wherever_its_word_stands() -> None:
    assert _named("Die Presse und mein Anwalt.") == "Law"
    assert _named("Die Presse und mein Anwalt.", PRESS, LEGAL) == "Press"


def test_phrases_that_overlap_are_both_found() -> None:
    assert _named("Das hat ernste rechtliche Schritte zur Folge.") == "Law"


def test_what_is_found_says_what_to_do() -> None:
    found = blocked("Kündigung", [PRESS, LEGAL])

    assert found is not None
    assert found.hand_over == "Pass it to Clara."
    assert blocked("Kündigung", []) is None


@given(st.text(max_size=60), st.text(alphabet="abcdefgäöüß", min_size=1, max_size=8))
def test_a_word_between_blanks_is_always_found(text: str, word: str) -> None:
    topic = Topic(name="Any", words=(word,))

    assert blocked(f"{text} {word.upper()} {text}", [topic]) == topic


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "at least 1"),
        (["  "], "no letter"),
        (["*"], "no letter"),
        (["..."], "no letter"),
        (["ab*"], "3 characters before the star"),
        (["a*b"], "not at its end"),
        (["**abc"], "not at its end"),
        (["x" * 61], "at most 60"),
        (["word"] * 101, "at most 100"),
    ],
)
def test_words_that_nothing_or_everything_has_are_refused(words: list[str], why: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Topic.model_validate({"name": "Any", "words": words})

    assert why in str(raised.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    "text",
    ["rechtliche " * 50_000, "\u0301\u0327" * 250_000, "a\u0315\u0300" * 100_000, " " * 500_000],
)
def test_long_texts_take_time_in_proportion(text: str) -> None:
    begun = time.perf_counter()

    assert _named(text) is None
    assert time.perf_counter() - begun < 3


def test_a_topic_survives_its_json() -> None:
    assert Topic.model_validate(LEGAL.model_dump(mode="json")) == LEGAL
