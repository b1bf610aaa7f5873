"""The measures of text extraction, on texts short enough to count by hand."""

import pytest

from tests.bench.fidelity_text import Sample, compare, prose, total, words


def _sample(expected: str, optional: str = "") -> Sample:
    return Sample("file.txt", b"", expected, optional)


def test_words_are_compared_without_case_marks_and_links() -> None:
    text = "## The [Guide](https://example.test/a) <!-- Slide 1 --> costs | 1,234.50"

    assert words(text) == ["the", "guide", "costs", "1234.5"]


def test_recall_and_precision_count_repeated_words() -> None:
    found = compare(_sample("a a b c"), "a b b x")

    assert (found.recall, found.precision) == (0.5, 0.5)


def test_optional_text_costs_nothing_but_does_not_count_either() -> None:
    found = compare(_sample("a b c", optional="head"), "head a b c head")

    assert found.recall == 1.0
    assert found.precision == 0.75


def test_the_order_error_is_the_share_of_triples_that_would_have_to_move() -> None:
    found = compare(_sample("a b c d e f g h"), "e f g h a b c d")

    assert found.matched == 4
    assert found.order_error == pytest.approx(0.5)


def test_a_text_in_order_has_no_order_error_and_one_without_a_match_has_all() -> None:
    assert compare(_sample("a b c d"), "a b c d").order_error == 0.0
    assert compare(_sample("a b c d"), "d c b a").order_error == 1.0


def test_files_are_weighed_by_their_words() -> None:
    parts = [compare(_sample("a b c"), "a b c"), compare(_sample("d"), "x")]

    assert total(parts).recall == 0.75


def test_prose_of_a_seed_is_always_the_same_and_repeats_few_triples() -> None:
    text = prose(1, 20)

    assert text == prose(1, 20)
    assert compare(_sample(text), text).matched > 0.9 * (len(words(text)) - 2)
