"""Learning from history: what helps is promoted, what does not is refused."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ingest.sources import Upload
from ingest.tables import Embedding, Visibility
from rag.errors import TooFewCasesError
from rag.head import HeadWeights
from rag.learn import MIN_CASES, Learner
from rag.tables import Head, HeadState
from rag.tickets import TicketLine, save
from rag.votes import read
from tests.rag.desk import TestDesk

TOPICS = [
    ("grinder", "The grinder makes a loud noise", "Dial {n} sets how fine beans are ground."),
    ("frother", "Milk does not foam at all", "Article {n} on rinsing the milk nozzle."),
    ("invoice", "I was charged twice this month", "Page {n} on payments and refunds."),
    ("wifi", "The machine is not online", "Guide {n} to the wireless network."),
    ("descale", "A red drop blinks on the display", "Chapter {n} on limescale."),
    ("return", "I want to send it back", "Form {n} for sending goods back."),
]
BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
LATER = TicketLine.model_validate(
    {
        "id": "S-later",
        "subject": "The hopper squeaks, model teal",
        "body": "It began today.",
        "locale": "en",
        "created": "2024-03-01T00:00:00+00:00",
        "documents": ["grinder-3"],
    }
)


def fill(desk: TestDesk, count: int, *, shuffled: bool = False) -> None:
    """Each topic has five documents, of which tickets need one by a word that only people know."""
    uploads = [
        Upload(
            f"{topic}-{number}",
            f"{topic}-{number}.md",
            f"# {topic.title()} {number}\n\n{text.format(n=number)}".encode(),
            {"visibility": Visibility.PUBLIC, "owner": "Olu"},
        )
        for topic, _, text in TOPICS
        for number in range(5)
    ]
    desk.take_in(uploads)
    chance = random.Random(7)
    colours = ["amber", "violet", "scarlet", "teal", "ochre"]
    with desk.database.write() as session:
        for number in range(count):
            topic, complaint, _ = chance.choice(TOPICS)
            kind = chance.randrange(5)
            target = f"{topic}-{kind}"
            if shuffled:
                target = f"{chance.choice(TOPICS)[0]}-{chance.randrange(5)}"
            line = TicketLine.model_validate(
                {
                    "id": f"S-{number}",
                    "subject": f"{complaint}, model {colours[kind]}",
                    "body": chance.choice(["Please help.", "What now?", "It began today."]),
                    "locale": "en",
                    "created": (BEGUN + timedelta(hours=number)).isoformat(),
                    "documents": [target],
                }
            )
            save(session, line)


@pytest.fixture
def learner(desk: TestDesk) -> Learner:
    return Learner(desk.database, desk.ingestion.embedder)


def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases alone solve this easily; closeness alone has to be what the head is better than."""
    for share in ("VOTES_SHARE", "VOTES_SHARE_BESIDE_HEAD"):
        monkeypatch.setattr(f"rag.fusion.{share}", 0.0)


def heads(desk: TestDesk) -> list[HeadState]:
    with desk.database.read() as session:
        return [head.state for head in session.scalars(select(Head).order_by(Head.created_at))]


def spelt(desk: TestDesk) -> list[bool]:
    """Tell which of the cases that vote have a spelling, oldest first."""
    with desk.database.read() as session:
        memory = read(session, desk.weights.fingerprint)
    assert memory.spellings is not None
    return [bool(row.any()) for row in memory.spellings]


def test_too_little_history_is_said_and_nothing_is_kept(desk: TestDesk, learner: Learner) -> None:
    fill(desk, 20)

    with pytest.raises(TooFewCasesError, match=f"20 solved tickets vote, {MIN_CASES} are needed"):
        learner.learn("tests")

    assert heads(desk) == []


def test_labels_without_a_pattern_are_refused(desk: TestDesk, learner: Learner) -> None:
    fill(desk, 400, shuffled=True)

    lesson = learner.learn("tests")

    assert not lesson.promoted
    assert lesson.card["reason"] == "no gain that chance would not explain"
    assert heads(desk) == [HeadState.REFUSED]


def test_a_head_that_helps_serves_and_the_one_before_stays(
    desk: TestDesk, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, 400)
    silence(monkeypatch)

    first = learner.learn("tests")
    second = learner.learn("tests")

    assert first.promoted
    assert second.promoted
    assert heads(desk) == [HeadState.RETIRED, HeadState.SERVING]
    gain = second.card["recall@5"]
    assert gain["after"] > gain["before"]
    assert second.card["ndcg@10"]["difference"][1] > 0
    assert second.card["cases"] == 400
    assert second.card["held_back"] == 150
    assert second.card["spelling"] == first.card["spelling"]
    with desk.database.read() as session:
        weights = HeadWeights.from_bytes(session.get_one(Head, second.head_id).weights)
    assert len(weights.document_ids) == 30


def test_it_learns_by_itself_once_there_is_enough(desk: TestDesk, learner: Learner) -> None:
    fill(desk, MIN_CASES, shuffled=True)

    assert learner.catch_up()
    assert learner.learn_if_due()
    assert not learner.learn_if_due()
    assert heads(desk) == [HeadState.REFUSED]


def test_catching_up_twice_finds_nothing_more(desk: TestDesk, learner: Learner) -> None:
    fill(desk, 10)

    assert learner.catch_up()
    learner.catch_up()

    assert not learner.catch_up()


def test_a_long_history_is_taken_in_by_parts(
    desk: TestDesk, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.cases.BATCH", 20)
    fill(desk, 250)

    known = []
    while learner.catch_up():
        with desk.database.read() as session:
            known.append(len(read(session, desk.weights.fingerprint).vectors))

    assert 20 <= known[0] < known[1] < known[-1] == 250


def test_every_case_is_spelt_as_the_head_that_serves_is(
    desk: TestDesk, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, 400)
    silence(monkeypatch)
    learner.learn("tests")
    with desk.database.write() as session:
        save(session, LATER)

    before = spelt(desk)
    learner.catch_up()

    assert before == [True] * 400
    assert spelt(desk) == [True] * 401


def test_spellings_of_heads_that_are_gone_are_forgotten(
    desk: TestDesk, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, 400)
    silence(monkeypatch)
    monkeypatch.setattr("rag.learn.SPELLING_LASTS", 0.0)
    monkeypatch.setattr("rag.heads.KEPT", 1)

    spaces = [learner.learn("tests").card["spelling"]]
    with desk.database.write() as session:
        save(session, LATER)
    spaces += [learner.learn("tests").card["spelling"] for _ in range(2)]

    with desk.database.read() as session:
        kept = session.scalars(select(Embedding.model).distinct()).all()
    assert heads(desk) == [HeadState.RETIRED, HeadState.SERVING]
    assert {name for name in kept if name.startswith("spelling:")} == {spaces[2]}
    assert spaces[1] == spaces[2] != spaces[0]
