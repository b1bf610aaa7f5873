"""The embedded drafter quotes, in one language, or stays silent; the real encoder judges."""

import pytest

from ingest.sentences import sentence_spans
from rag import extractive
from rag.extractive import FRAMES, compose
from tests.rag.desk import hit, query_encoder

ENGLISH = (
    "The water tank of the Aria 700 holds 1.8 litres. Error E17 means that no water flows through "
    "the brew group. Fill the tank and press the reset button for ten seconds to clear error E17."
)
OTHER = "Our office is closed on public holidays. Parcels leave the warehouse on working days."
GERMAN = (
    "Der Wassertank der Aria 700 fasst 1,8 Liter. Der Fehler E17 bedeutet, dass kein Wasser durch "
    "die Brühgruppe fließt."
)
FRENCH = (
    "Le réservoir d'eau de l'Aria 700 contient 1,8 litre. L'erreur E17 signifie que l'eau ne "
    "circule plus dans le groupe d'infusion."
)
SOURCES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
QUESTIONS = {
    "en": "My Aria 700 shows error E17 and no water comes out. What does it mean?",
    "de": "Meine Aria 700 zeigt den Fehler E17. Was bedeutet das?",
    "fr": "Mon Aria 700 affiche l'erreur E17. Que signifie ce code ?",
}


@pytest.mark.parametrize("language", SOURCES)
def test_a_reply_is_a_frame_in_one_language_around_literal_quotes(language: str) -> None:
    source = SOURCES[language]

    reply = compose(QUESTIONS[language], language, [hit(OTHER), hit(source, 2)], query_encoder())

    greeting, lead, *quotes, close = [line for line in reply.splitlines() if line]
    assert (greeting, lead, close) == FRAMES[language]
    assert quotes
    assert any("E17" in line for line in quotes)
    for line in quotes:
        text, marker = line.rsplit(" ", 1)
        assert marker == "[2]"
        assert text in source


def test_at_most_three_sentences_are_quoted_in_reading_order() -> None:
    question = "How do I descale, with which product, how long does descaling take and how often?"
    source = (
        "Descaling takes 35 minutes and must not be interrupted. Descale the machine with Decalc "
        "and no other product. Descale the machine every 50 litres of hard water. To descale the "
        "machine, pour the product into the tank and start the programme."
    )

    reply = compose(question, "en", [hit(source)], query_encoder())

    quotes = [line.rsplit(" ", 1)[0] for line in reply.splitlines() if line.endswith("[1]")]
    assert 2 <= len(quotes) <= extractive.MAX_QUOTES
    places = [source.index(quote) for quote in quotes]
    assert places == sorted(places)


def test_what_two_documents_say_alike_is_quoted_once() -> None:
    again = ENGLISH.replace("through the brew group", "through the brewing group")

    reply = compose(QUESTIONS["en"], "en", [hit(ENGLISH), hit(again, 2)], query_encoder())

    assert reply.count("Error E17 means that no water flows") == 1


def test_the_code_that_was_asked_for_wins_over_its_neighbours() -> None:
    table = (
        "Error E12 means that the descaling programme was interrupted.\n\n"
        "Error E17 means that no water flows through the brew group.\n\n"
        "Error E21 means that the grinder is blocked by a foreign body."
    )

    reply = compose("The display says e17, what is wrong?", "en", [hit(table)], query_encoder())

    assert "Error E17 means that no water flows through the brew group. [1]" in reply


@pytest.mark.parametrize(
    "question",
    ["Can I pay for my train ticket with the app?", "Wie wird das Wetter morgen in Hamburg?", "?"],
)
def test_what_the_sources_do_not_answer_is_not_answered(question: str) -> None:
    assert compose(question, "en", [hit(ENGLISH), hit(OTHER, 2)], query_encoder()) == ""


def test_without_a_whole_sentence_there_is_nothing_to_quote() -> None:
    fragments = "Error E17\n\n2.3 Error codes | 14\n\nE17"

    assert compose(QUESTIONS["en"], "en", [hit(fragments)], query_encoder()) == ""
    assert compose(QUESTIONS["en"], "en", [], query_encoder()) == ""


