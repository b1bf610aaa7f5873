"""How a claim stands: as the machine found it, without a source, or as the agent's own word."""

import pytest

from rag.cite import cite
from rag.standing import Standing, standing
from rag.verify import Verifier
from tests.fakes import WordGroundedness
from tests.rag.desk import hit

HITS = [hit("The tank holds 2 litres."), hit("The pump is loud.", 2)]
DRAFT = "The tank holds 2 litres [1]. Empty it every evening."


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("The tank holds 2 litres [1].", Standing.SUPPORTED),
        ("The tank holds 2 litres [1][2].", Standing.SUPPORTED),
        ("The tank is made of steel [1].", Standing.DOUBTFUL),
        ("The tank holds 3 litres [1].", Standing.REFUTED),
        ("Empty it every evening.", Standing.UNCITED),
        ("The tank holds 2 litres.", Standing.UNCITED),
        ("I have set one aside for you.", Standing.OWN),
    ],
)
def test_a_claim_stands_as_it_was_found(reply: str, expected: Standing) -> None:
    [claim] = Verifier(WordGroundedness()).check(cite(reply, HITS))

    assert standing(claim, DRAFT) == expected


def test_a_claim_that_nobody_has_judged_is_unchecked() -> None:
    [claim] = cite("The tank holds 2 litres [1].", HITS)

    assert standing(claim, DRAFT) == Standing.UNCHECKED


def test_what_is_doubtful_refuted_or_without_a_source_needs_a_look() -> None:
    assert {each for each in Standing if each.needs_a_look} == {
        Standing.DOUBTFUL,
        Standing.REFUTED,
        Standing.UNCITED,
    }
