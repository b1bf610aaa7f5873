"""A training killed between its steps leaves the present encoder serving, and can be done again."""

import shutil
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import select

from app.encoders import of
from ingest.access import Scope
from ingest.tables import Embedding, Generation
from tests.failure.desks import Death
from tests.tiny_desk import TOPICS, TinyDesk, furnish, learn_all_the_way, open_desk, write_encoder

pytestmark = [pytest.mark.failure, pytest.mark.timeout(180)]

STEPS = {
    "trained": "app.commands.tuning:train",
    "vectors stored": "app.commands.tuning:_store",
    "index built": "app.commands.tuning:rebuild_index",
    "recorded": "app.commands.tuning:record",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("base") / "model").folder


@pytest.fixture(scope="module")
def furnished(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("furnished") / "home"
    desk = open_desk(home, model)
    furnish(desk)
    desk.database.close()
    return home


def run(processes: ForkServerContext, home: Path, model: Path, death: Death | None) -> int | None:
    process = processes.Process(target=learn_all_the_way, args=(home, model, death))
    process.start()
    process.join(120)
    return process.exitcode


def finds_everything(desk: TinyDesk) -> bool:
    pages = list(TOPICS.values())
    hits = [desk.retriever.search(page, 1, Scope.everything())[0] for page in pages]
    return [hit.document.source for hit in hits] == [f"page-{n}" for n in range(len(pages))]


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_training_leaves_the_present_encoder_and_is_done_again(
    furnished: Path, model: Path, home: Path, processes: ForkServerContext, step: str
) -> None:
    shutil.copytree(furnished, home)

    killed = run(processes, home, model, Death(STEPS[step], "after"))
    desk = open_desk(home, model)
    base = (desk.weights, desk.index.state().model, finds_everything(desk))
    again = run(processes, home, model, None)

    assert (killed, again) == (-9, 0)
    assert base == (desk.encoders.base, desk.encoders.base.fingerprint, True)
    pointer = of(desk).pointer()
    assert pointer.previous == desk.encoders.base.fingerprint != pointer.serving
    assert of(desk).leftovers() == []
    with desk.database.read() as session:
        kept = {pointer.serving, pointer.previous}
        assert set(session.scalars(select(Embedding.model))) == kept
        assert set(session.scalars(select(Generation.model))) == kept
    desk.database.close()


def test_a_training_killed_right_after_the_switch_is_over(
    furnished: Path, model: Path, home: Path, processes: ForkServerContext
) -> None:
    shutil.copytree(furnished, home)

    killed = run(processes, home, model, Death("app.encoders:Encoders.switch", "after"))
    desk = open_desk(home, model)

    assert killed == -9
    assert desk.weights != desk.encoders.base
    assert finds_everything(desk)
    desk.database.close()
