"""The spelling of tickets: near where words look alike, whatever the language."""

import numpy as np
import pytest

from rag.spelling import DIMENSIONS, Spelling

THINGS = ["password", "mailbox", "printer", "calendar", "account", "profile", "message", "filter"]
STATES = ["lost", "broken", "full", "hidden", "locked", "slow", "empty", "double", "missing"]
ENGLISH = [
    f"My {thing} is {state} since the update of {other}"
    for thing in THINGS
    for state in STATES
    for other in ("Thunderbird", "the server")
]


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling.fit(ENGLISH)


def test_a_question_in_another_language_is_nearest_to_what_looks_like_it(
    spelling: Spelling,
) -> None:
    known = spelling.vectors(["My calendar is empty", "My printer is slow", "My filter is hidden"])

    asked = spelling.vectors(["Mijn kalender is leeg", "De printer doet niets", "Filtre perdu"])

    assert (asked @ known.T).argmax(1).tolist() == [0, 1, 2]


def test_vectors_have_length_one_or_none(spelling: Spelling) -> None:
    lengths = np.linalg.norm(spelling.vectors(["My calendar is empty", ""]), axis=1)

    assert lengths.tolist() == pytest.approx([1.0, 0.0], abs=1e-6)


def test_accents_and_case_do_not_part_what_is_the_same(spelling: Spelling) -> None:
    plain, accented = spelling.vectors(["resume de la message", "RÉSUMÉ de là Message"])

    assert plain @ accented == pytest.approx(1.0, abs=1e-6)


def test_what_comes_after_the_beginning_of_a_long_text_changes_nothing(spelling: Spelling) -> None:
    text = "My mailbox is full. " * 100

    short, long = spelling.vectors([text, text + "The printer is slow. " * 1_000])

    assert short @ long == pytest.approx(1.0, abs=1e-6)


def test_a_space_is_named_by_its_numbers(spelling: Spelling) -> None:
    again = Spelling.fit(ENGLISH)
    other = Spelling.fit([text.replace("printer", "scanner") for text in ENGLISH])

    assert again.fingerprint == spelling.fingerprint != other.fingerprint
    assert spelling.components.shape[1] == DIMENSIONS
