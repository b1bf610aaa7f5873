"""A folder and its documents, kept in step by the command on each database in turn."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.commands.documents import synchronise
from app.services import Services
from app.settings import Settings
from app.worker import Worker
from ingest import folders
from ingest.errors import EmptyFolderError, SourceNotFoundError
from ingest.events import broken_links
from ingest.folders import Move, Plan
from ingest.tables import Document, Job, Outcome, Version, VersionStatus, Visibility
from tests.ingest.knowledge_base import KnowledgeBase

GIVEN: dict[str, Any] = {"owner": None, "visibility": None, "labels": None}
PUMP, HOSE, TANK = (f"# The {name}\n\nAll about the {name}.\n" for name in ("pump", "hose", "tank"))


class Desk:
    """A desk that keeps in step with one folder."""

    def __init__(self, base: KnowledgeBase, folder: Path, home: Path) -> None:
        self.base = base
        self.folder = folder
        self.services = Services(Settings(home=home))
        ingestion = base.ingestion
        vars(self.services).update(
            database=base.database,
            files=ingestion.files,
            index=ingestion.index,
            ingestion=ingestion,
            worker=Worker(ingestion, home),
        )

    def write(self, **texts: str | None) -> None:
        """Write Markdown files, or remove those without a text; `__` stands for a folder."""
        for name, text in texts.items():
            path = self.folder / f"{name.replace('__', '/')}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)

    def plan(self) -> Plan:
        return folders.plan(self.base.database, self.folder, {})

    def sync(self, *, dry_run: bool = False, **given: Any) -> Plan:
        """Bring the documents in step and return what is to be done afterwards."""
        synchronise(self.services, self.folder, {**GIVEN, **given}, dry_run=dry_run)
        return self.plan()

    def current(self) -> dict[str, str]:
        """Return title and version of every document in use, by source."""
        query = (
            select(Document.source, Version.title, Version.number)
            .join(Version)
            .where(Version.status == VersionStatus.CURRENT)
        )
        with self.base.database.read() as session:
            return {row[0]: f"{row[1]} {row[2]}" for row in session.execute(query)}

    def ids(self) -> dict[str, str]:
        with self.base.database.read() as session:
            return dict(session.execute(select(Document.source, Document.id)).all())


@pytest.fixture
def desk(knowledge_base: KnowledgeBase, tmp_path: Path, home: Path) -> Desk:
    home.mkdir()
    (tmp_path / "kb").mkdir()
    return Desk(knowledge_base, tmp_path / "kb", home)


def is_in_step(plan: Plan, unchanged: int) -> bool:
    return plan == Plan(plan.folder, unchanged=unchanged)


def test_new_files_become_documents_of_the_folder(desk: Desk) -> None:
    desk.write(pump=PUMP, sub__hose=HOSE)

    after = desk.sync(owner="Olu", visibility="public", labels=["a"])

    assert desk.current() == {"pump.md": "The pump 1", "sub/hose.md": "The hose 1"}
    assert is_in_step(after, 2)
    document = desk.base.document("sub/hose.md")
    assert (document.owner, document.visibility, document.labels, document.folder) == (
        "Olu",
        Visibility.PUBLIC,
        ["a"],
        str(desk.folder),
    )


def test_a_changed_file_is_the_next_version_and_the_others_are_left_alone(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    desk.write(pump=PUMP + "\nIt is loud.\n")

    plan = desk.plan()
    after = desk.sync()

    assert plan == Plan(str(desk.folder), change=["pump.md"], unchanged=1)
    assert desk.current() == {"pump.md": "The pump 2", "hose.md": "The hose 1"}
    assert is_in_step(after, 2)
    assert desk.base.actions().count("document:publish") == 3


def test_a_file_that_went_is_withdrawn_and_kept(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    desk.write(hose=None)

    plan = desk.plan()
    after = desk.sync()

    assert plan == Plan(str(desk.folder), remove=["hose.md"], unchanged=1)
    assert desk.current() == {"pump.md": "The pump 1"}
    assert desk.base.versions("hose.md") == [(1, VersionStatus.WITHDRAWN)]
    assert is_in_step(after, 1)


def test_a_renamed_file_takes_its_document_along(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    before = desk.ids()
    (desk.folder / "old").mkdir()
    (desk.folder / "hose.md").rename(desk.folder / "old" / "tube.md")

    plan = desk.plan()
    after = desk.sync()

    assert plan.move == [Move(before["hose.md"], "hose.md", "old/tube.md")]
    assert (plan.add, plan.change, plan.remove) == ([], [], [])
    assert desk.ids()["old/tube.md"] == before["hose.md"]
    assert desk.current() == {"pump.md": "The pump 1", "old/tube.md": "The hose 1"}
    assert is_in_step(after, 2)
    assert desk.base.actions()[2:] == ["document:move"]


def test_a_file_renamed_and_changed_at_once_is_another_document(desk: Desk) -> None:
    desk.write(hose=HOSE)
    desk.sync()
    desk.write(hose=None, tube=HOSE + "\nIt is long.\n")

    plan = desk.plan()
    after = desk.sync()

    assert plan == Plan(str(desk.folder), add=["tube.md"], remove=["hose.md"])
    assert desk.current() == {"tube.md": "The hose 1"}
    assert is_in_step(after, 1)


def test_a_file_that_comes_back_is_the_next_version_of_its_document(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    before = desk.ids()
    desk.write(hose=None)
    desk.sync()
    desk.write(hose=HOSE)

    after = desk.sync()

    assert desk.ids() == before
    assert desk.current()["hose.md"] == "The hose 2"
    assert is_in_step(after, 2)


def test_a_file_that_overwrote_another_takes_its_name_and_no_text_is_missed(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    before = desk.ids()
    (desk.folder / "pump.md").rename(desk.folder / "hose.md")

    after = desk.sync()

    assert desk.current() == {"hose.md": "The pump 1"}
    assert desk.ids()["hose.md"] == before["pump.md"]
    assert is_in_step(after, 1)
    assert desk.base.found("about the pump") == ["hose.md"]
    # What was overwritten is kept under a name that no file has.
    assert before["hose.md"] in desk.ids().values()


def test_a_file_may_take_the_name_of_one_that_went_long_ago(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    desk.write(hose=None)
    desk.sync()
    (desk.folder / "pump.md").rename(desk.folder / "hose.md")

    after = desk.sync()

    assert desk.current() == {"hose.md": "The pump 1"}
    assert is_in_step(after, 1)


def test_files_that_exchanged_their_names_keep_their_documents(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE, tank=TANK)
    desk.sync()
    before = desk.ids()
    desk.write(pump=HOSE, hose=TANK, tank=PUMP)

    after = desk.sync()

    assert desk.ids() == {
        "hose.md": before["tank.md"],
        "pump.md": before["hose.md"],
        "tank.md": before["pump.md"],
    }
    assert desk.current() == {
        "hose.md": "The tank 1",
        "pump.md": "The hose 1",
        "tank.md": "The pump 1",
    }
    assert is_in_step(after, 3)


def test_the_old_text_may_be_kept_beside_the_new_one(desk: Desk) -> None:
    desk.write(pump=PUMP)
    desk.sync()
    before = desk.ids()
    desk.write(pump=TANK, another_pump=PUMP)

    after = desk.sync()

    assert desk.current() == {"pump.md": "The tank 2", "another_pump.md": "The pump 1"}
    assert desk.ids()["pump.md"] == before["pump.md"]
    assert is_in_step(after, 2)


def test_of_two_equal_files_one_is_a_duplicate_each_time(desk: Desk) -> None:
    desk.write(pump=PUMP, same=PUMP)

    after = desk.sync()

    assert desk.current() == {"pump.md": "The pump 1"}
    assert after == Plan(str(desk.folder), add=["same.md"], unchanged=1)
    desk.write(pump=None)
    assert is_in_step(desk.sync(), 1)
    assert desk.current() == {"same.md": "The pump 1"}


def test_a_document_that_came_in_by_hand_belongs_to_the_folder_from_now_on(desk: Desk) -> None:
    desk.base.put("pump.md", PUMP, owner="Ann")
    desk.write(pump=PUMP, hose=HOSE)

    plan = desk.plan()
    after = desk.sync()

    assert (plan.change, plan.add) == (["pump.md"], ["hose.md"])
    document = desk.base.document("pump.md")
    assert (document.folder, document.owner) == (str(desk.folder), "Ann")
    assert desk.current()["pump.md"] == "The pump 1"
    assert is_in_step(after, 2)
    desk.write(pump=None)
    desk.sync()
    assert desk.current() == {"hose.md": "The hose 1"}


def test_documents_that_never_were_in_the_folder_are_left_alone(desk: Desk) -> None:
    desk.base.put("elsewhere.md", TANK)
    desk.write(pump=PUMP)

    after = desk.sync()

    assert desk.current() == {"elsewhere.md": "The tank 1", "pump.md": "The pump 1"}
    assert is_in_step(after, 1)


def test_a_name_of_another_folder_is_a_conflict_and_stays_as_it_is(
    desk: Desk, tmp_path: Path
) -> None:
    other = Desk(desk.base, tmp_path / "other", tmp_path / "home")
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    other.write(pump=TANK)

    plan = other.sync()

    assert plan == Plan(str(other.folder), conflict=["pump.md"])
    assert desk.current() == {"pump.md": "The pump 1", "hose.md": "The hose 1"}
    assert is_in_step(desk.plan(), 2)


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE, tank=TANK)
    desk.sync()
    (desk.folder / "tank.md").rename(desk.folder / "moved.md")
    desk.write(pump=PUMP + "more", hose=None, new="# New\n\nSomething else.\n")
    before = desk.current(), desk.base.actions(), desk.plan()

    desk.sync(dry_run=True)

    assert (desk.current(), desk.base.actions(), desk.plan()) == before
    with desk.base.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 3


@pytest.mark.parametrize("hidden", [False, True])
def test_an_empty_folder_is_refused(desk: Desk, hidden: bool) -> None:
    desk.write(pump=PUMP)
    desk.sync()
    desk.write(pump=None)
    if hidden:
        (desk.folder / ".keep").write_text("x")

    with pytest.raises(EmptyFolderError) as caught:
        desk.sync()

    assert str(desk.folder) in str(caught.value)
    assert desk.current() == {"pump.md": "The pump 1"}


def test_a_folder_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(SourceNotFoundError):
        folders.plan(desk.base.database, desk.folder / "none", {})


def test_a_file_that_cannot_be_read_is_not_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "hose.md":
            raise PermissionError(13, "Permission denied")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        desk.sync()

    assert desk.current() == {"pump.md": "The pump 1", "hose.md": "The hose 1"}
    assert is_in_step(desk.plan(), 2)
    with desk.base.database.read() as session:
        last = session.scalars(select(Job).order_by(Job.created_at.desc()).limit(1)).one()
    assert (last.source, last.outcome, last.error_code) == (
        "hose.md",
        Outcome.FAILED,
        "corrupt_document",
    )


def test_what_lies_in_a_folder_that_cannot_be_listed_is_not_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(pump=PUMP, sub__hose=HOSE, sub__deep__tank=TANK, subway="# The subway\n\nIt.\n")
    desk.sync()
    desk.write(subway=None)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing(os.scandir, desk.folder / "sub"))
        plan = desk.sync()

    assert plan.remove == []
    assert desk.current() == {
        "pump.md": "The pump 1",
        "sub/hose.md": "The hose 1",
        "sub/deep/tank.md": "The tank 1",
    }


def refusing(scan: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    def scandir(path: Any = ".") -> Any:
        if str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    return scandir


def export(*names: str, **more: Any) -> str:
    lines = [{"id": name, "title": f"The {name}", "text": f"About {name}."} for name in names]
    return "".join(json.dumps({**line, **more}) + "\n" for line in lines)


def test_each_line_of_an_export_is_a_document_of_the_folder(desk: Desk) -> None:
    file = desk.folder / "export.jsonl"
    file.write_text(export("a", "b", "c"))
    desk.write(pump=PUMP)
    desk.sync()
    file.write_text(export("a", "c"))

    plan = desk.plan()
    after = desk.sync()

    assert plan == Plan(str(desk.folder), remove=["b"], unchanged=3)
    assert desk.current() == {"pump.md": "The pump 1", "a": "The a 1", "c": "The c 1"}
    assert is_in_step(after, 3)


def test_what_an_export_says_besides_the_text_is_kept_in_step_too(desk: Desk) -> None:
    file = desk.folder / "export.jsonl"
    file.write_text(export("a", labels=["x"], url="https://kb/a"))
    desk.sync()
    assert is_in_step(desk.plan(), 1)
    file.write_text(export("a", labels=["secret"], url="https://kb/a"))

    plan = desk.plan()
    after = desk.sync()

    assert plan.change == ["a"]
    assert desk.base.document("a").labels == ["secret"]
    assert desk.current() == {"a": "The a 1"}
    assert is_in_step(after, 1)


@pytest.mark.parametrize("damage", ['{"id": "b", "tit', "not json"])
def test_nothing_is_removed_while_an_export_is_damaged(desk: Desk, damage: str) -> None:
    file = desk.folder / "export.jsonl"
    file.write_text(export("a", "b", "c"))
    desk.write(pump=PUMP)
    desk.sync()
    file.write_text(export("a") + damage)
    desk.write(pump=None)

    desk.sync()

    assert sorted(desk.current()) == ["a", "b", "c", "pump.md"]
    file.write_text(export("a"))
    assert is_in_step(desk.sync(), 1)
    assert sorted(desk.current()) == ["a"]


def test_documents_go_only_when_what_comes_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(hose=HOSE)
    desk.sync()
    desk.write(hose=None, tube=HOSE + "\nIt is long.\n")
    seen: list[list[str]] = []
    remove = folders.remove_documents

    def look(*arguments: Any) -> None:
        seen.append(sorted(desk.base.found("all about the hose")))
        remove(*arguments)

    monkeypatch.setattr(folders, "remove_documents", look)
    desk.sync()

    assert seen == [["hose.md", "tube.md"]]
    assert desk.base.found("all about the hose") == ["tube.md"]


class KilledError(BaseException):
    """Stands for a kill: nothing in the product catches it."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["move_documents", "changed_uploads", "remove_documents"])
