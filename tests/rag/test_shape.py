"""A model's JSON becomes text with markers, while it comes and in the end."""

import json

import pytest

from rag.shape import as_pieces, as_text

REPLY = {
    "sentences": [
        {"text": "Hello,", "passages": []},
        {"text": "Error E17 means that no water flows.", "passages": [1]},
        {"text": "1. Fill the tank.", "passages": [2, 3]},
        {"text": "2. Hold reset.", "passages": []},
    ]
}
TEXT = "Hello, Error E17 means that no water flows. [1]\n1. Fill the tank. [2] [3]\n2. Hold reset."


def _streamed(raw: str, size: int) -> tuple[list[str], str]:
    kept: list[str] = []
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    shown = list(as_pieces(pieces, kept.append))
    return [piece for piece in shown if piece], "".join(kept)


def test_each_sentence_is_followed_by_the_numbers_of_its_passages() -> None:
    assert as_text(json.dumps(REPLY)) == TEXT


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_what_is_shown_on_the_way_adds_up_to_the_whole(size: int) -> None:
    raw = json.dumps(REPLY)

    shown, kept = _streamed(raw, size)

    assert "".join(shown) == TEXT
    assert kept == raw


def test_the_first_words_are_shown_long_before_the_end() -> None:
    raw = json.dumps(REPLY)

    shown, _ = _streamed(raw[: raw.index("no water")], 5)

    assert "".join(shown) == "Hello, Error E17 means that"


@pytest.mark.parametrize(
    "raw",
    [
        f"```json\n{json.dumps(REPLY)}\n```",
        f"Here is the reply:\n{json.dumps(REPLY)}\nI hope it helps.",
        json.dumps(REPLY["sentences"]),
        json.dumps(REPLY, indent=2),
    ],
)
def test_what_models_put_around_the_json_is_no_part_of_the_reply(raw: str) -> None:
    assert as_text(raw) == TEXT


@pytest.mark.parametrize("passages", ['"1"', "1", '["[1]"]', '["passage 1"]', "[1.0]"])
def test_numbers_are_read_however_they_are_written(passages: str) -> None:
    raw = f'{{"sentences": [{{"text": "No water flows.", "passages": {passages}}}]}}'

    assert as_text(raw) == "No water flows. [1]"


def test_a_model_that_writes_text_in_place_of_json_is_shown_as_it_is() -> None:
    raw = "Hello,\n\nfill the tank [1]."

    shown, kept = _streamed(raw, 4)

    assert "".join(shown) == kept == as_text(raw) == raw


def test_json_that_breaks_off_keeps_its_sentences() -> None:
    raw = json.dumps(REPLY)

    assert as_text(raw[: raw.index(" Hold")]) == TEXT[: TEXT.index(" Hold")]


def test_no_sentences_are_no_reply() -> None:
    assert as_text('{"sentences": []}') == ""


def test_other_json_is_left_as_the_text_that_it_is() -> None:
    assert as_text('{"answer": "Fill the tank."}') == '{"answer": "Fill the tank."}'
