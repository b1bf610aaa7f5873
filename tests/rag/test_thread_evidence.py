"""What a sentence repeats of the customer's own words is known by its place."""

import pytest

from rag.thread_evidence import RecordedQuote, recorded_quotes, supplied_by_thread

MAIL = "Hello,\n\nI ordered BK-884120 on 3 May 2026. It cost 49,90 euros.\n\nFiona"
CUSTOMER = {"name": "Fiona Abernathy", "product": "Aria 300", "country": "GB", "plan": "consumer"}


@pytest.mark.parametrize(
    ("claim", "supplied"),
    [
        ("Your order BK-884120 of 3 May is here.", {"884120", "3"}),
        ("Your order 884120 is here.", {"884120"}),
        ("Your order 88412 is here.", set()),
        ("You paid 49,90 euros.", {"49,90"}),
        ("It takes 3 days.", set()),
        ("You ordered it in 2026.", {"2026"}),
        ("It is here.", set()),
    ],
)
def test_a_number_is_supplied_beside_the_same_word(claim: str, supplied: set[str]) -> None:
    assert supplied_by_thread(claim, [MAIL]) == supplied


def test_a_claim_points_at_the_customers_sentence() -> None:
    [quote] = recorded_quotes("Your order BK-884120 of 3 May [1].", [("customer", MAIL)], {})

    assert quote == RecordedQuote("message:1", "I ordered BK-884120 on 3 May 2026.", 8, 42)
    assert MAIL[quote.start : quote.end] == quote.quote


def test_a_claim_points_at_a_field_of_the_customers_record() -> None:
    quotes = recorded_quotes("For your Aria 300 the guarantee holds.", [], CUSTOMER)

    assert quotes == [RecordedQuote("customer:product", "Aria 300", 0, 8)]


def test_what_an_agent_wrote_supplies_nothing() -> None:
    assert recorded_quotes("Your order BK-884120.", [("agent", MAIL)], {}) == []