def test_steps_are_quoted_as_a_whole_and_in_their_order() -> None:
    source = (
        "Brewing unit\n\n1. Open the service door. The machine must be off.\n2. Pull the brewing "
        "unit out.\n3. Rinse it with lukewarm water.\n\nParcels leave on working days."
    )

    reply = compose("How do I clean the brewing unit?", "en", [hit(source)], query_encoder())

    assert reply.splitlines()[3:-2] == [
        "1. Open the service door. [1] The machine must be off. [1]",
        "2. Pull the brewing unit out. [1]",
        "3. Rinse it with lukewarm water. [1]",
    ]


def test_the_row_of_the_code_that_was_asked_for_has_the_names_of_its_columns() -> None:
    table = hit("E12 | Descaling interrupted | Restart the rinse\nE17 | No water | Fill the tank")
    table.passage.table_header = "Code | Meaning | Remedy"

    reply = compose("What does E17 mean?", "en", [table], query_encoder())

    assert "Code: E17; Meaning: No water; Remedy: Fill the tank. [1]" in reply
    assert "E12" not in reply


def test_the_row_whose_range_has_the_number_that_was_asked_for_is_quoted() -> None:
    table = hit(
        "Water hardness | Officina 80 | Officina 150\n"
        "8 to 14 °dH | every 10 weeks | every 8 weeks\n"
        "15 to 21 °dH | every 6 weeks | every 4 weeks\nover 21 °dH | every 3 weeks | never"
    )
    question = "How often does the Officina 80 have to be descaled at 17 °dH?"

    reply = compose(question, "en", [table], query_encoder())

    row = "Water hardness: 15 to 21 °dH; Officina 80: every 6 weeks; Officina 150: every 4 weeks."
    assert f"{row} [1]" in reply
    assert "10 weeks" not in reply
    assert "3 weeks" not in reply


def test_a_document_about_another_model_is_not_quoted() -> None:
    other = hit("The cleaning of the milk system takes nine minutes every evening.")
    other.version.title = "Officina 80 and Officina 150"
    other.document.id = "other"
    own = hit("The cleaning of the milk system takes four minutes once a week.", 2)
    own.version.title = "Aria 700"
    question = "How long does the cleaning of the milk system of my Aria 700 take?"

    reply = compose(question, "en", [other, own], query_encoder())

    assert "four minutes" in reply
    assert "nine minutes" not in reply


def test_a_rare_word_of_the_question_decides_between_sentences_about_the_same_thing() -> None:
    source = (
        "Descale every Aria machine with 125 ml of Decalc and one litre of water. The descaler of "
        "an Aria machine is sold in our shop. Never use vinegar in any machine: it attacks seals."
    )

    reply = compose("May I descale my Aria with vinegar?", "en", [hit(source)], query_encoder())

    assert "Never use vinegar in any machine: it attacks seals. [1]" in reply


def test_only_the_first_passages_are_read() -> None:
    far = [hit(OTHER, rank) for rank in range(1, extractive.MAX_PASSAGES + 1)]

    assert compose(QUESTIONS["en"], "en", [*far, hit(ENGLISH, 9)], query_encoder()) == ""


def test_a_long_mail_is_asked_sentence_by_sentence() -> None:
    mail = (
        "Hello, I have been a happy customer for many years and my family loves your coffee. "
        "Last week my sister visited us from Spain and we had a wonderful time together. "
        "How many litres does the water tank of the Aria 700 hold? "
        "Thank you and best wishes from all of us to everybody in your team."
    )

    reply = compose(mail, "en", [hit(ENGLISH)], query_encoder())

    assert "The water tank of the Aria 700 holds 1.8 litres. [1]" in reply


def test_every_frame_is_three_lines_that_state_nothing() -> None:
    for greeting, lead, close in FRAMES.values():
        assert len(list(sentence_spans(greeting))) == 1
        assert lead.endswith(":")
        assert close
