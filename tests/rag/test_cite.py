"""From markers to the words they point at, every offset re-read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite import bare_text, cite, markers_in, normalise, quote
from rag.retrieve import Hit
from tests.rag.desk import hit

PASSAGES = [
    "Descaling\n\nThe tank holds 1.8 litres. Use 125 ml of Decalc with one litre of water. "
    "Never use vinegar: it attacks the seals.",
    "Code | Meaning | Remedy\nE17 | No water flows | Fill the tank and press reset\n"
    "E12 | Descaling was interrupted | Fill the tank and start again",
    "Die Garantie beträgt 36 Monate ab dem 1. April 2026. Sie gilt z. B. für die Brüheinheit "
    "und die Pumpe. Verschleißteile sind ausgenommen.",
    "Vous disposez de 30 jours pour renvoyer l'appareil. Le remboursement est effectué sous "
    "14 jours ; les frais de port sont à la charge du client.",
]


@pytest.fixture
def hits() -> list[Hit]:
    return [hit(text, rank, start=rank * 100) for rank, text in enumerate(PASSAGES, start=1)]


def _reread(found: Hit, start: int, end: int) -> str:
    return found.version.text[start:end]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A fact [1].", "A fact [1]."),
        ("A fact [1][2].", "A fact [1][2]."),
        ("A fact [1, 2].", "A fact [1][2]."),
        ("A fact [1; 2].", "A fact [1][2]."),
        ("A fact [1 and 3].", "A fact [1][3]."),
        ("Ein Satz [1 und 3].", "Ein Satz [1][3]."),
        ("Un fait [1 et 3].", "Un fait [1][3]."),
        ("A fact [^2].", "A fact [2]."),
        ("A fact [#2].", "A fact [2]."),
        ("A fact 【3】.", "A fact [3]."),
        ("A fact [Passage 1].", "A fact [1]."),
        ("A fact [passages 1, 2].", "A fact [1][2]."),
        ("A fact [Source 4].", "A fact [4]."),
        ("Ein Satz [Quelle 2].", "Ein Satz [2]."),
        ("A fact [ 1 ].", "A fact [1]."),
        ("A fact [1, 1].", "A fact [1]."),
    ],
)
def test_markers_are_read_in_every_shape_that_models_write(written: str, read: str) -> None:
    assert normalise(written, passages=4) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A fact [5].", "A fact."),
        ("A fact [0].", "A fact."),
        ("A fact [2, 9].", "A fact [2]."),
        ("A fact [9] goes on.", "A fact goes on."),
        (
            "Comment faire ? Voici [9] ! Et cela : oui [1, 2] ?",
            "Comment faire ? Voici ! Et cela : oui [1][2] ?",
        ),
    ],
)
def test_markers_that_name_no_passage_go_and_nothing_else_does(written: str, read: str) -> None:
    assert normalise(written, passages=4) == read


@pytest.mark.parametrize(
    "text", ["See [2026].", "Press [OK].", "[a] (1) {1} 1] [1", "[1234]", "![1](http://x)"[:4]]
)
def test_brackets_that_are_no_markers_stay(text: str) -> None:
    assert normalise(text, passages=4) == text


@settings(deadline=None)
@given(text=st.text(alphabet="ab 12.,;[]【】^\nand?!", max_size=80), passages=st.integers(0, 5))
def test_after_normalising_every_marker_names_a_passage(text: str, passages: int) -> None:
    read = normalise(text, passages)

    assert all(1 <= marker <= passages for marker in markers_in(normalise(read, passages)))


def test_a_claim_points_at_the_sentence_it_repeats(hits: list[Hit]) -> None:
    text = "Hello,\n\nThe tank holds 1.8 litres. [1]\n\nKind regards"

    [claim] = cite(text, hits)

    [evidence] = claim.evidence
    assert claim.text == text[claim.start : claim.end] == "The tank holds 1.8 litres. [1]"
    assert evidence.quote == "The tank holds 1.8 litres."
    assert _reread(hits[0], evidence.quote_start, evidence.quote_end) == evidence.quote


@pytest.mark.parametrize(
    ("claim", "marker", "words"),
    [
        ("You should mix 125 ml of Decalc into a litre of water", 1, "Use 125 ml of Decalc"),
        ("Vinegar must not be used, as it attacks seals", 1, "Never use vinegar"),
        ("For E17, where no water flows, fill the tank and press reset", 2, "E17 | No water flows"),
        ("E12 means that descaling was interrupted", 2, "E12 | Descaling was interrupted"),
        ("Die Garantie läuft 36 Monate ab 1. April 2026", 3, "36 Monate ab dem 1. April 2026."),
        ("Für Verschleißteile gilt sie nicht", 3, "Verschleißteile sind ausgenommen."),
        ("Vous avez 30 jours pour renvoyer l'appareil", 4, "Vous disposez de 30 jours"),
        ("Le remboursement intervient sous 14 jours", 4, "Le remboursement est effectué"),
    ],
)
def test_a_paraphrase_points_at_the_sentence_or_row_that_means_it(
    hits: list[Hit], claim: str, marker: int, words: str
) -> None:
    evidence = quote(claim, marker, hits[marker - 1])

    assert words in evidence.quote
    assert len(evidence.quote) < len(PASSAGES[marker - 1])
    assert evidence.quote == _reread(hits[marker - 1], evidence.quote_start, evidence.quote_end)


def test_a_claim_over_two_sentences_quotes_both(hits: list[Hit]) -> None:
    claim = "The tank holds 1.8 litres and you use 125 ml of Decalc with one litre of water."

    assert quote(claim, 1, hits[0]).quote == (
        "The tank holds 1.8 litres. Use 125 ml of Decalc with one litre of water."
    )


def test_a_heading_with_a_word_of_the_claim_is_not_its_quote(hits: list[Hit]) -> None:
    evidence = quote("For descaling mix 125 ml of Decalc with water.", 1, hits[0])

    assert evidence.quote == "Use 125 ml of Decalc with one litre of water."


def test_an_exact_quote_ends_where_words_end(hits: list[Hit]) -> None:
    assert quote("The tank holds 1.8 l", 1, hits[0]).quote == "The tank holds 1.8 litres."


def test_white_space_does_not_hide_an_exact_quote(hits: list[Hit]) -> None:
    broken = hit("One\n   two\tthree. Four five six.", start=9)

    evidence = quote("one two three", 1, broken)
    exact = quote("One two three.", 1, broken)

    assert exact.quote == "One\n   two\tthree."
    assert (exact.quote_start, exact.quote_end) == (9, 9 + len(exact.quote))
    assert evidence.quote.startswith("One")


def test_german_and_french_sentences_are_split_where_they_end(hits: list[Hit]) -> None:
    text = (
        "Guten Tag Frau Dr. Meier,\n\nSie haben z. B. ab dem 1. April 36 Monate Garantie [3]. "
        "Die Pumpe ist eingeschlossen [3].\n\nMit freundlichen Grüßen"
    )
    french = "Bonjour,\n\nVous avez 30 jours [4]. Est-ce clair ? Le port est à votre charge [4]."

    assert [claim.text for claim in cite(text, hits)] == [
        "Sie haben z. B. ab dem 1. April 36 Monate Garantie [3].",
        "Die Pumpe ist eingeschlossen [3].",
    ]
    assert [claim.text for claim in cite(french, hits)] == [
        "Vous avez 30 jours [4].",
        "Le port est à votre charge [4].",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Hello Mr Smith,",
        "Sehr geehrte Frau Meier,",
        "Bonjour Madame,",
        "Thank you for your message about the pump.",
        "Vielen Dank für Ihre Nachricht.",
        "Merci de votre message.",
        "Kind regards",
        "Did you fill the tank first?",
        "Our documents say the following:",
        "Yes.",
    ],
)
def test_greetings_courtesies_questions_and_lead_ins_are_no_claims_unless_marked(
    hits: list[Hit], sentence: str
) -> None:
    assert cite(sentence, hits) == []
    assert [claim.evidence[0].marker for claim in cite(f"{sentence} [1]", hits)] == [1]


def test_a_statement_without_a_marker_is_a_claim_without_evidence(hits: list[Hit]) -> None:
    [claim] = cite("We will send you a new machine tomorrow.", hits)

    assert claim.evidence == ()


@pytest.mark.parametrize("marker", ["[0]", "[9]"])
def test_a_marker_that_an_editor_mistyped_points_at_nothing(hits: list[Hit], marker: str) -> None:
    [claim] = cite(f"The tank holds 1.8 litres {marker}.", hits)
    [without] = cite(f"The tank holds 1.8 litres {marker}.", [])

    assert claim.evidence == without.evidence == ()


def test_several_markers_give_evidence_from_each_passage_once(hits: list[Hit]) -> None:
    [claim] = cite("Fill the tank, it holds 1.8 litres [1][2][1].", hits)

    assert [evidence.marker for evidence in claim.evidence] == [1, 2]
    assert [evidence.hit.rank for evidence in claim.evidence] == [1, 2]


def test_a_reply_without_its_markers_reads_as_if_there_had_been_none() -> None:
    assert bare_text("The tank [1] holds 1.8 litres [2][3].") == "The tank holds 1.8 litres."


WORDS = st.sampled_from(
    [
        "tank",
        "holds",
        "1.8",
        "litres.",
        "E17",
        "|",
        "\n",
        "\n\n",
        "[1]",
        "[2]",
        "Grüße",
        "?",
        "z. B.",
    ]
)


@settings(deadline=None)
@given(
    reply=st.lists(WORDS, max_size=40), first=st.lists(WORDS, max_size=30), gap=st.integers(0, 9)
)
def test_offsets_of_claims_and_quotes_are_re_read_exactly(
    reply: list[str], first: list[str], gap: int
) -> None:
    text = " ".join(reply)
    sources = [hit(" ".join(first) or "nothing", start=gap), hit(PASSAGES[1], 2, start=gap)]

    claims = cite(text, sources)

    ends = [0, *(claim.end for claim in claims)]
    for claim, earlier in zip(claims, ends, strict=False):
        assert earlier <= claim.start < claim.end
        assert text[claim.start : claim.end] == claim.text == claim.text.strip()
        for evidence in claim.evidence:
            found = sources[evidence.marker - 1]
            assert evidence.hit is found
            assert _reread(found, evidence.quote_start, evidence.quote_end) == evidence.quote
            assert found.passage.start <= evidence.quote_start <= evidence.quote_end
            assert evidence.quote_end <= found.passage.end


@pytest.mark.parametrize(
    "sentence",
    [
        "Dank der neuen Firmware hält die Maschine 10 Jahre.",
        "Sorry, the pump costs 99 euros.",
        "Thank you; your warranty covers 10 years and all of the parts that we have sold you.",
    ],
)
def test_a_courtesy_that_states_something_is_a_claim(sentence: str) -> None:
    assert [claim.text for claim in cite(sentence, [])] == [sentence]
