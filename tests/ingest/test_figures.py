from time import process_time

import pytest

from ingest.figures import agreement, products_in, statements


def values(text: str) -> list[list[tuple[float, ...]]]:
    return [statement.values for statement in statements(text)]


def do_contradict(one: str, other: str) -> bool:
    return any(
        agreement(ours, theirs) is False for ours in statements(one) for theirs in statements(other)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The trial period ends after 14 days.", [(14 * 86_400.0,)]),
        ("The trial period ends after 2 weeks.", [(14 * 86_400.0,)]),
        ("The term of the contract is 2 years.", [(24.0,)]),
        ("A 30-day trial period is free.", [(30 * 86_400.0,)]),
        ("The discount for members is 5 %.", [(5.0,)]),
        ("The discount for members is 12.5%.", [(12.5,)]),
        ("The pump part costs 49,90 EUR.", [(49.9,)]),
        ("The pump part costs €1,049.90.", [(1_049.9,)]),
        ("The pump part costs EUR 49.90 now.", [(49.9,)]),
        ("The tank of the machine holds 1.000 beans.", [(1_000.0,)]),
        ("The tank of the machine holds 1,000 beans.", [(1_000.0,)]),
        ("Delivery of parts needs 3-5 hours.", [(3 * 3_600.0, 5 * 3_600.0)]),
        ("Orders placed before 13:00 leave at once.", [(780.0,)]),
        ("Remplacez la cartouche après 50 litres.", [(50_000.0,)]),
    ],
)
def test_a_figure_is_read_with_its_unit(text: str, expected: list[tuple[float, ...]]) -> None:
    assert values(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "The Aria 500 grinds fresh beans.",
        "Open the window as in step 2 above.",
        "See the table on page 4 for details.",
        "Error E17 means air in the circuit.",
        "Read the article KB-1023 about descaling.",
        "Updated by the service team on 20 February 2026.",
        "Updated by the service team on 2026-02-20.",
        "Call the service team under 0800 123456.",
        "Windows 7, 8 and 10 are not supported.",
        "1. Open the lid of the machine",
        "2.3 Cleaning the milk system",
        "The program 4.10 of the desk is out of date.",
        "The extension 954 980 of the desk was updated.",
        "For example, the repair of a pump needs 3 days.",
    ],
)
def test_a_number_that_is_a_name_is_no_figure(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The warranty lasts 24 months.", "The warranty is 36 months."),
        ("Return the machine within 14 days.", "Please return your machine within 30 days."),
        ("Members get a discount of 5 %.", "Members get a discount of 10 percent."),
        ("The filter costs 49,90 EUR.", "The filter costs €59.90."),
        ("3. Hold the button for 10 seconds.", "4. Hold the button for 5 seconds."),
        ("Die Garantie beträgt 24 Monate.", "Die Garantie beträgt 36 Monate."),
        (
            "Change the CF-2 filter cartridge every 3 months.",
            "Change the CF-2 filter cartridge after 50 litres or after 2 months, if it is empty.",
        ),
        ("Item | Weight\nMilk tank | 200 g\n", "Item | Price | Weight\nMilk tank | 5 € | 250 g\n"),
    ],
)
def test_sentences_contradict_each_other_by_their_figures(one: str, other: str) -> None:
    assert do_contradict(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The warranty lasts 24 months.", "The warranty lasts 2 years."),
        ("The filter costs 1,000 EUR.", "The filter costs 1.000,00 €."),
        ("The milk tank holds 1.1 litres.", "The milk tank holds 1100 ml."),
        ("The Aria 500 holds 1.2 l of water.", "The Aria 300 holds 0.9 l of water."),
        ("Aria 500 holds 1.2 l of water.", "Aria 300 holds 0.9 l of water."),
        ("Error E17 clears after 5 seconds.", "Error E18 clears after 9 seconds."),
        ("The filter lasts for 3 months.", "The filter holds 50 litres of water."),
        ("Do return the parcel within 14 days.", "Never return the parcel within 30 days."),
        ("Orders over 60 € ship for free.", "Orders under 40 € ship for free."),
        (
            "The service centre repairs a machine within 3 days.",
            "The service centre repairs a machine within 9 days if parts from the maker abroad have"
            " to be ordered by sea freight first.",
        ),
        ("Germany gets parcels in 3 days.", "Austria gets parcels in 4 days."),
        ("Plan | Fee\nBasic | 5 €\n", "Plan | Fee\nPremium | 9 €\n"),
        ("Plan | Fee\nBasic | 5 €\n", "Plan | Deposit\nBasic | 9 €\n"),
    ],
)
def test_sentences_about_different_things_do_not_contradict_each_other(
    one: str, other: str
) -> None:
    assert not do_contradict(one, other)


def test_a_statement_keeps_its_place_without_the_list_mark() -> None:
    text = "Cleaning\n\n2. Hold the button for 10 seconds.\n\nDone."

    [statement] = statements(text)

    assert text[statement.start : statement.end] == "Hold the button for 10 seconds."


def test_a_list_of_many_numbers_states_nothing() -> None:
    assert values("Choose a size of 1 g, 2 g, 3 g, 4 g or 5 g here.") == []


@pytest.mark.parametrize(
    ("title", "products"),
    [
        ("Aria 500 user manual, version 2, January 2024", {"aria 500"}),
        ("Officina 80 and Officina 150", {"officina 80", "officina 150"}),
        ("Price list 2026", set()),
        ("Chapter 3: Warranty terms", set()),
    ],
)
def test_a_title_names_products_but_no_editions(title: str, products: set[str]) -> None:
    assert products_in(title) == products


@pytest.mark.parametrize("piece", ["1.", "1,111", "(1) ", "9" * 50, "1-", "| 1 ", "€1 ", "• | "])
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    seconds = []

    for repeats in (2_000, 20_000):
        before = process_time()
        list(statements(piece * repeats))
        seconds.append(process_time() - before)

    assert seconds[1] < 40 * max(seconds[0], 0.01)
