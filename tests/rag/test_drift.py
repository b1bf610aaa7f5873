"""What changed between a cited sentence and the one that stands there now, the worst first."""

import pytest

from rag.drift import Drift, drift
from rag.succession import changed, nearest, sentences_at

TEXT = "Fill the tank.\n\nDo not use vinegar. Wait 10 seconds, then press reset.\n"


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("Wait 10 seconds.", "Wait 15 seconds.", Drift.NUMBER),
        ("It costs 1,5 euros.", "It costs 1.5 euros.", Drift.WORDING),
        ("It costs 1,5 euros.", "It costs 1.6 euros.", Drift.NUMBER),
        ("Valid until 1 March 2026.", "Valid until 31 March 2026.", Drift.DATE),
        ("Gültig bis 1. Mai 2026.", "Gültig bis 1. Juni 2026.", Drift.DATE),
        ("Valable à partir du 2026-03-01.", "Valable à partir du 2026-04-01.", Drift.DATE),
        ("Use vinegar.", "Do not use vinegar.", Drift.NEGATION),
        ("Essig verwenden.", "Keinen Essig verwenden.", Drift.NEGATION),
        ("Utilisez du vinaigre.", "N'utilisez jamais de vinaigre.", Drift.NEGATION),
        ("Usar vinagre.", "Usar sin vinagre.", Drift.NEGATION),
        ("Usa aceto.", "Non usare aceto.", Drift.NEGATION),
        ("Gebruik azijn.", "Gebruik geen azijn.", Drift.NEGATION),
        ("Press the button.", "Push the button.", Drift.WORDING),
        ("Wait 10 seconds.", "Never wait 15 seconds.", Drift.NUMBER),
    ],
)
def test_the_worst_of_several_changes_is_told(was: str, now: str, expected: Drift) -> None:
    assert drift(was, now) == expected


def test_a_quote_is_looked_for_as_the_whole_sentences_that_it_lies_in() -> None:
    start = TEXT.index("use vinegar")

    assert sentences_at(TEXT, start, start + 11) == ["Do not use vinegar."]
    across = sentences_at(TEXT, start, TEXT.index("seconds"))
    assert across == ["Do not use vinegar.", "Wait 10 seconds, then press reset."]


def test_a_sentence_stands_whatever_its_blanks_and_not_as_a_part_of_another() -> None:
    assert changed(["Fill the tank."], "First.\n\nFill  the\ntank.\n\nLast.") == []
    assert changed(["Use vinegar."], "Do not use vinegar.") == ["Use vinegar."]


def test_the_nearest_sentence_is_found_with_its_place_or_none_if_nothing_is_like_it() -> None:
    now = TEXT.replace("10 seconds", "15 seconds")

    found = nearest("Wait 10 seconds, then press reset.", now)

    assert found is not None
    assert found[0] == "Wait 15 seconds, then press reset."
    assert now[found[1] : found[2]].strip() == found[0]
    assert nearest("The warranty covers pumps.", "Zzz.\n\n12 | 13") is None
