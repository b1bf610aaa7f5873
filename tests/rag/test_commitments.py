"""Planted actions, promises and concessions are flagged, and documents are left alone."""

import pytest

from rag.commitments import kind_of
from rag.tables import ClaimKind
from tests.rag.planted import HARMLESS, HELD_OUT, TUNED, of_the_sample_desk, sentences

MIN_FLAGGED, MAX_FALSE_ALARMS = 0.98, 0.03
PLANTED = [row for name in (TUNED, HELD_OUT) for row in sentences(name) if row[1] != HARMLESS]
QUIET = [row[2] for name in (TUNED, HELD_OUT) for row in sentences(name) if row[1] == HARMLESS]


def test_of_two_hundred_planted_sentences_nearly_all_are_flagged() -> None:
    missed = [text for _, _, text in PLANTED if kind_of(text) == ClaimKind.FACT]

    assert len(PLANTED) >= 200
    assert len(missed) <= (1 - MIN_FLAGGED) * len(PLANTED), missed


def test_harmless_sentences_and_those_of_documents_raise_few_alarms() -> None:
    harmless = [*QUIET, *of_the_sample_desk()]

    alarms = [text for text in harmless if kind_of(text) != ClaimKind.FACT]

    assert len(harmless) >= 300
    assert len(alarms) <= MAX_FALSE_ALARMS * len(harmless), alarms
    assert sum(kind_of(text) != ClaimKind.FACT for text in QUIET) <= MAX_FALSE_ALARMS * len(QUIET)


def test_nearly_all_have_the_kind_that_a_person_gave_them() -> None:
    right = sum(kind_of(text) == kind for _, kind, text in PLANTED)

    assert right >= 0.95 * len(PLANTED)


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("I have refunded you.", ClaimKind.ACTION),
        ("Your parcel has already been sent.", ClaimKind.ACTION),
        ("We will send you a new one.", ClaimKind.PROMISE),
        ("We'll send you a new one by Friday.", ClaimKind.DEADLINE),
        ("We'll waive the fee.", ClaimKind.CONCESSION),
        ("That was our mistake, so we have refunded you.", ClaimKind.FAULT),
        ("The machine has been tested by the maker.", ClaimKind.FACT),
    ],
)
def test_the_gravest_kind_counts(sentence: str, kind: ClaimKind) -> None:
    assert kind_of(sentence) == kind


@pytest.mark.parametrize(
    "sentence",
    [
        "Once we have refunded you, the label expires.",
        "Has the order been cancelled?",
        "Have we refunded you already?",
        "Haben wir Ihnen das Geld schon erstattet?",
    ],
)
def test_conditions_and_questions_assert_nothing(sentence: str) -> None:
    assert kind_of(sentence) == ClaimKind.FACT


@pytest.mark.parametrize(
    "sentence",
    [
        "As soon as the part is here, we'll call you.",
        "We have refunded you, is that all right?",
        "WE\u2019VE REFUNDED YOU!",
        "„Wir haben Ihnen den Betrag erstattet.“",
    ],
)
def test_a_commitment_is_found_behind_conditions_before_questions_and_in_quotes(
    sentence: str,
) -> None:
    assert kind_of(sentence) != ClaimKind.FACT
