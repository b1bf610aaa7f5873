"""A process that takes a folder in, killed at any moment while the folder goes on changing.

COPILOT_TEST_KILLS says how often, COPILOT_TEST_SEED which moments are chosen.
"""

import io
import os
import random
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from uuid import uuid4

import pytest
from docx import Document as DocxDocument
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from app.services import Services
from ingest.access import Scope
from ingest.jobs import unfinished
from ingest.tables import Document, Version, VersionStatus
from tests.failure.desks import open_desk, take_in
from tests.failure.wholeness import (
    assert_every_upload_was_answered,
    assert_index_is_whole,
    assert_record_is_whole,
)

KILLS = int(os.environ.get("COPILOT_TEST_KILLS", "10"))
SEED = int(os.environ.get("COPILOT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
DOCUMENTS = 120
CHANGED_EACH_TIME = 12
# A life that is left alone is over after about this long.
LIFE_SECONDS = 1.5
MAX_RECOVERY_SECONDS = 60

pytestmark = [pytest.mark.failure, pytest.mark.timeout(120 + 10 * KILLS)]


def markdown(words: str) -> bytes:
    return f"# Care\n\n{words}\n".encode()


def plain(words: str) -> bytes:
    return words.encode()


def html(words: str) -> bytes:
    return f"<!doctype html><title>Care</title><p>{words}</p>".encode()


def csv(words: str) -> bytes:
    return f"subject,care\nall,{words}\n".encode()


def pdf(words: str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, words)
    canvas.save()
    return buffer.getvalue()


def docx(words: str) -> bytes:
    buffer = io.BytesIO()
    document = DocxDocument()
    document.add_paragraph(words)
    document.save(buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[str], bytes]] = {
    "md": markdown,
    "txt": plain,
    "html": html,
    "csv": csv,
    "pdf": pdf,
    "docx": docx,
}


class Shelf:
    """Folders of all documents and of those changed last; each text has a word of its own."""

    def __init__(self, place: Path, chance: random.Random) -> None:
        self.folder = place / "all"
        self.folder.mkdir()
        self.changed = self.folder
        self._place = place
        self._chance = chance
        self._texts: dict[str, str] = {}
        for number in range(DOCUMENTS):
            ending = [*FORMATS][number % len(FORMATS)]
            self._write(f"{number:03}.{ending}", 0)

    @property
    def words(self) -> dict[str, str]:
        """Return the word of each document's newest text, by source."""
        return self._texts

    def change(self) -> None:
        """Give some documents a new text."""
        self.changed = self._place / uuid4().hex
        self.changed.mkdir()
        for name in self._chance.sample(sorted(self._texts), CHANGED_EACH_TIME):
            self._write(name, int(self._texts[name].rpartition("x")[2]) + 1)

    def _write(self, name: str, revision: int) -> None:
        word = f"thing{name.partition('.')[0]}x{revision}"
        self._texts[name] = word
        make = FORMATS[name.rpartition(".")[2]]
        data = make(f"How to care for the {word}: keep the {word} dry.")
        for folder in {self.folder, self.changed}:
            (folder / name).write_bytes(data)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    place = tmp_path / "shelf"
    place.mkdir()
    return Shelf(place, random.Random(SEED))


def test_ingestion_survives_kills_at_any_moment(
    tmp_path: Path, shelf: Shelf, processes: ForkServerContext
) -> None:
    print(f"COPILOT_TEST_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    home = tmp_path / "home"
    desk = open_desk(home)
    assert desk.database.dialect == "sqlite"
    killed = 0
    for _ in range(KILLS):
        process = processes.Process(target=take_in, args=(home, shelf.changed))
        process.start()
        process.join(chance.uniform(0.0, LIFE_SECONDS))
        process.kill()
        process.join()
        killed += process.exitcode == -9
        assert process.exitcode in {0, -9}
        assert_record_is_whole(desk)
        assert_what_is_stored_is_found(desk, chance)
        shelf.change()

    with desk.database.read() as session:
        waiting = unfinished(session)
    begun = time.monotonic()
    last = processes.Process(target=take_in, args=(home, shelf.folder))
    last.start()
    last.join(MAX_RECOVERY_SECONDS)

    seconds = time.monotonic() - begun
    print(f"{killed} of {KILLS} killed, {waiting} uploads left, {seconds:.1f} s")  # noqa: T201
    assert last.exitcode == 0
    assert killed >= KILLS // 3
    assert_record_is_whole(desk)
    assert_every_upload_was_answered(desk)
    assert_index_is_whole(desk)
    assert_each_document_is_found_in_its_newest_text(desk, shelf)
    desk.database.close()


def assert_what_is_stored_is_found(desk: Services, chance: random.Random) -> None:
    """Search for one of the documents: the served index must be readable at any moment."""
    with desk.database.read() as session:
        query = select(Version.id, Version.text).where(Version.status == VersionStatus.CURRENT)
        stored = sorted(session.execute(query).all())
    if stored:
        version_id, text = chance.choice(stored)
        found = desk.retriever.search(text, 10, Scope.everything())
        assert version_id in {hit.version.id for hit in found}


def assert_each_document_is_found_in_its_newest_text(desk: Services, shelf: Shelf) -> None:
    query = (
        select(Document.source, Version.id, Version.text)
        .join(Version)
        .where(Version.status == VersionStatus.CURRENT)
    )
    with desk.database.read() as session:
        current = {row[0]: (row[1], row[2]) for row in session.execute(query)}
    assert set(current) == set(shelf.words)
    for source, word in shelf.words.items():
        version_id, text = current[source]
        assert word in text
        hits = desk.retriever.search(text, 10, Scope.everything())
        assert version_id in {hit.version.id for hit in hits}
        assert len({hit.passage.id for hit in hits}) == len(hits)
