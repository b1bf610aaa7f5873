"""Blanks are told from markers and placeholders, and asked for where only the desk knows."""

import pytest

from rag.blanks import blanks, split
from rag.cite import cite
from rag.missing import with_missing
from rag.prompt import PLAIN, messages
from rag.tables import ClaimKind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It arrives on [delivery date?].", ["[delivery date?]"]),
        ("Votre colis arrive le [date de livraison ?].", ["[date de livraison ?]"]),
        ("Llegará el [¿fecha?] o el [¿otra fecha?].", ["[¿fecha?]", "[¿otra fecha?]"]),
        ("Twice [date?] the same [date?].", ["[date?]"]),
        ("Fill the tank [1][2], <NAME_1>. Which one [1?] [?] [12?]", []),
        ("See [the manual] and [OK].", []),
        ("A bracket [over\ntwo lines?]", []),
    ],
)
def test_a_blank_is_words_with_a_question_mark_in_brackets(text: str, found: list[str]) -> None:
    assert blanks(text) == found
    assert "".join(stretch for stretch, _ in split(text)) == text


def test_a_sentence_does_not_end_inside_a_blank() -> None:
    text = "We refunded you on [date of the refund?] to your card. The rest follows on [date?]."

    claims = cite(text, [])

    assert [claim.text for claim in claims] == [
        "We refunded you on [date of the refund?] to your card.",
        "The rest follows on [date?].",
    ]
    assert claims[0].kind == ClaimKind.ACTION


@pytest.mark.parametrize(
    ("question", "language", "blank"),
    [
        ("Hi, where is my refund?", "en", "[date of the refund?]"),
        ("When will my parcel arrive?", "en", "[delivery date?]"),
        ("Wo bleibt mein Paket?", "de", "[Lieferdatum?]"),
        ("Ich habe noch keine Erstattung erhalten.", "de", "[Datum der Erstattung?]"),
        ("Où en est mon remboursement ?", "fr", "[date du remboursement ?]"),
        ("Quando arriva il pacco?", "it", "[data di consegna?]"),
        ("¿Dónde está mi reembolso?", "es", "[¿fecha del reembolso?]"),
        ("Waar blijft mijn pakket?", "nl", "[leverdatum?]"),
    ],
)
def test_what_only_the_desk_knows_is_left_blank(question: str, language: str, blank: str) -> None:
    reply = with_missing("Hello,\n\nA fact. [1]\n\nKind regards", question, language)

    assert blanks(reply) == [blank]
    assert reply.startswith("Hello,\n\nA fact. [1]\n\n")
    assert reply.endswith("\n\nKind regards")


@pytest.mark.parametrize(
    "question", ["How long does a refund take?", "Is delivery free?", "What does error E17 mean?"]
)
def test_a_question_that_documents_answer_leaves_no_blank(question: str) -> None:
    assert with_missing("A\n\nB", question, "en") == "A\n\nB"


def test_a_model_is_told_to_leave_blanks_and_to_claim_no_action() -> None:
    system = messages([], "Refund", [], "en", PLAIN)[0]["content"]

    assert "such as [delivery date?]. Never guess it." in system
    assert "Never claim that anything was or is being done for the customer." in system
