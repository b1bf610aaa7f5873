"""A quote supports its claim alone where its passage does, and its offsets are exact."""

from hypothesis import given
from hypothesis import strategies as st

from rag.cite import Evidence, cite
from rag.verify import Verifier
from tests.fakes import WordGroundedness
from tests.rag.desk import hit

PASSAGE = (
    "Warranty of the boiler. The boiler has three years of cover. It begins with the delivery. "
    "Keep the receipt."
)


def evidence(claim: str, passage: str = PASSAGE, title: str = "Manual") -> Evidence:
    found = hit(passage, start=40, title=title)
    [checked] = Verifier(WordGroundedness()).check(cite(claim, [found]))
    [cited] = checked.evidence
    assert found.version.text[cited.quote_start : cited.quote_end] == cited.quote
    return cited


def test_a_quote_that_supports_its_claim_stays_as_short_as_it_is() -> None:
    assert evidence("Keep the receipt [1].").quote == "Keep the receipt."
    assert evidence("The boiler has three years of cover [1].").quote == (
        "The boiler has three years of cover."
    )


def test_a_quote_is_widened_by_the_sentence_that_it_needs() -> None:
    cited = evidence("It begins with the delivery of the boiler [1].")

    assert cited.quote == "The boiler has three years of cover. It begins with the delivery."


def test_what_the_heading_says_need_not_be_quoted() -> None:
    cited = evidence("The boiler has three years of cover under the Terms [1].", title="Terms")

    assert cited.quote == "The boiler has three years of cover."


def test_where_the_passage_does_not_support_the_claim_the_nearest_sentence_is_quoted() -> None:
    assert (
        evidence("The boiler has nine lives [1].").quote == "The boiler has three years of cover."
    )


@given(st.lists(st.sampled_from(["The tank leaks. ", "Rinse it daily.\n\n", "- no. 5, 12 bar\n"])))
def test_offsets_are_exact_whatever_is_quoted(sentences: list[str]) -> None:
    evidence("The tank leaks, rinse it daily [1].", "".join(["Read this. ", *sentences]))
