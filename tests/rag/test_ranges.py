"""Rows that hold for a number, and rows that do not."""

import pytest

from rag.ranges import covers


@pytest.mark.parametrize(
    ("row", "question", "expected"),
    [
        ("Hardness: 15 to 21 °dH; Officina 80: every 6 weeks.", "How often at 17 °dH?", True),
        ("Hardness: 8 to 14 °dH; Officina 80: every 10 weeks.", "How often at 17 °dH?", False),
        ("Hardness: 15 to 21 °dH; Officina 80: every 6 weeks.", "How often at 17 °f?", False),
        ("Hardness: 15 to 21 °dH; Officina 80: every 6 weeks.", "How often at 17?", False),
        ("Setting: 3; °dH: 15 to 21; °f: 26 to 37.", "We have 30 °f.", True),
        ("Setting: 3; °dH: 15 to 21; °f: 26 to 37.", "We have 30 °dH.", False),
        ("Hardness: over 21 °dH; Officina 80: every 3 weeks.", "And at 22 °dH?", True),
        ("Hardness: over 21 °dH; Officina 80: every 3 weeks.", "And at 21 °dH?", False),
        ("Wasserhärte: 15 bis 21 °dH; Officina 40: alle 8 Wochen.", "Wie oft bei 18,5 °dH?", True),
        ("Wasserhärte: über 21 °dH; Officina 40: alle 4 Wochen.", "Wie oft bei 25 °dH?", True),
        (
            "Réglage: 3 dure; °f: 26 à 37; Sans filtre: tous les 50 litres.",
            "Nous avons 28 °f",
            True,
        ),
        ("Weight: 24 kg.", "It weighs 24 kg.", False),
    ],
)
def test_a_row_holds_for_the_numbers_in_its_range(row: str, question: str, expected: bool) -> None:
    assert covers(row, question) is expected
