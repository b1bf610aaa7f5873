"""What an encoder is trained on, what it is held against, and when it is better."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from app.services import Services
from ingest import vectors
from ingest.db import now
from ingest.tables import Embedding
from rag import tuning
from rag.errors import TooFewCasesError
from rag.tables import Case, CaseState, Ticket, TicketStatus
from rag.tuning import History, Library, Quality, Solved
from tests.fakes import HashEmbedder
from tests.tiny_desk import TICKETS_EACH, TOPICS, furnish, publish

DOCUMENTS = len(TOPICS)
TICKETS = DOCUMENTS * TICKETS_EACH


@pytest.fixture
def desk(services: Services) -> Services:
    """Return a desk with pages and solved tickets, searched by hashed words."""
    furnish(services)
    return services


def solved(number: int, document: str = "d", key: str | None = None) -> Solved:
    return Solved(f"question {number}", key or f"q{number}", frozenset([document]))


def packed(rows: Mapping[str, tuple[float, float]]) -> dict[str, bytes]:
    return {
        key: (np.array(row) / np.hypot(*row)).astype("<f4").tobytes() for key, row in rows.items()
    }


def test_the_latest_fifth_of_the_tickets_is_held_back() -> None:
    history = History.of([solved(number) for number in range(50)])

    assert [ticket.key for ticket in history.earlier] == [f"q{number}" for number in range(40)]
    assert [ticket.key for ticket in history.later] == [f"q{number}" for number in range(40, 50)]


def test_a_question_asked_before_is_not_held_against_the_encoder() -> None:
    tickets = [solved(number) for number in range(50)]
    tickets[45] = solved(45, key="q3")

    history = History.of(tickets)

    assert len(history.earlier) == 40
    assert [ticket.key for ticket in history.later if ticket.key == "q3"] == []


def test_too_few_tickets_are_named() -> None:
    with pytest.raises(TooFewCasesError) as caught:
        History.of([solved(number) for number in range(27)])

    assert caught.value.fields == {"count": 27, "needed": 30}


def test_the_library_holds_each_current_passage_with_its_document(desk: Services) -> None:
    library = tuning.read_library(desk.database, desk.ingestion.tokenizer)

    assert len(library.keys) == DOCUMENTS
    texts = {library.texts[key] for keys in library.keys.values() for key in keys}
    assert all(any(page in text for text in texts) for page in TOPICS.values())


def test_only_settled_cases_with_a_current_document_are_history(desk: Services) -> None:
    library = tuning.read_library(desk.database, desk.ingestion.tokenizer)
    with desk.database.write() as session:
        session.get_one(Case, "T-0").state = CaseState.OFF
        session.get_one(Case, "T-1").solved_at = now() - timedelta(days=1)
        session.get_one(Ticket, "T-2").status = TicketStatus.OPEN
    gone = min(library.keys)
    kept = Library(
        library.texts, {key: value for key, value in library.keys.items() if key != gone}
    )

    whole = tuning.read_history(desk.database, library)
    part = tuning.read_history(desk.database, kept)

    questions = [ticket.question for ticket in [*whole.earlier, *whole.later]]
    numbers = [int(question.rpartition(" ")[2]) for question in questions]
    assert numbers == list(range(3, TICKETS))
    assert TICKETS - TICKETS_EACH - 3 <= len(part.earlier) + len(part.later) < TICKETS - 3


def test_vectors_of_the_record_are_used_and_none_is_stored(desk: Services) -> None:
    embedder = HashEmbedder()
    library = tuning.read_library(desk.database, desk.ingestion.tokenizer)
    texts = library.texts | {"new": "a text that nobody embedded"}
    seen: list[tuple[int, int]] = []

    found = tuning.embed(
        desk.database, embedder, texts, lambda done, total: seen.append((done, total))
    )

    with desk.database.read() as session:
        stored = session.scalar(select(func.count()).select_from(Embedding))
    assert found.keys() == texts.keys()
    assert embedder.embedded == ["a text that nobody embedded"]
    assert stored == len(library.texts)
    assert (seen[0], seen[-1]) == ((len(texts) - 1, len(texts)), (len(texts), len(texts)))


def test_a_question_is_paired_with_the_nearest_passage_of_its_document() -> None:
    library = Library({"a": "far", "b": "near", "c": "other"}, {"d": ["a", "b"], "e": ["c"]})
    known = packed({"a": (1, 0), "b": (1, 2), "c": (0, 1), "q1": (0, 1), "q2": (1, 0)})
    both = Solved("two", "q2", frozenset(["d", "e"]))

    pairs = tuning.pairs([solved(1), both], library, known)

    assert [(pair.question, pair.passage, pair.document) for pair in pairs] == [
        ("question 1", "near", "d"),
        ("two", "far", "d"),
        ("two", "other", "e"),
    ]
    assert pairs[1].answers == {"d", "e"}


def test_of_many_pairs_the_latest_are_taken() -> None:
    library = Library({"a": "text"}, {"d": ["a"]})
    known = packed({"a": (1, 0), **{f"q{number}": (0, 1) for number in range(9)}})

    pairs = tuning.pairs([solved(number) for number in range(9)], library, known, limit=2)

    assert [pair.question for pair in pairs] == ["question 7", "question 8"]


def test_documents_are_ranked_by_their_best_passage() -> None:
    library = Library({}, {"d": ["a", "b"], "e": ["c"], "f": ["g"]})
    known = packed({"a": (-1, 0), "b": (9, 1), "c": (2, 1), "g": (0, 1), "q": (1, 0)})
    tickets = [Solved("?", "q", frozenset([document])) for document in ("d", "e", "f")]

    judged = tuning.quality(tickets, library, known)

    assert judged.ndcg == pytest.approx([1.0, 1 / np.log2(3), 0.5])
    assert judged.recall == [1.0, 1.0, 1.0]


def qualities(size: int, before: float, after: float) -> tuple[Quality, Quality]:
    return Quality([before] * size, [before] * size), Quality([after] * size, [after] * size)


def history(rare: int = 0) -> History:
    """Return a history whose first later questions are about a document without a case."""
    later = [solved(number, "rare" if number < rare else "d") for number in range(20)]
    return History([solved(number) for number in range(100, 120)], later)


def test_an_encoder_that_ranks_better_is_better() -> None:
    comparison = tuning.compare(history(), *qualities(20, 0.4, 0.6))

    assert comparison.is_better
    assert comparison.ndcg_before == pytest.approx(0.4)
    assert comparison.ndcg_after == pytest.approx(0.6)
    assert comparison.ndcg.mean == pytest.approx(0.2)
    assert comparison.rare is None


@pytest.mark.parametrize("after", [0.4, 0.3])
def test_an_encoder_that_ranks_the_same_or_worse_is_not_better(after: float) -> None:
    assert not tuning.compare(history(), *qualities(20, 0.4, after)).is_better


def test_a_gain_that_chance_explains_is_none() -> None:
    before = Quality([0.5] * 20, [1.0] * 20)
    after = Quality([0.0, 1.0] * 9 + [0.6, 0.6], [1.0] * 20)

    comparison = tuning.compare(history(), before, after)

    assert comparison.ndcg.mean > 0
    assert not comparison.is_better


def test_an_encoder_that_buries_documents_with_few_cases_is_not_better() -> None:
    before = Quality([0.5] * 20, [1.0] * 20)
    after = Quality([0.4] * 6 + [0.9] * 14, [1.0] * 20)

    comparison = tuning.compare(history(rare=6), before, after)

    assert comparison.ndcg.is_significant_gain
    assert comparison.rare is not None
    assert comparison.rare.mean == pytest.approx(-0.1)
    assert not comparison.is_better


def test_questions_are_named_by_the_key_of_their_vector(desk: Services) -> None:
    library = tuning.read_library(desk.database, desk.ingestion.tokenizer)
    publish(desk, "late", "A page that no ticket needed.")

    whole = tuning.read_history(desk.database, library)

    named = tuning.questions(whole.later)
    assert all(vectors.content_hash(question) == key for key, question in named.items())
    assert len(named) == round(TICKETS * tuning.HELD_BACK)
