"""The probability that what was found answers a question; the real encoder judges sentences."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ingest.query_encoder import QueryEncoder
from rag import answerable
from rag.answerable import SENTENCES_READ, Curve, Evidence, probability
from rag.retrieve import Hit
from tests.rag.desk import hit, query_encoder

QUESTION = "How much water does the tank of the Aria 700 hold?"
ABOUT_IT = (
    "The water tank stands on the left side of the machine. Rinse it every day under the tap. "
    "Never put it in the dishwasher, because the heat would bend its lid."
)
ANSWER = "The water tank of the Aria 700 holds 1.8 litres of water."
ELSEWHERE = "Our office is closed on public holidays. Parcels leave the warehouse on working days."


class CountingEncoder(QueryEncoder):
    """Remembers what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__(query_encoder()._weights)
        self.texts: list[str] = []

    def encode_many(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return np.ones((len(texts), 1), np.float32)


def found(text: str, rank: int = 1, question: str = QUESTION) -> Hit:
    encoder = query_encoder()
    return hit(text, rank, score=float(encoder.encode(text) @ encoder.encode(question)))


def test_nothing_found_answers_nothing() -> None:
    assert probability(QUESTION, []) == 0.0
    assert probability(QUESTION, [], encoder=query_encoder()) == 0.0


def test_an_answer_is_more_probable_than_not_and_something_else_is_improbable() -> None:
    answered = probability(QUESTION, [found(ANSWER)], encoder=query_encoder())
    unanswered = probability(QUESTION, [found(ELSEWHERE)], encoder=query_encoder())

    assert answered > 0.7
    assert unanswered < 0.2


def test_a_sentence_that_answers_counts_though_its_passage_is_about_other_things() -> None:
    passage = found(f"{ELSEWHERE} {ANSWER} {ELSEWHERE}")

    by_passage = probability(QUESTION, [passage])
    by_sentence = probability(QUESTION, [passage], encoder=query_encoder())

    assert by_sentence > by_passage + 0.1


def test_a_passage_about_the_subject_is_less_probable_an_answer_than_the_answer() -> None:
    about_it = probability(QUESTION, [found(ABOUT_IT)], encoder=query_encoder())
    answered = probability(QUESTION, [found(f"{ABOUT_IT} {ANSWER}")], encoder=query_encoder())

    assert answered > about_it + 0.1


def test_the_closest_passage_counts_wherever_it_ranks() -> None:
    hits = [hit(ELSEWHERE, rank, score=0.2) for rank in range(1, 10)]

    before = probability(QUESTION, hits)
    after = probability(QUESTION, [*hits, hit(ANSWER, 10, score=0.8)])

    assert after == probability(QUESTION, [hit(ANSWER, score=0.8)]) > before


def test_solved_tickets_raise_the_probability_and_at_most_e_times_the_odds() -> None:
    alone = probability(QUESTION, [hit(ELSEWHERE, score=0.5)])
    half, whole = (
        probability(QUESTION, [replace(hit(ELSEWHERE, score=0.5), votes=votes)])
        for votes in (0.5, 1.0)
    )

    assert alone < half < whole
    assert whole / (1 - whole) == pytest.approx(math.e * alone / (1 - alone))


def test_votes_for_a_document_at_the_bottom_of_the_list_do_not_count() -> None:
    hits = [hit(ELSEWHERE, rank, score=0.5) for rank in range(1, 20)]
    voted = [*hits[:-1], replace(hits[-1], votes=1.0)]

    assert probability(QUESTION, voted) == probability(QUESTION, hits)


def test_only_the_first_passage_is_read_and_each_sentence_once() -> None:
    encoder = CountingEncoder()
    twice = f"{ELSEWHERE} {ELSEWHERE}"
    hits = [hit(f"{twice} This is passage number {rank}.", rank) for rank in range(1, 9)]

    probability(QUESTION, hits, encoder=encoder)

    assert encoder.texts.count("Our office is closed on public holidays.") == 1
    assert [text for text in encoder.texts if "number" in text] == ["This is passage number 1."]


def test_the_work_is_bounded_whatever_a_passage_holds() -> None:
    encoder = CountingEncoder()
    endless = " ".join(f"Sentence {number} says very little." for number in range(5_000))

    probability(QUESTION, [hit(endless)], encoder=encoder)

    assert len(encoder.texts) == 1 + SENTENCES_READ


@pytest.mark.parametrize("text", ["", "\0", "E17", "| a | b |\n" * 40, "word " * 400])
def test_a_passage_without_a_sentence_counts_as_a_whole(text: str) -> None:
    passage = hit(text, score=0.9)
    curve = answerable.curves()["sentences"]

    seen = probability(QUESTION, [passage], encoder=query_encoder())

    assert seen == pytest.approx(curve.probability(Evidence(0.9, 0.0)), abs=0.02)


@pytest.mark.parametrize("question", ["", " ", "?", "🙂", "a" * 100_000])
def test_any_question_has_a_probability(question: str) -> None:
    seen = probability(question, [found(ANSWER)], encoder=query_encoder())

    assert 0 < seen < 1


def test_a_curve_is_logistic() -> None:
    curve = Curve(slope=10.0, intercept=-5.0)

    assert curve.probability(Evidence(0.5, 0.0)) == 0.5
    assert curve.probability(Evidence(0.7, 0.0)) == pytest.approx(1 / (1 + math.exp(-2)))


def test_the_shipped_curves_rise_and_their_card_names_data_and_licences() -> None:
    card = json.loads(answerable.WEIGHTS.read_text(encoding="utf-8"))["card"]
    curves = answerable.curves()

    assert set(curves) == {"passages", "sentences"}
    assert all(curve.slope > 0 for curve in curves.values())
    assert set(card["data"]) == set(card["held_out"])
    assert all(entry["licence"] and entry["cases"] > 0 for entry in card["data"].values())
