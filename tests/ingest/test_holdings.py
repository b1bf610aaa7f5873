"""Passages in memory: nearest ones exactly, in step with the record, and only what may be seen."""

import numpy as np
import pytest

from ingest.access import Scope
from ingest.index import holdings, sketch
from ingest.index.holdings import Shelf
from ingest.index.keeper import HoldingsKeeper
from ingest.index.sketch import Sketch
from ingest.life import Description, describe_document, withdraw_document
from ingest.store import document_id
from ingest.tables import Visibility
from tests.rag.desk import TestDesk

STEP = "Step {n} of the descaling of the boiler. "
LONG = "\n\n".join(f"## Part {n}\n\n{STEP.format(n=n) * 60}" for n in range(4))
SHORT_ID, LONG_ID = document_id("short"), document_id("long")
EVERYTHING = Scope.everything()
DIMENSIONS = 384


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> TestDesk:
    desk = TestDesk(tmp_path_factory.mktemp("desk"))
    desk.publish("short", "# Short\n\nRinse the milk nozzle with warm water.")
    desk.publish("long", f"# Long\n\n{LONG}")
    return desk


@pytest.fixture
def keeper(desk: TestDesk) -> HoldingsKeeper:
    return HoldingsKeeper(desk.database, desk.weights.fingerprint)


