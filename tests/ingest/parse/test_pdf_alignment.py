import pytest

from ingest.parse.formats.pdf import words as pdf_words
from ingest.parse.formats.pdf.frame import Frame


def aligned(text: str, *words: str) -> list[tuple[str, int]]:
    """Align words, each on a line of its own; return what of the text each has, and its line."""
    frame = Frame(0, 0, 100, 100)
    places = [(word, (0.0, float(line), 1.0, line + 1.0)) for line, word in enumerate(words)]
    return [
        (text[word.start - 7 : word.end - 7], 99 - round(word.top * 100))
        for word in pdf_words.align(text, 7, places, frame)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the first office", ["the", "\ufb01rst", "of\ufb01ce"]),
        ("a hidden word", ["a", "hid\xadden\u200b", "word"]),
        ("café\nclosed", ["cafe\u0301", "closed"]),
        ("a\nwell-known place", ["a", "well\x02", "known", "place"]),
        ("water", ["wa", "ter"]),
    ],
)
def test_cleaned_words_are_found_again(text: str, words: list[str]) -> None:
    found = aligned(text, *words)

    assert "".join(part for part, _ in found) == "".join(text.split())
    assert [line for _, line in found] == list(range(len(words)))


def test_words_of_nothing_visible_are_passed_over() -> None:
    assert aligned("one two", "one", "\u200b", "two") == [("one", 0), ("two", 2)]


def test_a_word_that_is_not_found_is_left_out_and_the_next_ones_are_not_guessed() -> None:
    assert aligned("é other word", "e", "\u0301", "other", "word") == [("other", 2), ("word", 3)]
    assert aligned("nothing of it", "some", "of", "else") == []
