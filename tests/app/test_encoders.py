"""Which encoder serves: the switch, the way back, and what a damaged or strange file means."""

import shutil
import threading
from pathlib import Path

import pytest

from app.encoders import Encoders, Pointer, UntilSwitched, of, over, renewed
from ingest.weights import Weights
from tests.tiny_desk import open_desk, write_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small encoder."""
    return write_encoder(tmp_path_factory.mktemp("base") / "model").folder


@pytest.fixture
def encoders(home: Path, model: Path) -> Encoders:
    """Return the encoders of a desk that works with the small one."""
    return Encoders(home / "encoders", Weights(str(model)))


def make(encoders: Encoders, change: bytes) -> Weights:
    """Keep an encoder that is the base but for its weights."""
    with encoders.making() as folder:
        shutil.copytree(encoders.base.folder, folder)
        with (folder / "model.safetensors").open("ab") as file:
            file.write(change)
        return encoders.keep(folder)


def again(encoders: Encoders) -> Encoders:
    """Return the encoders as a process sees them that starts now."""
    return Encoders(encoders._folder, encoders.base)


def test_at_first_the_configured_encoder_serves(encoders: Encoders) -> None:
    assert encoders.weights == encoders.base
    assert encoders.pointer() == Pointer(encoders.base.fingerprint, encoders.base.fingerprint)
    assert not encoders.has_switched


def test_a_kept_encoder_serves_only_after_the_switch(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    before = again(encoders).weights

    encoders.switch(one.fingerprint)

    assert before == encoders.base
    assert again(encoders).weights == one
    assert one.fingerprint.startswith("model-")
    assert one.folder == encoders._folder / one.fingerprint / "model"
    assert one.fingerprint != encoders.base.fingerprint


def test_a_process_keeps_its_encoder_and_notices_the_switch(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    running = again(encoders)
    assert running.weights == encoders.base

    encoders.switch(one.fingerprint)

    assert running.has_switched
    assert running.weights == encoders.base
    assert not again(encoders).has_switched


def test_the_encoder_before_is_named_and_can_serve_again(encoders: Encoders) -> None:
    one, two = make(encoders, b"one"), make(encoders, b"two")
    encoders.switch(one.fingerprint)
    encoders.switch(two.fingerprint)

    encoders.switch(str(encoders.pointer().previous))

    base = encoders.base.fingerprint
    assert encoders.pointer() == Pointer(base, one.fingerprint, two.fingerprint)
    assert again(encoders).weights == one


def test_what_neither_serves_nor_served_before_is_left_over(encoders: Encoders) -> None:
    made = [make(encoders, name) for name in (b"one", b"two", b"three", b"four")]
    for weights in made[:3]:
        encoders.switch(weights.fingerprint)

    assert set(encoders.leftovers()) == {made[0].fingerprint, made[3].fingerprint}
    for name in encoders.leftovers():
        encoders.remove(name)
    assert encoders.leftovers() == []
    assert encoders.find(made[1].fingerprint) == made[1]
    assert encoders.find(made[2].fingerprint) == made[2]


def test_an_altered_encoder_does_not_serve(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    encoders.switch(one.fingerprint)
    with (one.folder / "model.safetensors").open("ab") as file:
        file.write(b"x")

    assert again(encoders).weights == encoders.base
    assert encoders.find(one.fingerprint) is None


def test_an_encoder_that_is_gone_does_not_serve(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    encoders.switch(one.fingerprint)
    encoders.remove(one.fingerprint)

    assert again(encoders).weights == encoders.base


def test_a_damaged_encoder_is_replaced_when_it_is_made_again(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    encoders.switch(one.fingerprint)
    (one.folder / "model.safetensors").write_bytes(b"")

    made = make(encoders, b"one")

    assert made.fingerprint == one.fingerprint
    assert again(encoders).weights == made


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"serving": 1}', b'"x"', b"\xff\xfe"])
def test_a_pointer_that_cannot_be_read_means_the_configured_encoder(
    encoders: Encoders, content: bytes
) -> None:
    encoders.switch(make(encoders, b"one").fingerprint)
    (encoders._folder / "serving").write_bytes(content)

    assert again(encoders).weights == encoders.base


def test_an_encoder_trained_from_another_base_does_not_serve(
    encoders: Encoders, tmp_path: Path
) -> None:
    encoders.switch(make(encoders, b"one").fingerprint)
    shutil.copytree(encoders.base.folder, tmp_path / "another")
    another = Encoders(encoders._folder, Weights(str(tmp_path / "another")))

    assert another.weights == another.base


def test_what_is_not_kept_is_removed(encoders: Encoders) -> None:
    with encoders.making() as folder:
        folder.mkdir()
        (folder / "half").write_bytes(b"written")

    assert encoders.leftovers() == []


def test_a_worker_stops_when_told_or_when_another_encoder_serves(encoders: Encoders) -> None:
    one = make(encoders, b"one")
    stop = threading.Event()
    until = UntilSwitched(stop, again(encoders))
    told = UntilSwitched(stop, again(encoders))
    assert (until.is_set(), told.is_set(), until.wait(0.0)) == (False, False, False)

    encoders.switch(one.fingerprint)
    switched = until.is_set()
    encoders.switch(encoders.base.fingerprint)
    stop.set()

    assert switched
    assert told.is_set()
    assert told.wait(0.0)


def test_a_running_worker_ends_its_work_after_a_switch(home: Path, model: Path) -> None:
    desk = open_desk(home, model)
    one = make(of(desk), b"one")
    until = UntilSwitched(threading.Event(), desk.encoders)
    worker = threading.Thread(target=desk.worker.run, args=(until,), daemon=True)
    assert not until.is_set()
    worker.start()
    worker.join(1.0)
    was_alive = worker.is_alive()

    of(desk).switch(one.fingerprint)
    worker.join(30.0)

    assert (was_alive, worker.is_alive()) == (True, False)
    desk.database.close()


def test_services_are_new_after_a_switch_and_share_the_record(home: Path, model: Path) -> None:
    desk = open_desk(home, model)
    one = make(of(desk), b"one")
    before = (desk.weights, renewed(desk, desk.encoders) is desk)

    of(desk).switch(one.fingerprint)
    after = renewed(desk, desk.encoders)

    assert before == (desk.encoders.base, True)
    assert after.weights == one
    assert after.index.state().model == one.fingerprint
    assert after.database is desk.database
    assert desk.weights == desk.encoders.base
    desk.database.close()


def test_services_over_another_encoder_are_of_the_same_desk(home: Path, model: Path) -> None:
    desk = open_desk(home, model)
    one = make(of(desk), b"one")

    other = over(desk, one)

    assert other.ingestion.embedder.fingerprint == one.fingerprint
    assert (other.home, other.database) == (desk.home, desk.database)
    desk.database.close()
