import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["Open the lid. ", "Fill the tank! ", "Is it full? ", "Wait…"],
        ["See e.g. the manual for details. ", "Then go on."],
        ["Ask Dr. Smith, Mr. Jones or Prof. Lee. ", "They know."],
        ["Das gilt z.B. für Kalk. ", "Nehmen Sie ca. 2 Liter bzw. mehr."],
        ["Ab dem 1. April gilt das. ", "Vorher nicht."],
        ["L'appareil, p.ex. la pompe, chauffe. ", "Attendez."],
        ["Press the button (for ten seconds.) ", "Release it."],
        ['He said "stop." ', "Then it stopped."],
        ["Hold it for ten seconds. [1] ", "Then release it. [2][3]"],
        ["The version is 1.2.3 now. ", "Update it."],
        ["1. Open the lid\n", "2. Fill the tank\n", "3. Close it"],
        ["First paragraph\n\n", "second paragraph"],
        ["a line that\ngoes on in the next. ", "End."],
        ["Name | Price\n", "Pump | 20"],
    ],
)
def test_text_splits_where_a_reader_would_split_it(parts: list[str]) -> None:
    assert sentences("".join(parts)) == parts


def test_no_text_has_no_sentences() -> None:
    assert sentences("") == []


@given(
    st.lists(
        st.sampled_from(
            [".", "!", " ", "\n", "\n\n", "a", "B", "e.g.", "1.", "[2]", "»", "…", "é", "日"]
        ),
        max_size=60,
    ).map("".join)
)
def test_sentences_join_back_to_the_text(text: str) -> None:
    spans = list(sentence_spans(text))

    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


def test_a_long_text_without_a_border_is_split_in_time() -> None:
    text = "it stops again. " * 50_000

    assert "".join(text[start:end] for start, end in sentence_spans(text)) == text
