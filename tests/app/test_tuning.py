"""Training the desk's encoder from beginning to end: promoted, refused, called off, taken back."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import select

from app import console
from app.commands import tuning as commands
from app.commands.tuning import StoppedError, tune
from app.encoders import of, renewed
from app.errors import InvalidInputError, NotFoundError
from ingest.events import broken_links
from ingest.tables import Document, Embedding, Event, Passage, Version, Visibility
from ingest.tuner import Recipe
from rag.errors import TooFewCasesError
from rag.tables import Case, CaseState
from tests.tiny_desk import (
    RECIPE,
    TOPICS,
    TinyDesk,
    furnish,
    open_desk,
    publish,
    watch,
    write_encoder,
)

Opened = Callable[[Path], TinyDesk]

QUESTIONS = [f"{topic} again" for topic in TOPICS]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small encoder that knows nothing yet."""
    return write_encoder(tmp_path_factory.mktemp("base") / "model").folder


@pytest.fixture(scope="module")
def furnished(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a desk with pages and solved tickets."""
    home = tmp_path_factory.mktemp("furnished") / "home"
    desk = open_desk(home, model)
    furnish(desk)
    desk.database.close()
    return home


@pytest.fixture(scope="module")
def learnt(furnished: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of that desk after a training that was promoted."""
    home = tmp_path_factory.mktemp("learnt") / "home"
    shutil.copytree(furnished, home)
    desk = open_desk(home, model)
    assert tune(desk, watch, RECIPE).comparison.is_better
    desk.database.close()
    return home


@pytest.fixture
def opened(home: Path, model: Path) -> Iterator[Callable[[Path], TinyDesk]]:
    """Return a function that opens a desk on a copy of a home."""
    desks: list[TinyDesk] = []

    def open_copy(of_home: Path) -> TinyDesk:
        shutil.copytree(of_home, home)
        desks.append(open_desk(home, model))
        return desks[-1]

    yield open_copy
    for desk in desks:
        desk.database.close()


def found(desk: TinyDesk, question: str) -> str:
    """Return the source of the page that a process which starts now finds first, by meaning."""
    fresh = open_desk(desk.home, Path(desk.settings.embedding_model))
    vector = fresh.query_encoder.encode(question)
    [hit, *_] = fresh.index.search(vector, 1, [Visibility.PUBLIC])
    query = select(Document.source).join(Version).join(Passage).where(Passage.id == hit.passage_id)
    with fresh.database.read() as session:
        source = session.scalar(query)
    fresh.database.close()
    return str(source)


def models(desk: TinyDesk) -> set[str]:
    with desk.database.read() as session:
        return set(session.scalars(select(Embedding.model)))


def actions(desk: TinyDesk) -> list[str]:
    with desk.database.read() as session:
        assert list(broken_links(session)) == []
        return [name for name in session.scalars(select(Event.action)) if "encoder:" in name]


def test_a_training_that_helps_is_promoted(learnt: Path, opened: Opened) -> None:
    desk = opened(learnt)
    base = desk.encoders.base.fingerprint

    state = desk.index.state()
    places = [found(desk, question) for question in QUESTIONS]

    assert desk.encoders.pointer().previous == base
    assert state.model == desk.weights.fingerprint != base
    assert state.generation is not None
    assert state.delta == 0
    assert places == [f"page-{number}" for number in range(len(TOPICS))]
    assert models(desk) == {base, state.model}
    assert actions(desk) == ["encoder:promote"]
    assert desk.encoders.leftovers() == []


def test_every_case_has_a_vector_of_the_new_encoder(learnt: Path, opened: Opened) -> None:
    desk = opened(learnt)

    with desk.database.read() as session:
        keys = set(session.scalars(select(Case.content_hash)))
        of_new = Embedding.model == desk.weights.fingerprint
        known = set(session.scalars(select(Embedding.content_hash).where(of_new)))

    assert keys <= known


def test_until_the_end_the_present_encoder_serves(furnished: Path, opened: Opened) -> None:
    desk = opened(furnished)
    running = open_desk(desk.home, Path(desk.settings.embedding_model))
    base = running.weights.fingerprint
    served: dict[str, set[bool]] = {}

    def look(what: str, _done: int, _total: int) -> None:
        serves = (
            of(desk).pointer().serving == base and renewed(running, running.encoders) is running
        )
        served.setdefault(what, set()).add(serves)

    outcome = tune(desk, look, RECIPE)
    after = renewed(running, running.encoders)

    assert served.keys() >= {"looking up", "training", "embedding"}
    assert set().union(*served.values()) == {True}
    assert after.weights.fingerprint == outcome.serving != base
    assert running.index.state().model == base
    assert running.index.state().delta == 0
    running.database.close()


def test_a_training_that_does_harm_is_refused_with_its_figures(
    learnt: Path, opened: Opened
) -> None:
    desk = opened(learnt)
    before = (desk.encoders.pointer(), models(desk))

    outcome = tune(desk, watch, Recipe(learning_rate=0.5))

    assert not outcome.comparison.is_better
    assert outcome.comparison.ndcg_after < outcome.comparison.ndcg_before
    assert outcome.serving == desk.weights.fingerprint
    assert (of(desk).pointer(), models(desk)) == before
    assert of(desk).leftovers() == []
    assert actions(desk) == ["encoder:promote"]


def test_the_same_training_again_changes_nothing(learnt: Path, opened: Opened) -> None:
    desk = opened(learnt)
    before = desk.encoders.pointer()

    outcome = tune(desk, watch, RECIPE)

    assert outcome.comparison.ndcg.mean <= 0
    assert of(desk).pointer() == before
    assert of(desk).find(before.serving) == desk.weights


@pytest.mark.parametrize("stage", ["looking up", "training", "embedding"])
def test_a_training_that_is_called_off_leaves_nothing(
    furnished: Path, opened: Opened, stage: str
) -> None:
    desk = opened(furnished)

    def stop(what: str, done: int, _total: int) -> None:
        if what == stage and done:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune(desk, stop, RECIPE)

    assert {path.name for path in (desk.home / "encoders").iterdir()} <= {"lock"}
    assert models(desk) == {desk.weights.fingerprint}
    assert of(desk).weights == desk.encoders.base


def test_too_few_solved_tickets_are_named_before_anything_is_done(
    furnished: Path, opened: Opened
) -> None:
    desk = opened(furnished)
    with desk.database.write() as session:
        for case in session.scalars(select(Case).limit(80)):
            case.state = CaseState.OFF

    with pytest.raises(TooFewCasesError, match="16"):
        tune(desk, watch, RECIPE)


def test_two_trainings_of_one_desk_do_not_meet(furnished: Path, opened: Opened) -> None:
    desk = opened(furnished)
    (desk.home / "encoders").mkdir()

    with (
        FileLock(desk.home / "encoders" / "lock"),
        pytest.raises(InvalidInputError, match="another training is at work"),
    ):
        tune(desk, watch, RECIPE)


def test_what_came_in_during_the_training_is_found_by_the_new_encoder(
    furnished: Path, opened: Opened
) -> None:
    desk = opened(furnished)
    late = "A zebra ate the hose."

    def publish_late(what: str, done: int, total: int) -> None:
        if what == "embedding" and done == total:
            publish(desk, "late", late)

    outcome = tune(desk, publish_late, RECIPE)

    assert outcome.serving != desk.weights.fingerprint
    assert found(desk, f"late\n{late}") == "late"


def test_the_encoder_before_serves_again_with_all_that_came_since(
    learnt: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(console, "options", console.Options())
    desk = opened(learnt)
    was = desk.encoders.pointer()
    publish(desk, "late", "A zebra ate the hose.")

    commands.roll_back(desk)
    back = of(desk).pointer()
    place = found(desk, "late\nA zebra ate the hose.")
    commands.roll_back(desk)

    assert (back.serving, back.previous) == (was.previous, was.serving)
    assert place == "late"
    assert of(desk).pointer() == was
    assert actions(desk) == ["encoder:promote", "encoder:rollback", "encoder:rollback"]
    assert f"{was.previous} serves again." in capsys.readouterr().out


def test_without_an_encoder_before_there_is_no_way_back(furnished: Path, opened: Opened) -> None:
    with pytest.raises(NotFoundError, match="earlier encoder"):
        commands.roll_back(opened(furnished))


def test_the_command_tells_the_figures(
    furnished: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = opened(furnished)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(console, "options", console.Options(as_json=True))

    commands.learn(desk)

    document = json.loads(capsys.readouterr().out)
    assert document["promoted"] is False
    assert document["serving"] == desk.weights.fingerprint
    assert (document["pairs"], document["held_back"]) == (77, 19)
    assert set(document["ndcg"]) == {"mean", "low", "high"}
    assert document["rare"] is None


def test_a_signal_ends_the_command_tidily(
    furnished: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(furnished)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(console, "progress", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    handler = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SystemExit) as leaving:
        commands.learn(desk)

    assert leaving.value.code == 130
    assert signal.getsignal(signal.SIGTERM) is handler
    assert of(desk).leftovers() == []
