"""Citations that a reply lacks are added, those that it does not need go; the verifier decides."""

from collections.abc import Sequence

from rag.cite import CitedClaim, cite
from rag.judgement import Finding
from rag.mending import Mend, apply, mended, mends
from rag.retrieve import Hit
from rag.verify import Verifier
from tests.fakes import WordGroundedness
from tests.rag.desk import hit

TANK = hit("The tank holds 2 litres of water. It is behind the door.")
PUMP = hit("The pump runs at 15 bar.", 2, title="Pump")
VERIFIER = Verifier(WordGroundedness())
HITS = [TANK, PUMP]


def check(text: str) -> list[CitedClaim]:
    return VERIFIER.check(cite(text, HITS))


def judge(pairs: Sequence[tuple[str, str]]) -> list[Finding]:
    return VERIFIER.judge(pairs)


def changed(text: str, hits: Sequence[Hit] = HITS) -> str:
    claims = VERIFIER.check(cite(text, hits))
    return apply(text, claims, mends(claims, hits, judge))


def test_a_claim_without_a_citation_gets_that_of_the_passage_that_supports_it() -> None:
    assert changed("The pump runs at 15 bar.") == "The pump runs at 15 bar. [2]"
    assert changed("Water: the tank holds 2 litres.") == "Water: the tank holds 2 litres. [1]"


def test_a_claim_that_no_passage_supports_stays_without_a_citation() -> None:
    for claim in ("The pump runs at 19 bar.", "We will call you on Monday.", "The door is blue."):
        assert changed(claim) == claim


def test_a_citation_that_says_nothing_of_the_claim_goes_where_another_supports_it() -> None:
    assert changed("The pump runs at 15 bar [1][2].") == "The pump runs at 15 bar [2]."
    assert changed("The tank holds 2 litres of water [1] [2].") == (
        "The tank holds 2 litres of water [1]."
    )


def test_two_citations_that_support_a_claim_only_together_both_stay() -> None:
    reply = "The tank holds 2 litres of water and the pump runs at 15 bar [1][2]."

    assert changed(reply) == reply


def test_a_citation_that_contradicts_the_claim_stays_for_people_to_see() -> None:
    hits = [PUMP, hit("The pump runs at 19 bar.", 2)]
    reply = "The pump runs at 15 bar [1][2]."

    assert changed(reply, hits) == reply


def test_the_only_citation_of_a_claim_stays_whatever_it_says() -> None:
    reply = "The door is blue [1]."

    assert changed(reply) == reply


def test_several_claims_are_changed_at_once_and_all_else_stays() -> None:
    reply = "Hello,\n\nThe pump runs at 15 bar [1][2]. The tank holds 2 litres of water.\n\nBye"

    found = mended(reply, HITS, check, judge)

    assert found.text == (
        "Hello,\n\nThe pump runs at 15 bar [2]. The tank holds 2 litres of water. [1]\n\nBye"
    )
    assert found.notes == {"citations_added": "[1]", "citations_removed": "[1]"}
    assert [[each.marker for each in claim.evidence] for claim in found.claims] == [[2], [1]]
    assert [found.text[claim.start : claim.end] for claim in found.claims] == [
        "The pump runs at 15 bar [2].",
        "The tank holds 2 litres of water. [1]",
    ]


def test_a_reply_that_is_right_stays_as_it_is() -> None:
    found = mended("The pump runs at 15 bar [2].", HITS, check, judge)

    assert (found.text, found.notes) == ("The pump runs at 15 bar [2].", {})


def test_a_change_names_the_claim_and_the_marker() -> None:
    claims = check("The tank holds 2 litres of water [1]. The pump runs at 15 bar.")

    assert mends(claims, HITS, judge) == [Mend(1, 2, adds=True)]


def test_of_markers_written_together_only_the_one_goes() -> None:
    text = "The pump runs at 15 bar [1, 2]."

    assert apply(text, cite(text, HITS), [Mend(0, 1, adds=False)]) == "The pump runs at 15 bar [2]."
