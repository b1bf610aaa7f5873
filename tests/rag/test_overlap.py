"""How much of a claim's wording an evidence has."""

from rag.overlap import overlap


def test_all_words_in_order_are_whole_shares() -> None:
    found = overlap("The red tank leaks.", "Sometimes the red tank leaks. Call us.")

    assert found.features() == [1.0, 1.0, 1.0]


def test_words_far_apart_count_in_all_of_the_evidence_only() -> None:
    found = overlap("Tanks break pumps.", "Tanks. One. Two. Pumps. Three. Four. Break.")

    assert found.words == 1.0
    assert found.pairs == 0.0
    assert found.nearest == 1 / 3


def test_nothing_said_shares_nothing() -> None:
    assert overlap("", "Some text.").features() == [0.0, 0.0, 0.0]
