"""Literal objections: certain where they speak, silent elsewhere."""

import pytest

from rag.literal import compare

EVIDENCE = (
    "Aria 700: warranty\n\n"
    "The warranty lasts 12 years for the boiler and 36 months for the pump. "
    "It applies to machines delivered on or after 1 April 2026.\n"
    "The tank holds 1.8 litres. Never use vinegar to descale the machine. "
    "Filters can be returned only if they are unopened.\n"
    "The pump should be replaced after two weeks of storage. Error E17 means low flow: see page 14."
)


def objections(claim: str, supplied: frozenset[str] = frozenset()) -> list[tuple[str, bool]]:
    found = compare(claim, EVIDENCE, supplied).objections()
    return [(objection.reason.code, objection.refutes) for objection in found]


@pytest.mark.parametrize(
    "claim",
    [
        "The tank holds 1.8 litres.",
        "1. the TANK  holds\n1.8 litres",
        "- Never use vinegar to descale the machine.",
    ],
)
def test_a_whole_sentence_of_the_evidence_is_verbatim(claim: str) -> None:
    assert compare(claim, EVIDENCE).is_verbatim()


TABLE = (
    "Codes\n\nCode | Meaning\nE17 | Low flow\nE18 | Unit blocked\n\n"
    "Not covered\n\n- A fall from a table."
)


@pytest.mark.parametrize(
    ("claim", "verbatim"),
    [
        ("Code: E17; Meaning: Low flow.", True),
        ("Code: E17; Meaning: Unit blocked.", False),
        ("Not covered: A fall from a table.", True),
        ("Covered: A fall from a table.", False),
    ],
)
def test_a_row_with_its_columns_and_an_item_with_its_heading_are_verbatim(
    claim: str, verbatim: bool
) -> None:
    assert compare(claim, TABLE).is_verbatim() is verbatim


@pytest.mark.parametrize("claim", ["use vinegar to descale the machine", "holds 1.8 litres", ""])
def test_part_of_a_sentence_is_not_for_it_may_say_the_opposite(claim: str) -> None:
    assert not compare(claim, EVIDENCE).is_verbatim()


@pytest.mark.parametrize(
    "claim",
    [
        "The pump has a warranty of three years.",
        "The pump's warranty lasts 36 months.",
        "Your boiler is covered by the warranty for twelve years.",
        "The tank holds 1,8 litres.",
        "Replace the pump after 14 days of storage.",
        "The warranty is for machines delivered since April 2026.",
        "E17 means that the flow is low, as page 14 says.",
        "Vinegar must never be used.",
        "Only unopened filters can be returned.",
        "The boiler's warranty is no less than 12 years.",
    ],
)
def test_the_same_in_other_words_meets_no_objection(claim: str) -> None:
    assert objections(claim) == []


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("The warranty lasts 24 months for the pump.", "other_number"),
        ("The tank holds 2.8 litres.", "other_number"),
        ("The pump should be replaced after two months of storage.", "number_absent"),
        ("It applies to machines delivered on or after 1 May 2026.", "other_date"),
        ("Error E17 means low flow: see page 15.", "other_number"),
        ("Always use vinegar to descale the machine.", "opposite"),
        ("Use vinegar to descale the machine.", "opposite"),
        ("Error E18 means low flow.", "name_absent"),
        ("The Aria 500 has a tank.", "name_absent"),
        ("The tank holds 9 cups.", "number_absent"),
        ("Ordered on 3 June, it comes in time.", "date_absent"),
        ("The pump must be replaced after two weeks of storage.", "stronger"),
        ("Filters can be returned.", "condition_dropped"),
    ],
)
def test_another_number_date_name_or_the_opposite_is_objected_to(claim: str, code: str) -> None:
    assert code in [found for found, _ in objections(claim)]


def test_a_number_of_another_thing_in_the_passage_is_no_support() -> None:
    evidence = "The boiler's warranty lasts 12 years.\nThe pump's warranty lasts 36 months."

    [found] = compare("The pump's warranty lasts 12 years.", evidence).objections()

    assert found.reason.fields == {"claimed": "12 years", "known": "36 months"}


def test_what_a_row_says_of_one_code_is_not_said_of_another() -> None:
    evidence = "Code | Meaning\nE11 | Water tank empty\nE14 | Descaling interrupted, start again"

    [found] = compare("E11 means that descaling was interrupted.", evidence).objections()

    assert found.refutes
    assert found.reason.describe() == "the passage says that of E14, not of E11"
    assert compare("E14 means that descaling was interrupted.", evidence).objections() == []
    assert compare("E11 means that the water tank is empty.", evidence).objections() == []


def test_what_the_customer_gave_need_not_stand_in_the_passage_but_may_contradict_it() -> None:
    given = frozenset({"4711", "24"})

    assert objections("Order 4711 has a tank.") == [("name_absent", False)]
    assert objections("Order 4711 has a tank.", given) == []
    assert objections("The warranty lasts 24 months for the pump.", given) == [
        ("other_number", True)
    ]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Das Gerät hat 3 Jahre Garantie.", "Die Garantie für das Gerät beträgt 36 Monate."),
        ("Livraison sous quatorze jours.", "La livraison se fait sous 14 jours."),
        ("Il rimborso richiede dieci giorni.", "Il rimborso richiede 10 giorni lavorativi."),
    ],
)
def test_numbers_agree_in_words_digits_and_units(claim: str, evidence: str) -> None:
    assert compare(claim, evidence).objections() == []


@pytest.mark.parametrize(
    ("claim", "evidence", "code"),
    [
        ("Sie dürfen Essig verwenden.", "Sie dürfen keinen Essig verwenden.", "opposite"),
        ("Die Frist beträgt 30 Tage.", "Die Frist beträgt 14 Tage.", "other_number"),
        ("Le délai est de 30 jours.", "Le délai est de 14 jours.", "other_number"),
        ("L'offerta vale fino al 3 maggio.", "L'offerta vale fino al 5 maggio.", "other_date"),
    ],
)
def test_objections_are_made_in_other_languages_too(claim: str, evidence: str, code: str) -> None:
    assert [found.reason.code for found in compare(claim, evidence).objections()] == [code]


def test_a_reason_names_what_is_claimed_and_what_is_known() -> None:
    [found] = compare("The tank holds 2.8 litres.", EVIDENCE).objections()

    assert found.reason.describe() == "the passage says 1.8 litres, not 2.8 litres"
