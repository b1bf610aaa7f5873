"""Placeholders: one for a value, back again whatever a model makes of them."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.mask import Kind, Masking, mask

MAIL, NAME = "mona@example.org", "Xanthe Quill"
MASKING = Masking({"<EMAIL_1>": MAIL, "<NAME_1>": NAME})
FRAGMENTS = st.sampled_from(
    [
        *("<EMAIL_1>", "EMAIL_1", "<", ">", "&lt;", "_1", "1", "<NAME", "**", " ", "\n", "<x_1>"),
        *(MAIL, "Hi Anna,", "Hans Meier", "+49 30 1234567", "password: ", "hunter2", "81.2.69.142"),
        *("x@y.", "a (at) b (dot) ", "EMAIL_1EMAIL_1", "apt. ", "&lt; email 1"),
        *("Hauptstraße 3, 10115 Berlin", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"),
    ]
)


def test_one_value_has_one_placeholder_in_the_whole_thread() -> None:
    result = mask(["mona@example.org", "From Mona@Example.org to otto@example.org"])

    assert result.texts == ("<EMAIL_1>", "From <EMAIL_1> to <EMAIL_2>")
    assert result.masking.values == {"<EMAIL_1>": MAIL, "<EMAIL_2>": "otto@example.org"}


def test_a_later_message_goes_on_with_the_placeholders_of_those_before() -> None:
    first = mask(["I am at mona@example.org"])

    second = mask(["otto@example.org, cc MONA@example.org"], first.masking)

    assert second.texts == ("<EMAIL_2>, cc <EMAIL_1>",)
    assert second.masking.counts() == {Kind.EMAIL: 2}


def test_what_only_its_context_gave_away_is_masked_without_it_too() -> None:
    first = mask(["hunter-two fails", "My password: hunter-two"])

    second = mask(["Now Hunter-Two works"], first.masking)

    assert first.texts == ("<KEY_1> fails", "My password: <KEY_1>")
    assert second.texts == ("Now <KEY_2> works",)


@pytest.mark.parametrize(
    "written",
    [
        *("<EMAIL_1>", "<email_1>", "EMAIL_1", "&lt;EMAIL_1&gt;", "&amp;lt;EMAIL_1&amp;gt;"),
        *("< EMAIL_1 >", "<**EMAIL_1**>", "<EMAIL\\_1>", "<EMAIL 1>", "`", "<EMAIL_01>"),
    ],
)
def test_a_value_comes_back_whatever_a_model_does_to_its_placeholder(written: str) -> None:
    text = f"Write to {written.replace('`', '`<EMAIL_1>`')}, please."

    unmasked = MASKING.unmask(text)

    assert unmasked.text.replace("`", "") == f"Write to {MAIL}, please."
    assert unmasked.unknown == ()


def test_what_stands_around_a_placeholder_stays() -> None:
    unmasked = MASKING.unmask("Dear **<NAME_1>**, <EMAIL_1> [1] and (EMAIL_1).")

    assert unmasked.text == f"Dear **{NAME}**, {MAIL} [1] and ({MAIL})."


def test_a_placeholder_that_was_never_given_out_is_reported_and_stays() -> None:
    unmasked = MASKING.unmask("Call <PHONE_1> or <Correo_1> or <EMAIL_2>, <PHONE_1>")

    assert unmasked.text == "Call <PHONE_1> or <Correo_1> or <EMAIL_2>, <PHONE_1>"
    assert unmasked.unknown == ("<PHONE_1>", "<CORREO_1>", "<EMAIL_2>")


def test_plain_words_are_no_placeholders() -> None:
    text = "Your email 1, MY_EMAIL_1, <b>bold</b> and name 2"

    assert MASKING.unmask(text).text == text
    assert MASKING.unmask(text).unknown == ()


def test_a_placeholder_that_the_customer_wrote_is_not_taken_for_ours() -> None:
    result = mask(["What is <EMAIL_1>? Mine is mona@example.org"])

    assert result.texts == ("What is <LITERAL_1>? Mine is <EMAIL_1>",)
    assert result.masking.unmask("<LITERAL_1> <EMAIL_1>").text == f"<EMAIL_1> {MAIL}"
    assert result.masking.counts() == {Kind.EMAIL: 1}


def test_no_value_is_seen_where_a_masking_is_printed() -> None:
    result = mask([f"I am Anna, at {MAIL}"])

    printed = f"{result!r} {result.masking!s} {result.masking.unmask('<EMAIL_1>')!r}"

    assert repr(result.masking) == "Masking(NAME=1, EMAIL=1)"
    assert "mona" not in printed
    assert "Anna" not in printed


def test_a_masking_can_be_kept() -> None:
    assert pickle.loads(pickle.dumps(MASKING)) == MASKING
    assert Masking(dict(MASKING.values)).unmask("<NAME_1>").text == NAME


@given(st.lists(FRAGMENTS | st.text(max_size=5), max_size=12).map("".join))
def test_masking_loses_nothing(text: str) -> None:
    result = mask([text])

    unmasked = result.masking.unmask(result.texts[0])

    # Mails that differ in case alone share a placeholder.
    assert unmasked.text.casefold() == text.casefold()
    assert unmasked.unknown == ()


@given(st.text())
def test_masking_loses_nothing_of_any_text(text: str) -> None:
    result = mask([text, text])

    assert [result.masking.unmask(one).text for one in result.texts] == [text, text]


PIECES = st.lists(
    st.sampled_from(
        [
            *("<EMAIL_1>", "EMAIL_1", "&lt;NAME_1&gt;", "<PHONE_7>", "<", "&", "< name", " 1 >"),
            *("_1", "EM", "AIL", " ", "\n", "and", "**", "_", "x" * 70),
        ]
    ),
    max_size=15,
)


@given(PIECES, st.integers(1, 9))
def test_a_reply_in_pieces_is_unmasked_as_if_it_had_come_whole(
    parts: list[str], length: int
) -> None:
    text = "".join(parts)
    pieces = [text[at : at + length] for at in range(0, len(text), length)]
    unknown: list[str] = []

    streamed = "".join(MASKING.unmask_pieces(pieces, unknown))

    assert streamed == MASKING.unmask(text).text
    assert tuple(dict.fromkeys(unknown)) == MASKING.unmask(text).unknown


def test_pieces_come_on_as_soon_as_they_are_sure() -> None:
    pieces = MASKING.unmask_pieces(["Hello <NA", "ME_1>, thanks ", "for it"], [])

    assert list(pieces) == ["Hello ", f"{NAME}, thanks ", "for ", "it"]
