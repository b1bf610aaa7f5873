import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.changes import MAX_COMPARED_CHARACTERS, Change, ChangeKind, Stretch, between

WORDS = st.sampled_from(
    ["the", "pump", "is", "loud", "1.8", "litres", "-", "ü", "日本", "\t", "  "]
)
LINES = st.lists(WORDS, max_size=8).map(" ".join)
TEXTS = st.one_of(st.text(max_size=120), st.lists(LINES, max_size=12).map("\n".join))


def side(changes: list[Change], name: str) -> list[str]:
    """Return the lines of one side, put together from their pieces."""
    pieces: list[tuple[Stretch, ...]] = [getattr(change, name) for change in changes]
    return ["".join(piece.text for piece in line) for line in pieces if line]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def marked(line: tuple[Stretch, ...]) -> list[str]:
    return [piece.text for piece in line if piece.marked]


@given(TEXTS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_the_pieces_of_each_side_are_its_lines_in_order(before: str, after: str) -> None:
    changes = between(before, after)

    assert side(changes, "before") == lines(before)
    assert side(changes, "after") == lines(after)


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_each_kind_of_change_has_the_sides_that_it_needs(before: str, after: str) -> None:
    for change in between(before, after):
        if change.kind == ChangeKind.KEPT:
            assert change.before == change.after
            assert marked(change.before) == []
        elif change.kind == ChangeKind.REMOVED:
            assert (change.after, len(marked(change.before))) == ((), 1)
        elif change.kind == ChangeKind.ADDED:
            assert (change.before, len(marked(change.after))) == ((), 1)
        else:
            assert change.before != change.after
            assert marked(change.before) or marked(change.after)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_a_text_differs_in_nothing_from_itself(text: str) -> None:
    assert {change.kind for change in between(text, text)} <= {ChangeKind.KEPT}


def test_a_line_is_kept_changed_taken_out_or_put_in() -> None:
    before = "Fill the tank.\nIt holds 1.8 litres of water.\nWait.\nEnd."
    after = "Fill the tank.\nIt holds 2.0 litres of water.\nRinse the brew group twice.\nEnd."

    changes = between(before, after)

    assert [change.kind for change in changes] == ["kept", "changed", "removed", "added", "kept"]
    assert marked(changes[1].before) == ["1", "8 "]
    assert marked(changes[1].after) == ["2", "0 "]
    assert changes[2].before == (Stretch("Wait.", marked=True),)
    assert changes[3].after == (Stretch("Rinse the brew group twice.", marked=True),)


def test_blank_lines_are_no_change() -> None:
    assert [change.kind for change in between("a\n\n\nb", "\na\n \nb\n")] == ["kept", "kept"]


def test_nothing_becomes_something_and_the_other_way_round() -> None:
    assert between("", "") == []
    assert [change.kind for change in between("", "a\nb")] == ["added", "added"]
    assert [change.kind for change in between("a\nb", "")] == ["removed", "removed"]


def test_a_long_line_is_taken_out_and_put_in_as_a_whole() -> None:
    line = "pump " * (MAX_COMPARED_CHARACTERS // 5)

    changes = between(line + "one", line + "two")

    assert [change.kind for change in changes] == ["removed", "added"]


def test_a_line_just_short_enough_is_compared_word_by_word() -> None:
    line = ("pump " * MAX_COMPARED_CHARACTERS)[: MAX_COMPARED_CHARACTERS - 3]

    [change] = between(line + "one", line + "two")

    assert change.kind == ChangeKind.CHANGED


def test_a_line_among_many_equal_ones_is_still_told_apart() -> None:
    before = ["same"] * 60 + ["one"] + ["same"] * 60

    changes = between("\n".join(before), "\n".join(before).replace("one", "two"))

    kinds = [change.kind for change in changes]
    assert kinds == ["kept"] * 60 + ["removed", "added"] + ["kept"] * 60


MANY = 20_000


def cycle(kinds: int) -> list[str]:
    return [f"line of kind {number % kinds}" for number in range(MANY)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(["same line"] * MANY, ["same line"] * (MANY - 7), id="one line over and over"),
        pytest.param(cycle(2), cycle(3), id="few kinds of lines"),
        pytest.param(cycle(150), cycle(170), id="many kinds of lines"),
        pytest.param(
            [f"row {number}" for number in range(MANY)],
            [f"row {number}" for number in reversed(range(MANY))],
            id="all lines in reverse",
        ),
        pytest.param(
            [" ".join(string.ascii_letters) * 8] * 400,
            [" ".join(reversed(string.ascii_letters)) * 8] * 400,
            id="long lines of equal words",
        ),
    ],
)
def test_large_texts_are_compared_within_seconds(before: list[str], after: list[str]) -> None:
    begun = time.perf_counter()

    changes = between("\n".join(before), "\n".join(after))

    assert time.perf_counter() - begun < 10
    assert side(changes, "before") == before
    assert side(changes, "after") == after
