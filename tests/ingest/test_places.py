import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import places
from ingest.parse.parsed import Word
from ingest.places import Box

SHARES = st.integers(0, 10_000).map(lambda steps: steps / 10_000)


@st.composite
def words_in_order(draw: st.DrawFn) -> tuple[Word, ...]:
    words: list[Word] = []
    at = 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 70_000)))):
        left, right = sorted((draw(SHARES), draw(SHARES)))
        top, bottom = sorted((draw(SHARES), draw(SHARES)))
        words.append(Word(at + gap, at + gap + length, left, top, right, bottom))
        at += gap + length
    return tuple(words)


def beside(*, start: int, left: float, top: float = 0.1, height: float = 0.02) -> Word:
    """A word of ten characters that is a tenth of the page wide."""
    return Word(start, start + 10, left, top, round(left + 0.1, 4), top + height)


@given(words_in_order())
def test_packed_words_come_back_as_they_were(words: tuple[Word, ...]) -> None:
    packed = places.pack(words)

    assert places.unpack(packed) == words


def test_packed_words_take_few_bytes() -> None:
    words = [
        beside(start=11 * number, left=(number % 8) / 10, top=(number // 8) / 100)
        for number in range(400)
    ]

    assert len(places.pack(words)) < 4 * len(words)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x02" + zlib.compress(b""),
        b"\x01",
        b"\x01" + zlib.compress(b"\0" * 15),
        places.pack([Word(0, 1, 0, 0, 1, 1)])[:-3],
    ],
)
def test_damaged_places_and_those_of_another_version_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="these places"):
        places.unpack(packed)


def test_the_words_of_a_line_are_one_rectangle_and_each_line_has_its_own() -> None:
    words = [
        beside(start=0, left=0.1),
        beside(start=11, left=0.3, top=0.099, height=0.03),
        beside(start=22, left=0.1, top=0.13),
    ]

    assert places.boxes(words, 0, 100) == [
        Box(0.1, 0.099, 0.4, 0.129),
        Box(0.1, 0.13, 0.2, 0.15),
    ]


def test_of_a_word_partly_inside_only_its_share_is_taken() -> None:
    words = [beside(start=0, left=0.1), beside(start=11, left=0.3)]

    (around,) = places.boxes(words, 5, 14)
    (within,) = places.boxes(words, 12, 14)

    assert (around.left, around.right) == pytest.approx((0.15, 0.33))
    assert (within.left, within.right) == pytest.approx((0.31, 0.33))


def test_text_without_words_has_no_rectangles() -> None:
    words = [beside(start=5, left=0.1)]

    assert places.boxes(words, 0, 5) == places.boxes(words, 15, 30) == []
    assert places.boxes([], 0, 9) == places.boxes(words, 7, 7) == []


@given(words_in_order(), st.integers(0, 1_000), st.integers(0, 1_000))
def test_rectangles_stay_within_the_words_they_show(
    words: tuple[Word, ...], start: int, length: int
) -> None:
    end = start + length
    shown = [word for word in words if max(word.start, start) < min(word.end, end)]

    boxes = places.boxes(words, start, end)

    assert len(boxes) <= len(shown)
    assert (boxes == []) == (shown == [])
    for box in boxes:
        assert min(word.left for word in shown) <= box.left <= box.right + 1e-9
        assert box.right <= max(word.right for word in shown) + 1e-9
        assert min(word.top for word in shown) <= box.top <= box.bottom
        assert box.bottom <= max(word.bottom for word in shown)


@given(words_in_order())
def test_all_of_a_text_covers_every_word(words: tuple[Word, ...]) -> None:
    boxes = places.boxes(words, 0, 1 << 40)

    for word in words:
        assert any(
            box.left <= word.left
            and box.right >= word.right
            and box.top <= word.top
            and box.bottom >= word.bottom
            for box in boxes
        )