def test_a_synchronisation_cut_off_at_any_step_is_completed_by_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    desk.write(pump=PUMP, hose=HOSE, tank=TANK)
    desk.sync()
    (desk.folder / "tank.md").rename(desk.folder / "vessel.md")
    desk.write(pump=PUMP + "\nIt is loud.\n", hose=None, new="# The lamp\n\nAbout the lamp.\n")
    real = getattr(folders, step)

    def die(*arguments: Any) -> None:
        if when == "after":
            # Uploads are read one by one.
            list(real(*arguments) or ())
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(folders, step, die)
        with pytest.raises(KilledError):
            desk.sync()
    after = desk.sync()

    assert desk.current() == {
        "new.md": "The lamp 1",
        "pump.md": "The pump 2",
        "vessel.md": "The tank 1",
    }
    assert is_in_step(after, 3)
    with desk.base.database.read() as session:
        assert list(broken_links(session)) == []


def test_what_the_options_say_counts_for_unchanged_files_too(desk: Desk) -> None:
    desk.write(pump=PUMP)
    desk.sync()

    desk.sync(visibility="restricted", labels=["board"])

    assert desk.base.document("pump.md").visibility == Visibility.RESTRICTED


def test_what_a_person_withdrew_stays_out_although_its_file_is_there(desk: Desk) -> None:
    desk.write(pump=PUMP, hose=HOSE)
    desk.sync()
    desk.base.withdraw("hose.md")

    desk.sync()

    assert desk.current() == {"pump.md": "The pump 1"}


@pytest.mark.timeout(20)
def test_thousands_of_renamed_files_are_planned_within_seconds() -> None:
    known = [
        folders.Known(
            Document(
                id=str(number),
                source=f"{number}.md",
                title="T",
                owner="o",
                visibility=Visibility.PUBLIC,
                folder="kb",
            ),
            str(number),
            "T",
        )
        for number in range(20_000)
    ]
    files = folders._Files(
        {f"new/{number}.md": folders._File(str(number), {}) for number in range(20_000)}
    )

    plan = folders._plan(Plan("kb"), files, known, {})

    assert len(plan.move) == 20_000
    assert plan.move[7] == Move("7", "7.md", "new/7.md")
