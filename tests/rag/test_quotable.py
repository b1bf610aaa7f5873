"""What may be quoted of a passage by itself, and what needs what stands beside it."""

import pytest

from rag.quotable import Quote, quotes


def lines(text: str, heading: str = "", header: str | None = None) -> list[tuple[str, ...]]:
    return [quote.lines for quote in quotes(text, heading, header)]


def test_headings_fragments_and_contents_are_not_quoted() -> None:
    text = (
        "2. Error codes\n\nChapter Page\n\n1. Safety 3\n2. Overview 4\n\nE17\n\n"
        "The pump is loud while it primes.\n\nWhat now?"
    )

    assert lines(text) == [("The pump is loud while it primes.",)]


@pytest.mark.parametrize(
    "sentence",
    [
        "This article describes how to clean the pump.",
        "For more about the pump head over here.",
        "Diese Anleitung gilt für alle Maschinen der Reihe.",
        "Cette page explique comment nettoyer la pompe.",
    ],
)
def test_what_a_page_says_of_itself_is_not_quoted(sentence: str) -> None:
    assert lines(f"{sentence} The pump is loud while it primes.") == [
        ("The pump is loud while it primes.",)
    ]


def test_a_quote_knows_the_heading_that_it_stands_under_and_its_place() -> None:
    text = "The first sentence has no heading.\n\n9. Descaling\n\nIt takes 35 minutes in all."

    assert list(quotes(text, "Care")) == [
        Quote(("The first sentence has no heading.",), "Care", 0),
        Quote(("It takes 35 minutes in all.",), "Descaling", text.index("It")),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Empty the water circuit before a break.", "It takes about two minutes only."),
        ("Die Pumpe wird beim Entlüften laut.", "Dies ist kein Fehler des Geräts."),
        ("La pompe fait du bruit au démarrage.", "Cela dure environ deux minutes seulement."),
    ],
)
def test_a_sentence_that_points_back_is_quoted_with_the_one_before_it(
    before: str, after: str
) -> None:
    assert lines(f"{before} {after}") == [(before,), (before, after)]


def test_an_item_of_a_list_is_quoted_with_its_heading() -> None:
    text = "6. What is not covered\n\n• Damage caused by frost or by a fall.\n• Wear parts."

    assert lines(text) == [("What is not covered: Damage caused by frost or by a fall.",)]


def test_steps_stay_together() -> None:
    text = "1. Switch the machine off.\n2. Pull the unit out.\nMind the hose.\n3. Rinse it."

    assert lines(text) == [
        ("1. Switch the machine off.", "2. Pull the unit out. Mind the hose.", "3. Rinse it.")
    ]


def test_a_procedure_as_long_as_a_chapter_is_left_to_be_opened() -> None:
    assert lines("\n".join(f"{number}. Turn the screw." for number in range(1, 12))) == []


def test_rows_have_the_names_of_their_columns() -> None:
    table = "Code | Meaning\nE17 | No water\nE18 | Unit blocked"
    split = "E19 | Wi-Fi fault\n\nThe pump is loud while it primes."

    assert [(quote.label, quote.text) for quote in quotes(table)] == [
        ("E17", "Code: E17; Meaning: No water."),
        ("E18", "Code: E18; Meaning: Unit blocked."),
    ]
    assert lines(split, header="Code | Meaning") == [
        ("Code: E19; Meaning: Wi-Fi fault.",),
        ("The pump is loud while it primes.",),
    ]


def test_a_row_that_does_not_fit_its_header_is_left_out() -> None:
    assert lines("Code | Meaning | Remedy\nE17 | No water") == []
    assert lines("E17 | No water |") == []


def test_a_number_that_a_page_break_left_before_a_sentence_is_not_quoted() -> None:
    text = "150. Without a drain the tray of the machine holds two litres."

    assert lines(text) == [("Without a drain the tray of the machine holds two litres.",)]
