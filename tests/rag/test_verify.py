"""Literal checks: certain where they speak, silent elsewhere."""

import pytest

from rag.tables import Label
from rag.verify import missing_numbers, verify

EVIDENCE = (
    "The warranty lasts 12 years for the boiler and 36 months for the pump.\n"
    "The tank holds 1.8 litres. Do not use vinegar. Descale every 1,5 months at 15 bar."
    " Price: 1.250 EUR."
)


@pytest.mark.parametrize(
    "claim",
    [
        "The tank holds 1.8 litres",
        "the TANK  holds\n1.8 litres.",
        "The warranty lasts 12 years for the boiler and 36 months for the pump.",
        "1. The tank holds 1.8 litres.",
        "- The tank holds 1.8 litres.",
    ],
)
def test_what_stands_there_word_for_word_is_supported(claim: str) -> None:
    finding = verify(claim, EVIDENCE)

    assert finding is not None
    assert (finding.label, finding.probability) == (Label.SUPPORTED, 1.0)


@pytest.mark.parametrize(
    ("claim", "number"),
    [
        ("The warranty lasts 24 months for the pump.", "24"),
        ("The tank holds 2.8 litres", "2.8"),
        ("2 years for the boiler", "2"),
        ("The tank holds 1.", "1"),
        ("It costs 1.25 EUR", "1.25"),
    ],
)
def test_a_number_that_the_passage_does_not_have_is_not_supported(claim: str, number: str) -> None:
    finding = verify(claim, EVIDENCE)

    assert finding is not None
    assert (finding.label, finding.probability) == (Label.NOT_ENOUGH_INFO, 0.0)
    assert finding.reasons == (f"{number} is not in the passage",)


@pytest.mark.parametrize(
    "claim",
    ["The boiler is covered for twelve years.", "Descale every 1.5 months.", "36 months", ""],
)
def test_of_everything_else_the_machine_says_nothing_or_what_is_literally_so(claim: str) -> None:
    finding = verify(claim, EVIDENCE)

    assert finding is None or finding.label == Label.SUPPORTED
    assert verify("The boiler is covered for twelve years.", EVIDENCE) is None


def test_part_of_a_word_or_number_is_no_support() -> None:
    assert verify("year", EVIDENCE) is None
    assert verify("tank hold", EVIDENCE) is None
    assert verify("5 bar", EVIDENCE) is not None
    assert verify("5 bar", EVIDENCE).label == Label.NOT_ENOUGH_INFO  # type: ignore[union-attr]


def test_part_of_a_sentence_is_no_support_for_it_may_say_the_opposite() -> None:
    assert verify("Use vinegar.", EVIDENCE) is None
    assert verify("Do not use vinegar.", EVIDENCE) is not None


def test_a_decimal_comma_is_a_decimal_point() -> None:
    assert missing_numbers("1.5 and 1,8", [EVIDENCE]) == []


def test_a_number_may_stand_in_any_of_the_passages() -> None:
    assert missing_numbers("12 and 40 and 7", [EVIDENCE, "page 40"]) == ["7"]
