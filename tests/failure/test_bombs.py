"""Bombs through the queue and a real worker; `python -m tests.failure.hostile` takes more files."""

from pathlib import Path

import pytest

from ingest.tables import Outcome
from tests.failure import bombs
from tests.failure.desks import open_desk
from tests.failure.hostile import run, submit

MAX_SECONDS = 280

pytestmark = [pytest.mark.failure, pytest.mark.timeout(MAX_SECONDS + 60)]


def test_no_bomb_hurts_the_worker_and_each_gets_its_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "bombs"
    folder.mkdir()
    bombs.write(folder)
    (folder / "a harmless one.md").write_text("# Pump\n\nThe zebra pump is loud.\n")
    desk = open_desk(tmp_path / "home")

    report = run(desk, submit(desk, folder), MAX_SECONDS)

    print("\n".join(report.lines()))  # noqa: T201
    assert list(report.problems()) == []
    outcomes = {job.source: job.outcome for job in report.done}
    assert set(outcomes) == {*bombs.BOMBS, "a harmless one.md"}
    assert outcomes["a harmless one.md"] == Outcome.INDEXED
    # What unpacks without end or laughs at its reader is told from what is merely long or deep.
    for name in ("laughs.docx", "laughs.xlsx", "laughs.pptx", "laughs.odt", "zeros.zip"):
        assert outcomes[name] in {Outcome.QUARANTINED, Outcome.FAILED}
    desk.database.close()
