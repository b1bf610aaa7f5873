"""Number words become digits where they count something."""

import pytest

from rag.numerals import in_digits


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("twelve years", "12 years"),
        ("zwei Wochen", "2 Wochen"),
        ("trois mois", "3 mois"),
        ("a month", "1 month"),
        ("half a litre", "0.5 litre"),
        ("eine halbe Stunde", "0.5 Stunde"),
        ("un demi-litre", "0.5 litre"),
        ("onze dagen", "11 dagen"),
    ],
)
def test_what_is_counted_is_written_in_digits(text: str, written: str) -> None:
    assert in_digits(text) == written


@pytest.mark.parametrize("text", ["a machine", "one of them", "once again", "Lei sei qui", "A.V."])
def test_small_words_that_count_nothing_stay(text: str) -> None:
    assert in_digits(text) == text
