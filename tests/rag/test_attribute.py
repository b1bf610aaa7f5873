"""Claims without a marker get that of the passage that says the same; the real encoder judges."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.query_encoder import QueryEncoder
from rag.attribute import MAX_SENTENCES, attribute
from rag.cite import bare_text, cite, markers_in, normalise
from rag.retrieve import Hit
from tests.rag.desk import hit, query_encoder


def anything(_claim: str, _passages: Sequence[str]) -> bool:
    """Let likeness alone decide."""
    return True


KNOWLEDGE = Path(__file__).resolve().parents[2] / "data" / "kb"
FILES = (
    "returns-and-refunds.md",
    "descaling-and-water-hardness.md",
    "water-filters.md",
    "rueckgabe-und-erstattung.md",
    "retours-et-remboursements.md",
    "detartrage-et-durete-de-l-eau.md",
)
# A claim, and words that only passages have that support it.
SUPPORTED = [
    ("The refund goes back to the payment method you used when ordering.", "means of payment"),
    ("You have 30 days after delivery to send the machine back.", "within 30 days of delivery"),
    ("For returns from the United Kingdom, £9.90 is taken off your refund.", "deduct £9.90"),
    ("Return labels cost nothing in Germany, Austria and France.", "labels are free of charge"),
    ("A damaged machine is replaced if you send photos within 7 days of delivery.", "photographs"),
    ("You can cancel free of charge as long as the order is not yet “packed”.", "packed"),
    ("Filters and descaler can only be sent back unopened.", "unopened only"),
    ("With PayPal you have the money 1 to 2 working days after we release it.", "PayPal"),
    ("You should use 125 ml of Decalc and one litre of water.", "125 ml"),
    ("The Piccola 100 takes 60 ml of Decalc and half a litre of water.", "60 ml"),
    ("Vinegar must not be used, because it attacks the seals.", "vinegar"),
    ("When E11 shows, you can still make 15 coffees before the machine blocks.", "E11 appears"),
    ("Please replace the CF-2 cartridge after 2 months or 50 litres.", "after 2 months"),
    ("A filter does not make descaling superfluous, but it doubles the interval.", "doubles"),
    ("Ten empty CF-2 cartridges may be returned with a free label.", "Ten empty"),
    ("Unopened cartridges can be stored for 3 years.", "keep for 3 years"),
    ("For holidays longer than a week, keep the cartridge in a glass of water.", "glass of water"),
    ("Sie können die Maschine innerhalb von 30 Tagen ohne Grund zurückschicken.", "von 30 Tagen"),
    ("Das Rücksendeetikett kostet in Deutschland und Österreich nichts.", "Rücksendeetikett"),
    ("Kommt die Maschine beschädigt an, bekommen Sie Ersatz.", "ersetzen wir sie"),
    ("Kaffeebohnen nehmen wir leider nicht zurück.", "Kaffeebohnen"),
    ("Vous pouvez renvoyer la machine dans les 30 jours, sans motif.", "dans les 30 jours"),
    ("Le café en grains ne peut pas être repris.", "café en grains"),
    ("Le remboursement est fait sur le moyen de paiement de la commande.", "moyen de paiement"),
    ("N'utilisez jamais de vinaigre blanc, car il attaque les joints.", "vinaigre"),
    ("Si E12 s'affiche, remplissez le réservoir et relancez le rinçage.", "E12 s'affiche"),
]
CONTRARY = [
    "You have 60 days after delivery to send the machine back.",
    "Coffee beans can be returned within 30 days.",
    "Filters and descaler can be sent back even when opened.",
    "We exchange one model for another free of charge.",
    "The Piccola 100 takes 125 ml of Decalc and two litres of water.",
    "You can use vinegar to descale the machine.",
    "When E11 shows, you can still make 50 coffees.",
    "A filter makes descaling unnecessary.",
    "Please replace the CF-2 cartridge after 500 litres.",
    "Unopened cartridges can be stored for 8 years.",
    "An opened cartridge that has dried out can be used again.",
    "Kaffeebohnen können Sie ungeöffnet zurückgeben.",
    "Geöffnete Filter nehmen wir ebenfalls zurück.",
    "Le café en grains peut être retourné.",
    "Vous pouvez utiliser du vinaigre blanc pour le détartrage.",
]
INVENTED = [
    "We will send you a new machine tomorrow.",
    "I have forwarded your case to our technicians.",
    "Your refund has been released today.",
    "You can pay for the machine in instalments.",
    "The Aria 700 is available in red, black and silver.",
    "The machine must be serviced by a technician once a year.",
    "You can download the invoice in your customer account.",
    "This should solve the problem for you.",
    "We hope that the coffee tastes good again soon.",
    "Wir haben Ihre Maschine heute repariert und zurückgeschickt.",
    "Die Maschine gibt es auch in Weiß.",
    "Nous vous avons envoyé une nouvelle machine aujourd'hui.",
    "Un technicien passera chez vous demain.",
]


class FixedEncoder(QueryEncoder):
    """Finds every two texts the same; remembers what it was asked, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode_many(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(list(texts))
        return np.ones((len(texts), 1), np.float32)


@pytest.fixture(scope="module")
def sections() -> list[Hit]:
    texts = [
        section
        for name in FILES
        for section in (KNOWLEDGE / name).read_text(encoding="utf-8").split("\n## ")
    ]
    return [hit(text, rank) for rank, text in enumerate(texts, start=1)]


def _cited(claims: Sequence[str], hits: Sequence[Hit]) -> dict[str, str]:
    """Return the text of the passage that each of the claims that got a marker points at."""
    lines = attribute("\n\n".join(claims), hits, query_encoder(), anything).split("\n\n")
    found = {claim: markers_in(line) for claim, line in zip(claims, lines, strict=True)}
    return {claim: hits[marks[0] - 1].passage.text for claim, marks in found.items() if marks}


def test_of_paraphrases_three_in_four_are_cited_and_none_wrongly(sections: list[Hit]) -> None:
    support = dict(SUPPORTED)

    cited = _cited(list(support), sections)

    assert [claim for claim, text in cited.items() if support[claim] not in text] == []
    assert len(cited) >= 0.75 * len(SUPPORTED)


def test_what_says_the_contrary_of_a_passage_gets_no_marker(sections: list[Hit]) -> None:
    assert _cited(CONTRARY, sections) == {}


def test_promises_and_inventions_get_no_marker(sections: list[Hit]) -> None:
    assert _cited(INVENTED, sections) == {}


def test_a_name_too_many_is_not_noticed(sections: list[Hit]) -> None:
    claim = "Return labels are free of charge in the United Kingdom too."

    assert claim in _cited([claim], sections)


def test_the_marker_stands_after_the_full_stop_and_all_else_stays(sections: list[Hit]) -> None:
    reply = (
        "Hello Mr Smith,\n\n"
        "Thank you for your message.  Change the CF-2 filter cartridge after 2 months.\n"
        "1. Never use vinegar or citric acid\n"
        "2. Run 200 ml of hot water [3].\n\n"
        "Did this help?\n\nKind regards\n"
    )

    marked = attribute(reply, sections, query_encoder(), anything)

    change = next(one.rank for one in sections if "whichever comes first" in one.passage.text)
    vinegar = next(one.rank for one in sections if "Never use vinegar" in one.passage.text)
    assert marked == reply.replace("2 months.", f"2 months. [{change}]").replace(
        "citric acid", f"citric acid [{vinegar}]"
    )


@pytest.mark.parametrize("end", [".", "!", ".”", ")", "…", ""])
def test_after_attribution_a_claim_is_cited_as_if_the_model_had_marked_it(end: str) -> None:
    found = hit(f"The tank holds 1.8 litres{end or '.'}")
    reply = f"Hello,\n\nThe tank holds 1.8 litres{end}\nKind regards"

    marked = attribute(reply, [found], query_encoder(), anything)

    [claim] = cite(normalise(marked, 1), [found])
    assert claim.text == f"The tank holds 1.8 litres{end} [1]"
    assert claim.evidence[0].quote.startswith("The tank holds 1.8 litres")


def test_a_claim_over_two_sentences_is_cited_by_both() -> None:
    passage = hit(
        "The machine is ready after 4 minutes. The rinse in the morning takes 20 seconds. "
        "The milk fridge holds 4 litres."
    )
    claim = "The machine is ready after 4 minutes, and the rinse in the morning takes 20 seconds."

    assert attribute(claim, [passage], query_encoder(), anything) == f"{claim} [1]"


def test_the_subject_of_one_sentence_does_not_borrow_the_number_of_another() -> None:
    passage = hit("The Aria has 36 months of warranty. The Piccola has 24 months of warranty.")

    assert attribute(
        "The Aria has 24 months of warranty.", [passage], query_encoder(), anything
    ) == ("The Aria has 24 months of warranty.")


def test_a_heading_or_question_supports_nothing() -> None:
    hits = [hit("Does a filter replace descaling"), hit("Does a filter replace descaling?", 2)]

    assert attribute("A filter does replace descaling.", hits, query_encoder(), anything) == (
        "A filter does replace descaling."
    )


def test_the_model_is_asked_twice_at_most_and_a_long_passage_is_not_read_whole() -> None:
    encoder = FixedEncoder()

    attribute(
        "The tank is full. The cup is empty.", [hit("It is so now. " * 5_000)], encoder, anything
    )

    first, second = encoder.calls
    assert len(first) == 2 + MAX_SENTENCES
    assert len(second) <= MAX_SENTENCES


@pytest.mark.parametrize("reply", ["", "Kind regards", "Is it full?", "The tank is full [1]."])
def test_where_no_claim_lacks_a_marker_nothing_is_asked(reply: str) -> None:
    encoder = FixedEncoder()

    assert attribute(reply, [hit("The tank is full.")], encoder, anything) == reply
    assert encoder.calls == []


@pytest.mark.parametrize("hits", [[], [hit("")], [hit(" \n\n ")], [hit("word " * 500)]])
def test_without_a_sentence_to_cite_the_reply_stays(hits: list[Hit]) -> None:
    assert attribute("The tank is full.", hits, query_encoder(), anything) == "The tank is full."


PIECES = st.sampled_from(
    [
        *("a", "tank", "holds", "water.", "E17", "|", "\n", "\n\n", "- ", "1. ", "[1]", "[2]."),
        *("[9]", "!", "?", "…", "”", "z. B.", "Nr. 5", "Kind regards", "[OK]", "(so)"),
        *("\u00a0", "\r\n"),
    ]
)


@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=40), between=st.sampled_from([" ", "  ", ""]))
def test_only_markers_are_added_and_claims_stay_what_they_were(
    pieces: list[str], between: str
) -> None:
    reply = between.join(pieces)
    hits = [hit("The tank holds water. It is full."), hit("E17 is a fault.", 2)]

    marked = attribute(reply, hits, FixedEncoder(), anything)

    assert re.sub(r" \[\d\]", "", marked) == re.sub(r" \[\d\]", "", reply)
    before, after = cite(reply, hits), cite(marked, hits)
    assert [bare_text(claim.text) for claim in after] == [bare_text(one.text) for one in before]
    for was, now in zip(before, after, strict=True):
        assert markers_in(now.text) == markers_in(was.text) or markers_in(was.text) == []


def test_a_passage_that_is_like_a_claim_and_does_not_support_it_is_not_cited() -> None:
    passage = hit("The tank holds 2 litres of water.")
    asked: list[tuple[str, list[str]]] = []

    def nothing(claim: str, passages: Sequence[str]) -> bool:
        asked.append((claim, list(passages)))
        return False

    reply = "The tank holds 2 litres of water."
    assert attribute(reply, [passage], query_encoder(), nothing) == reply
    assert asked == [(reply, ["Manual\n\nThe tank holds 2 litres of water."])]
