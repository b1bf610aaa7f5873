"""Dates are told in six languages, as far as a text names them."""

import pytest

from rag.dates import Date, agrees, dates_in


@pytest.mark.parametrize(
    ("text", "day", "month", "year"),
    [
        ("on 1 April 2026", 1, 4, 2026),
        ("on April 1, 2026", 1, 4, 2026),
        ("ab dem 1. April 2026", 1, 4, 2026),
        ("le 1er avril 2026", 1, 4, 2026),
        ("il 1 aprile 2026", 1, 4, 2026),
        ("el 1 de abril de 2026", 1, 4, 2026),
        ("op 1 april 2026", 1, 4, 2026),
        ("2026-04-01", 1, 4, 2026),
        ("01.04.2026", 1, 4, 2026),
        ("in April 2026", None, 4, 2026),
        ("since May", None, 5, None),
        ("in 2026", None, None, 2026),
    ],
)
def test_a_date_is_read_as_far_as_it_is_named(
    text: str, day: int | None, month: int | None, year: int | None
) -> None:
    [date] = dates_in(text)

    assert (date.day, date.month, date.year) == (day, month, year)


@pytest.mark.parametrize(
    "text",
    ["You may 2 times try", "march on", "12.50 EUR", "version 2.2026", "99 April", "part 2026-A"],
)
def test_other_words_and_numbers_are_no_dates(text: str) -> None:
    assert [date for date in dates_in(text) if date.day] == []


def test_days_of_the_week_are_dates() -> None:
    assert [date.weekday for date in dates_in("Montag bis Freitag, on Sundays")] == [1, 5, 7]


@pytest.mark.parametrize(
    ("claimed", "known", "agreed"),
    [
        ("in April 2026", "1 April 2026", True),
        ("1 April 2026", "in April 2026", False),
        ("1 April", "1. April 2026", True),
        ("2 April", "1 April", False),
        ("2026", "1 April 2026", True),
    ],
)
def test_a_known_date_must_have_all_that_is_claimed(claimed: str, known: str, agreed: bool) -> None:
    assert agrees(dates_in(claimed)[0], dates_in(known)[0]) is agreed


def test_a_date_keeps_how_it_was_written() -> None:
    assert dates_in("from 1 April 2026 on") == [Date("1 April 2026", day=1, month=4, year=2026)]
