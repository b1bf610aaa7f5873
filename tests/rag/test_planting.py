"""Planted errors change one thing, and make it false."""

import random

import pytest

from rag.planting import Error, names_in, plant, reword

SENTENCE = "Send the Aria 700 back to Brunelta within 14 days of delivery, not after 3 May 2026."


@pytest.mark.parametrize("error", list(Error))
def test_a_planted_error_changes_the_words_it_names_and_no_others(error: Error) -> None:
    planted = plant(SENTENCE, error, random.Random(1), ["Officina"])

    assert planted is not None
    changed = planted.text[planted.start : planted.end]
    assert changed not in {"14", "3", "2026"}
    assert planted.text.startswith(SENTENCE[: planted.start])
    rest = planted.text[planted.end :]
    assert SENTENCE.endswith(rest)
    assert planted.text != SENTENCE


@pytest.mark.parametrize("error", list(Error))
def test_nothing_is_planted_where_there_is_nothing_to_change(error: Error) -> None:
    assert plant("so it goes on and on", error, random.Random(1)) is None


def test_the_mark_of_a_step_or_citation_is_no_number_of_the_sentence() -> None:
    assert plant("2. Press OK [1].", Error.NUMBER, random.Random(1)) is None


def test_a_decimal_stays_a_decimal() -> None:
    planted = plant("It holds 1.8 litres.", Error.NUMBER, random.Random(3))

    assert planted is not None
    assert planted.text != "It holds 1.8 litres."
    assert planted.text[planted.start : planted.end].count(".") == 1


def test_names_are_capitals_within_a_sentence() -> None:
    assert names_in("The new Aria 700 and the Officina. Then go.") == ["Aria 700", "Officina"]


def test_rewording_keeps_every_number() -> None:
    said = [reword(SENTENCE, random.Random(seed)) for seed in range(20)]

    assert all(number in text for text in said for number in ("700", "14", "2026"))
    assert len(set(said)) > 1
