"""Documents in memory: compared with a question at once, and in step with the record."""

import numpy as np
import pytest

from ingest.index.resident import ResidentVectors
from ingest.life import withdraw_document
from ingest.store import document_id
from tests.rag.desk import TestDesk

STEP = "Step {n} of the descaling of the boiler. "
LONG = "\n\n".join(f"## Part {n}\n\n{STEP.format(n=n) * 60}" for n in range(4))


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> TestDesk:
    desk = TestDesk(tmp_path_factory.mktemp("desk"))
    desk.publish("short", "# Short\n\nRinse the milk nozzle with warm water.")
    desk.publish("long", f"# Long\n\n{LONG}")
    return desk


@pytest.fixture
def resident(desk: TestDesk) -> ResidentVectors:
    return ResidentVectors(desk.database, desk.weights.fingerprint)


def test_documents_compared_together_are_as_near_as_each_alone(
    desk: TestDesk, resident: ResidentVectors
) -> None:
    vector = desk.query_encoder.encode("How do I descale the boiler?")
    names = [document_id("short"), document_id("long")]

    _, compared = resident.compare([], names, vector)

    alone = {name: each.closeness(vector[None])[0] for name, each in resident.of(names).items()}
    assert {name: each.closeness for name, each in compared.items()} == pytest.approx(alone)
    assert compared[document_id("long")].closeness > compared[document_id("short")].closeness


def test_the_best_passages_of_a_document_come_first_and_each_can_be_asked_for(
    desk: TestDesk, resident: ResidentVectors
) -> None:
    vector = desk.query_encoder.encode("Step 2 of the descaling")

    _, compared = resident.compare([], [document_id("long")], vector)
    best = compared[document_id("long")].nearest(2)

    assert best[0].score >= best[1].score
    assert best[0] == compared[document_id("long")].passage(best[0].passage_id)
    assert np.isclose(best[0].score, compared[document_id("long")].scores.max())


def test_passages_bring_their_documents_until_these_are_withdrawn(
    desk: TestDesk, resident: ResidentVectors
) -> None:
    vector = desk.query_encoder.encode("milk")
    _, known = resident.compare([], [document_id("short")], vector)
    passage_id = known[document_id("short")].nearest(1)[0].passage_id

    before = resident.compare([passage_id], [], vector)
    with desk.database.write() as session:
        withdraw_document(session, document_id("short"), "Olu")
    after = resident.compare([passage_id], [], vector)

    assert before[0] == {passage_id: document_id("short")}
    assert list(before[1]) == [document_id("short")]
    assert after == ({}, {})
