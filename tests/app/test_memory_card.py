"""What is known of a head is said in words, whatever its card holds or lacks."""

from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pytest

from app.components.memory_card import card, difference
from app.components.tree import Node
from app.workflow.memory import HeadView
from rag.tables import HeadState

WHOLE = {
    "trained_at": "2026-11-19T02:13:00+00:00",
    "from": "2024-02-01",
    "until": "2026-11-01",
    "cases": 1204,
    "documents": 143,
    "seconds": 9.84,
    "held_back": 301,
    "recall@5": {"before": 0.553, "after": 0.731, "difference": [0.178, 0.152, 0.204]},
    "ndcg@10": {"before": 0.61, "after": 0.629, "difference": [0.019, 0.006, 0.032]},
    "little_history": {"difference": [-0.008, -0.031, 0.014]},
    "as_if_new": 0.934,
    "reason": "found more of the later tickets' documents",
}
BEGINNING = "Learnt 2026-11-19 02:13 UTC · serves since 2026-11-20 08:00 UTC"


def _words(node: Node) -> list[str]:
    """Return the texts of a node in reading order."""
    if isinstance(node, str):
        return [node]
    return [text for child in node["children"] for text in _words(child)]


def _read(known: dict[str, Any], *, fits: bool = True) -> list[str]:
    learnt = datetime(2026, 11, 19, 2, 13, tzinfo=UTC)
    changed = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    head = HeadView("1", HeadState.SERVING, fits, learnt, changed, known)
    return [text for node in card(head) for text in _words(node)]


def test_a_whole_card_is_told_in_words() -> None:
    assert _read(WHOLE) == [
        BEGINNING,
        "From 1,204 solved tickets about 143 documents. They were solved between 2024-02-01 and"
        " 2026-11-01. Checked on 301 later tickets that it had not seen. Learning took 9.8 s.",
        *("On the later tickets", "Before", "With it", "Difference"),
        *("Right document among the first five", "55.3 %", "73.1 %"),
        "+17.8 points, likely between +15.2 and +20.4",
        *(
            "The same, for documents with little history",
            "",
            "",
            "\N{MINUS SIGN}0.8 points, which may be chance (\N{MINUS SIGN}3.1 to +1.4)",
        ),
        *("How high it stood (nDCG@10), which decides", "61.0 %", "62.9 %"),
        "+1.9 points, likely between +0.6 and +3.2",
        "New documents, which nobody has voted for yet, are found 93.4 % as often as by their text"
        " alone.",
        "Why: found more of the later tickets' documents.",
    ]


@pytest.mark.parametrize("key", WHOLE)
def test_of_what_a_card_lacks_nothing_is_said(key: str) -> None:
    words = _read({name: value for name, value in WHOLE.items() if name != key})

    assert words[0] == BEGINNING
    assert 1 < len(words) <= len(_read(WHOLE))


@pytest.mark.parametrize(
    "value", [None, "", "x", [], {}, {"difference": {}}, [None, None], nan, inf, -inf, True]
)
def test_what_nobody_expects_in_a_card_is_passed_over(value: object) -> None:
    words = _read(dict.fromkeys(WHOLE, value))

    assert words[0] == BEGINNING
    assert not {"nan", "inf", "True", "None"} & set(" ".join(words).replace("%", "").split())


def test_an_empty_card_says_so() -> None:
    assert _read({}) == [BEGINNING, "Nothing more is known of it."]


def test_a_head_of_another_encoder_does_not_count_as_serving() -> None:
    words = _read({}, fits=False)

    assert words[0].endswith("for another embedding model, so it does not serve")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.02, 0.01, 0.03], "+2.0 points, likely between +1.0 and +3.0"),
        (
            [-0.02, -0.03, -0.01],
            "\N{MINUS SIGN}2.0 points, likely between \N{MINUS SIGN}3.0 and \N{MINUS SIGN}1.0",
        ),
        ([0.01, 0.0, 0.02], "+1.0 points, which may be chance (+0.0 to +2.0)"),
        ([0.2, -inf, inf], "+20.0 points"),
        ([0.2], "+20.0 points"),
        ([None, 0.1, 0.2], ""),
        ("0.2", ""),
        (None, ""),
    ],
)
def test_a_difference_says_how_sure_it_is(values: object, expected: str) -> None:
    assert difference(values) == expected
