"""What a person may not see stays unseen, whatever is asked and whatever tickets point to it."""

import random

import pytest

from ingest.access import Scope
from ingest.index.holdings import Holdings
from ingest.tables import Visibility
from rag import cases
from rag.tickets import TicketLine, save
from tests.rag.desk import TestDesk

TOPICS = ["grinder", "frother", "invoice", "network", "limescale", "return"]
CANARY = (
    "The goldfinch file says that the {topic} of series {number} may be replaced free of charge."
)
PLAIN = "How to look after the {topic}, part {number}: clean it once a week with a soft cloth."
QUERIES = 500


@pytest.fixture
def guarded(desk: TestDesk) -> TestDesk:
    """Return a desk whose solved tickets all point to documents with the label `legal`."""
    chance = random.Random(3)
    for number, topic in enumerate(TOPICS):
        desk.publish(f"plain-{topic}", PLAIN.format(topic=topic, number=number))
        desk.publish(
            f"canary-{topic}",
            CANARY.format(topic=topic, number=number),
            visibility=Visibility.RESTRICTED,
            labels=["legal"],
        )
    with desk.database.write() as session:
        for number in range(60):
            topic = chance.choice(TOPICS)
            line = TicketLine.model_validate(
                {
                    "id": f"S-{number}",
                    "subject": f"Goldfinch {topic}",
                    "body": f"Is the {topic} of series {number} replaced free of charge?",
                    "created": "2024-02-01 10:00:00 +0000",
                    "documents": [f"canary-{topic}"],
                }
            )
            save(session, line)
    cases.complete(desk.database, desk.ingestion.embedder)
    return desk


def test_five_hundred_questions_find_nothing_of_restricted_documents(guarded: TestDesk) -> None:
    chance = random.Random(5)
    staff, legal = Scope.of_staff(frozenset()), Scope.of_staff(frozenset({"legal"}))
    starts = ["Goldfinch", "free of charge", "replaced", "series", "file says", "clean"]
    asked = [
        f"{chance.choice(starts)} {chance.choice(TOPICS)} {chance.choice(starts)} {number}"
        for number in range(QUERIES)
    ]

    found = [hit for question in asked for hit in guarded.retriever.search(question, 50, staff)]
    seen = guarded.retriever.search("Goldfinch grinder free of charge", 50, legal)

    assert {hit.document.source.partition("-")[0] for hit in found} == {"plain"}
    assert not any("goldfinch" in hit.passage.text.lower() for hit in found)
    assert {hit.votes for hit in found} == {0.0}
    assert not any("solved ticket" in hit.why for hit in found)
    assert seen[0].document.source == "canary-grinder"


def test_the_record_has_the_last_word_when_the_ranking_was_let_in_too_much(
    guarded: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Holdings.shelf
    monkeypatch.setattr(
        Holdings, "shelf", lambda held, _scope, language: shelf(held, Scope.everything(), language)
    )

    found = guarded.retriever.search("Goldfinch grinder", 50, Scope.of_staff(frozenset()))

    assert {hit.document.source.partition("-")[0] for hit in found} == {"plain"}
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))