def drawn(seed: int, rows: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Draw unit vectors, many of them close to each other."""
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(rows, DIMENSIONS)) + 2 * chance.normal(size=DIMENSIONS)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("adds_up", [True, False])
def test_a_sketch_is_as_near_as_it_says_and_never_rules_out_one_of_the_best(
    monkeypatch: pytest.MonkeyPatch, *, adds_up: bool
) -> None:
    if not adds_up:
        monkeypatch.setattr(sketch, "_adds_up_exactly", lambda: False)
    rows, questions = drawn(1, 10_000), drawn(1, 20)
    rows[7] = 0.0
    sketched = Sketch(rows)

    for question in questions:
        exact, estimate = rows @ question, sketched.estimate(question)
        assert (np.abs(exact - estimate.scores) <= estimate.errors).all()
        assert set(np.argsort(-exact)[:100]) <= set(estimate.leaders(100))
        assert len(estimate.leaders(100)) < len(rows) / 2


def test_of_a_sketch_only_allowed_rows_lead_however_few_they_are() -> None:
    rows = drawn(2, 1_000)
    allowed = np.zeros(1_000, np.bool_)
    allowed[[3, 500, 999]] = True

    estimate = Sketch(rows).estimate(rows[0])

    assert sorted(estimate.leaders(100, allowed)) == [3, 500, 999]
    assert set(estimate.leaders(1, allowed)) <= {3, 500, 999}


def test_two_sketches_together_are_as_near_as_they_say() -> None:
    rows, others, question = drawn(3, 1_000), drawn(4, 1_000), drawn(5, 1)[0]

    both = Sketch(rows).estimate(question).plus(0.8, Sketch(others).estimate(question))

    exact = rows @ question + 0.8 * (others @ question)
    assert (np.abs(exact - both.scores) <= both.errors).all()


def test_documents_compared_together_are_as_near_as_each_alone(
    desk: TestDesk, keeper: HoldingsKeeper
) -> None:
    vector = desk.query_encoder.encode("How do I descale the boiler?")
    names = [SHORT_ID, LONG_ID]

    compared = keeper.current().shelf(EVERYTHING).compare(names, vector)

    alone = {name: each.closeness(vector[None])[0] for name, each in keeper.of(names).items()}
    assert {name: each.closeness for name, each in compared.items()} == pytest.approx(alone)
    assert compared[LONG_ID].closeness > compared[SHORT_ID].closeness


def test_the_best_passages_of_a_document_come_first_and_each_can_be_asked_for(
    desk: TestDesk, keeper: HoldingsKeeper
) -> None:
    vector = desk.query_encoder.encode("Step 2 of the descaling")
    shelf = keeper.current().shelf(EVERYTHING)

    compared = shelf.compare([LONG_ID], vector)[LONG_ID]
    best = compared.nearest(2)

    assert best[0].score >= best[1].score
    assert best[0] == compared.passage(best[0].passage_id)
    assert np.isclose(best[0].score, max(compared.scores))
    near = shelf.nearest(vector, 2)
    assert [hit.passage_id for hit in near] == [hit.passage_id for hit in best]
    assert [hit.score for hit in near] == pytest.approx([hit.score for hit in best])


def found(shelf: Shelf, desk: TestDesk, question: str) -> set[str]:
    hits = shelf.nearest(desk.query_encoder.encode(question), 100)
    return set(shelf.owners(hit.passage_id for hit in hits).values())


def test_a_document_is_held_from_its_commit_to_its_withdrawal(
    desk: TestDesk, keeper: HoldingsKeeper
) -> None:
    before = keeper.current().shelf(EVERYTHING)
    desk.publish("new", "# New\n\nThe grinder has a new burr.")
    with_new = keeper.current().shelf(EVERYTHING)
    with desk.database.write() as session:
        withdraw_document(session, SHORT_ID, "Olu")
    after = keeper.current().shelf(EVERYTHING)
    passage_id = with_new.documents[SHORT_ID].passage_ids[0]

    assert found(before, desk, "burr") == {SHORT_ID, LONG_ID}
    assert found(with_new, desk, "burr") == {SHORT_ID, LONG_ID, document_id("new")}
    assert found(after, desk, "milk nozzle") == {LONG_ID, document_id("new")}
    assert after.owners([passage_id]) == {}
    assert after.compare([SHORT_ID], desk.query_encoder.encode("milk")) == {}


def test_many_changes_make_the_first_block_anew(
    desk: TestDesk, keeper: HoldingsKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "CHANGED_PASSAGES", 2)
    first = keeper.current()
    desk.publish("one", "# One\n\nThe first addition.")
    second = keeper.current()
    desk.publish("two", "# Two\n\nThe second addition.")
    desk.publish("three", "# Three\n\nThe third addition.")
    third = keeper.current()

    assert [len(each.blocks) for each in (first, second, third)] == [1, 2, 1]
    assert second.blocks[0] is first.blocks[0]
    names = {"short", "long", "one", "two", "three"}
    shelf = third.shelf(EVERYTHING)
    assert found(shelf, desk, "addition") == {document_id(name) for name in names}


def test_only_what_a_reader_may_see_is_on_the_shelf_from_the_moment_that_this_changes(
    desk: TestDesk, keeper: HoldingsKeeper
) -> None:
    legal, staff = Scope.of_staff(frozenset({"legal"})), Scope.of_staff(frozenset())

    def describe(visibility: Visibility, *labels: str) -> None:
        with desk.database.write() as session:
            about = Description("Olu", visibility, labels, None)
            describe_document(session, SHORT_ID, about, "Olu")

    seen = []
    for visibility, labels in [
        (Visibility.RESTRICTED, ["legal"]),
        (Visibility.RESTRICTED, ["board"]),
        (Visibility.INTERNAL, []),
    ]:
        describe(visibility, *labels)
        now = keeper.current()
        seen.append([SHORT_ID in found(now.shelf(scope), desk, "milk") for scope in (legal, staff)])

    assert seen == [[True, False], [False, False], [True, True]]


def test_of_one_language_only_documents_in_it_are_on_the_shelf(
    desk: TestDesk, keeper: HoldingsKeeper
) -> None:
    current = keeper.current()

    assert set(current.shelf(EVERYTHING, "en").documents) == {SHORT_ID, LONG_ID}
    assert not current.shelf(EVERYTHING, "de").documents


def test_too_many_passages_are_left_to_the_published_index(
    desk: TestDesk, keeper: HoldingsKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "MAX_SCANNED", 1)

    current = keeper.current()

    assert not current.are_scanned
    assert set(current.shelf(EVERYTHING).documents) == {SHORT_ID, LONG_ID}
