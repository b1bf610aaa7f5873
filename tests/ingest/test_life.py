"""What happens to documents after they are in."""

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from filelock import FileLock
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import Engine, create_engine, func, select, text

from app import schema
from ingest import library, life, pipeline, store
from ingest.access import Scope
from ingest.db import Database, now
from ingest.errors import UnknownDocumentError
from ingest.events import broken_links, seal
from ingest.files import FileStore
from ingest.index.exact import ExactIndex
from ingest.index.served import ServedIndex
from ingest.life import Description
from ingest.parse.parsed import ParsedDocument, Word
from ingest.pipeline import Ingestion, rebuild_index
from ingest.tables import (
    Document,
    Event,
    IndexOperation,
    Outcome,
    Page,
    Passage,
    Version,
    VersionStatus,
    Visibility,
)
from ingest.weights import Weights
from tests.fakes import HashEmbedder
from tests.ingest.knowledge_base import OWNER, KnowledgeBase

CURRENT, SUPERSEDED, WITHDRAWN = VersionStatus
ACID = "# Descaling\n\nFill the tank with citric acid.\n"
VINEGAR = "# Descaling\n\nFill the tank with vinegar.\n"
PUBLIC = Scope(frozenset({Visibility.PUBLIC}))


def restore(base: KnowledgeBase, source: str, number: int) -> Version:
    with base.database.write() as session:
        return life.restore_version(session, store.document_id(source), number, OWNER)


def describe(base: KnowledgeBase, source: str, **changes: object) -> None:
    """Describe a document anew, all the rest as it is."""
    document = base.document(source)
    given = {
        "owner": document.owner,
        "visibility": document.visibility,
        "labels": document.labels,
        "review_by": document.review_by,
    }
    description = Description(**{**given, **changes})  # type: ignore[arg-type]
    with base.database.write() as session:
        life.describe_document(session, document.id, description, OWNER)


def version_of(base: KnowledgeBase, source: str, number: int) -> Version:
    with base.database.read() as session:
        return library.entry(session, store.document_id(source), number).version


def passages_of(base: KnowledgeBase, source: str, number: int) -> list[Passage]:
    version = version_of(base, source, number)
    with base.database.read() as session:
        return library.passages(session, version.id, 1, 1_000)


def operations(base: KnowledgeBase) -> int:
    with base.database.read() as session:
        return session.scalar(select(func.count()).select_from(IndexOperation)) or 0


def is_chain_whole(base: KnowledgeBase) -> bool:
    with base.database.read() as session:
        return list(broken_links(session)) == []


def pdf(*pages: str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for words in pages:
        canvas.drawString(72, 700, words)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_an_earlier_version_comes_back_as_a_new_one(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)
    embedded = len(knowledge_base.embedder.embedded)

    restored = restore(knowledge_base, "a.md", 1)

    assert (restored.number, restored.restored_from, restored.status) == (3, 1, CURRENT)
    assert knowledge_base.versions("a.md") == [(1, SUPERSEDED), (2, SUPERSEDED), (3, CURRENT)]
    assert "citric acid" in knowledge_base.current_text("a.md")
    assert len(knowledge_base.embedder.embedded) == embedded
    assert is_chain_whole(knowledge_base)


def test_a_restored_text_is_found_at_once_and_the_one_it_replaced_is_not(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)
    rebuild_index(knowledge_base.ingestion)

    restore(knowledge_base, "a.md", 1)

    [hit] = knowledge_base.search("fill the tank with what")
    assert (hit.version.number, "citric acid" in hit.passage.text) == (3, True)


def test_a_withdrawn_document_is_restored(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.withdraw("a.md")

    restore(knowledge_base, "a.md", 1)

    assert knowledge_base.versions("a.md") == [(1, WITHDRAWN), (2, CURRENT)]
    assert knowledge_base.found("citric acid") == ["a.md"]
    assert knowledge_base.actions() == [
        "document:publish",
        "document:withdraw",
        "document:restore",
    ]


def test_restoring_says_in_the_audit_trail_what_came_back(knowledge_base: KnowledgeBase) -> None:
    first = knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)

    restore(knowledge_base, "a.md", 1)

    with knowledge_base.database.read() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (event.actor, event.action, event.subject) == (
        OWNER,
        "document:restore",
        first.document_id,
    )
    assert event.detail == {"version": 3, "from": 1, "sha256": first.sha256}


def test_restoring_the_current_version_changes_nothing(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)
    before = operations(knowledge_base)

    kept = restore(knowledge_base, "a.md", 1)

    assert kept.number == 1
    assert knowledge_base.versions("a.md") == [(1, CURRENT)]
    assert (operations(knowledge_base), knowledge_base.actions()) == (before, ["document:publish"])


@pytest.mark.parametrize(("source", "number"), [("a.md", 7), ("a.md", 0), ("b.md", 1)])
def test_a_version_that_never_was_cannot_come_back(
    knowledge_base: KnowledgeBase, source: str, number: int
) -> None:
    knowledge_base.put("a.md", ACID)

    with pytest.raises(UnknownDocumentError):
        restore(knowledge_base, source, number)

    assert knowledge_base.versions("a.md") == [(1, CURRENT)]


def test_restoring_twice_counts_on(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)

    restore(knowledge_base, "a.md", 1)
    restore(knowledge_base, "a.md", 2)
    restore(knowledge_base, "a.md", 3)

    numbers = [number for number, _ in knowledge_base.versions("a.md")]
    assert numbers == [1, 2, 3, 4, 5]
    assert version_of(knowledge_base, "a.md", 5).restored_from == 3
    assert "citric acid" in knowledge_base.current_text("a.md")
    assert is_chain_whole(knowledge_base)


def test_passages_pages_and_places_of_words_are_copied_and_the_old_ones_stay(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = pipeline.parse_file  # type: ignore[attr-defined]
    monkeypatch.setattr(pipeline, "parse_file", with_words(read))
    knowledge_base.put("a.pdf", pdf("The zebra pump is loud.", "The otter pump is not."))
    knowledge_base.put("a.pdf", pdf("Nothing is known of pumps."))

    restored = restore(knowledge_base, "a.pdf", 1)

    first = version_of(knowledge_base, "a.pdf", 1)
    with knowledge_base.database.read() as session:
        pages = {
            version.id: [
                (page.number, page.start, page.end, library.words(session, version.id, page.number))
                for page in session.scalars(
                    select(Page).where(Page.version_id == version.id).order_by(Page.number)
                )
            ]
            for version in (first, restored)
        }
    assert len(pages[first.id]) == 2
    assert pages[first.id][1][3] == (Word(0, 3, 0.1, 0.2, 0.3, 0.4),)
    assert pages[restored.id] == pages[first.id]
    old = passages_of(knowledge_base, "a.pdf", 1)
    new = passages_of(knowledge_base, "a.pdf", 3)
    assert [content(passage) for passage in new] == [content(passage) for passage in old]
    assert {passage.id for passage in new}.isdisjoint(passage.id for passage in old)
    assert restored.text == first.text
    assert restored.passages == first.passages == len(old)


def with_words(
    read: Callable[..., ParsedDocument],
) -> Callable[..., ParsedDocument]:
    """Return a reader that places a word on every page, whatever the parser does."""
    from dataclasses import replace

    def parse_file(*arguments: object, **options: object) -> ParsedDocument:
        parsed = read(*arguments, **options)
        word = Word(0, 3, 0.1, 0.2, 0.3, 0.4)
        return replace(parsed, pages=tuple(replace(page, words=(word,)) for page in parsed.pages))

    return parse_file


def content(passage: Passage) -> tuple[object, ...]:
    return (
        passage.ordinal,
        passage.text,
        passage.heading_path,
        passage.start,
        passage.end,
        passage.first_page,
        passage.last_page,
        passage.content_hash,
        passage.table_header,
    )


def test_what_a_reply_cited_stays_readable_whatever_becomes_of_the_document(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID)
    [cited] = knowledge_base.passages("a.md")
    knowledge_base.put("a.md", VINEGAR)
    restore(knowledge_base, "a.md", 1)
    knowledge_base.withdraw("a.md")

    with knowledge_base.database.read() as session:
        kept = session.get_one(Passage, cited.id)
        version = session.get_one(Version, kept.version_id)

    assert (version.number, version.status) == (1, SUPERSEDED)
    assert version.text[kept.start : kept.end] == cited.text
    assert "citric acid" in cited.text


def test_a_restored_version_is_seen_by_whoever_may_see_the_document_now(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID, visibility="public")
    knowledge_base.put("a.md", VINEGAR, visibility="restricted", labels=["board"])

    restored = restore(knowledge_base, "a.md", 1)

    assert (restored.visibility, restored.labels) == (Visibility.RESTRICTED, ["board"])
    assert knowledge_base.found("citric acid", scope=PUBLIC) == []
    board = Scope.of_staff(frozenset({"board"}))
    assert knowledge_base.found("citric acid", scope=board) == ["a.md"]
    assert version_of(knowledge_base, "a.md", 1).visibility == Visibility.PUBLIC


def test_a_restored_version_gives_the_document_its_title_back(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID, title="Limescale")
    knowledge_base.put("a.md", ACID, title="Descaling for all machines")

    restore(knowledge_base, "a.md", 1)

    assert knowledge_base.document("a.md").title == "Limescale"


def test_the_file_of_a_restored_version_counts_as_unchanged(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)
    restore(knowledge_base, "a.md", 1)

    assert knowledge_base.put("a.md", ACID).outcome == Outcome.UNCHANGED
    assert knowledge_base.put("a.md", VINEGAR).outcome == Outcome.INDEXED
    assert [number for number, _ in knowledge_base.versions("a.md")] == [1, 2, 3, 4]


@pytest.mark.parametrize("rebuilt", [False, True])
def test_who_may_find_a_document_changes_at_once(
    knowledge_base: KnowledgeBase, rebuilt: bool
) -> None:
    knowledge_base.put("a.md", ACID, visibility="public")
    knowledge_base.put("b.md", "The grinder is loud.", visibility="public")
    if rebuilt:
        rebuild_index(knowledge_base.ingestion)

    describe(knowledge_base, "a.md", visibility=Visibility.INTERNAL)
    inside = knowledge_base.found("citric acid", 1), knowledge_base.found("citric acid", 1, PUBLIC)
    describe(knowledge_base, "a.md", visibility=Visibility.PUBLIC)

    assert inside == (["a.md"], ["b.md"])
    assert knowledge_base.found("citric acid", 1, PUBLIC) == ["a.md"]
    assert knowledge_base.actions()[2:] == ["document:describe"] * 2
    assert is_chain_whole(knowledge_base)


def test_the_labels_of_a_restricted_document_count_from_the_moment_they_change(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID, visibility="restricted", labels=["board"])
    board, staff = (Scope.of_staff(frozenset({label})) for label in ("board", "staff"))
    before = operations(knowledge_base)

    describe(knowledge_base, "a.md", labels=["staff"])

    assert knowledge_base.found("citric acid", scope=board) == []
    assert knowledge_base.found("citric acid", scope=staff) == ["a.md"]
    assert version_of(knowledge_base, "a.md", 1).labels == ["staff"]
    # Passages in memory are masked by label: searches are told of the change.
    assert operations(knowledge_base) == before + 2


def test_what_an_owner_says_is_recorded_word_for_word(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID)

    describe(knowledge_base, "a.md", owner="Ben", labels=["x"], review_by=date(2027, 1, 31))

    document = knowledge_base.document("a.md")
    assert (document.owner, document.labels, document.review_by) == (
        "Ben",
        ["x"],
        date(2027, 1, 31),
    )
    with knowledge_base.database.read() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert event.detail == {
        "owner": "Ben",
        "visibility": "internal",
        "labels": ["x"],
        "review_by": "2027-01-31",
    }


def test_describing_a_document_as_it_is_records_nothing(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("a.md", ACID, visibility="restricted", labels=["a", "b"])
    describe(knowledge_base, "a.md", review_by=date(2027, 1, 31))
    before = operations(knowledge_base), knowledge_base.actions()

    describe(knowledge_base, "a.md")

    assert (operations(knowledge_base), knowledge_base.actions()) == before


def test_a_withdrawn_document_can_be_described_and_stays_out_of_search(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("a.md", ACID)
    knowledge_base.withdraw("a.md")

    describe(knowledge_base, "a.md", visibility=Visibility.PUBLIC)

    assert knowledge_base.document("a.md").visibility == Visibility.PUBLIC
    assert knowledge_base.found("citric acid") == []
    restore(knowledge_base, "a.md", 1)
    assert knowledge_base.found("citric acid", scope=PUBLIC) == ["a.md"]


def test_what_is_no_document_cannot_be_described(knowledge_base: KnowledgeBase) -> None:
    description = Description("olu", Visibility.PUBLIC, [], None)

    with pytest.raises(UnknownDocumentError), knowledge_base.database.write() as session:
        life.describe_document(session, "nothing", description, OWNER)


def test_a_document_that_moved_is_known_by_its_new_name_only(
    knowledge_base: KnowledgeBase,
) -> None:
    first = knowledge_base.put("a.md", ACID)
    with knowledge_base.database.write() as session:
        document = session.get_one(Document, first.document_id)
        life.move_document(session, document, "b.md", OWNER)

    changed = knowledge_base.put("b.md", VINEGAR)
    new = knowledge_base.put("a.md", "The grinder is loud.")

    assert changed.document_id == first.document_id
    assert new.document_id not in {first.document_id, None}
    assert knowledge_base.found("grinder loud", 1) == ["a.md"]
    assert knowledge_base.actions() == [
        "document:publish",
        "document:move",
        "document:publish",
        "document:publish",
    ]


def test_documents_past_their_review_date_are_listed_the_longest_overdue_first(
    knowledge_base: KnowledgeBase,
) -> None:
    today = now().date()
    days = {"late.md": 9, "later.md": 90, "today.md": 0, "ahead.md": -1, "gone.md": 30}
    for name, overdue in days.items():
        knowledge_base.put(name, f"# {name}\n\nAbout {name}.")
        describe(knowledge_base, name, review_by=today - timedelta(days=overdue))
    knowledge_base.put("never.md", "Nobody said when.")
    knowledge_base.withdraw("gone.md")

    with knowledge_base.database.read() as session:
        entries = library.stale(session, today)

    assert [entry.document.source for entry in entries] == ["later.md", "late.md"]


def test_pages_that_nobody_could_read_are_remembered_and_restored(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    read: Callable[..., ParsedDocument] = pipeline.parse_file  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(
            pipeline,
            "parse_file",
            lambda *given, **options: replace(read(*given, **options), unread_pages=(2, 5)),
        )
        knowledge_base.put("a.md", ACID)
    knowledge_base.put("a.md", VINEGAR)

    assert version_of(knowledge_base, "a.md", 1).unread_pages == [2, 5]
    assert version_of(knowledge_base, "a.md", 2).unread_pages == []
    assert restore(knowledge_base, "a.md", 1).unread_pages == [2, 5]


EVENT = Event(
    at="2026-01-02T03:04:05+00:00",
    actor="olu",
    action="document:publish",
    subject="d1",
    detail={"version": 1},
    previous_hash="0" * 64,
    hash="",
)
FIRST_ROWS = [
    "INSERT INTO documents (id, source, title, owner, visibility, labels, created_at) VALUES"
    " ('d1', 'a.pdf', 'Pumps', 'olu', 'internal', '[\"x\"]', :at)",
    "INSERT INTO versions (id, document_id, number, sha256, status, visibility, labels, title,"
    " file_name, media_type, parser, language, text, passages, created_at) VALUES"
    " ('d1.1', 'd1', 1, 'f1', 'superseded', 'internal', '[]', 'Pumps', 'a.pdf',"
    " 'application/pdf', 'pdf', 'en', 'The zebra pump.', 1, :at),"
    " ('d1.2', 'd1', 2, 'f2', 'current', 'internal', '[]', 'Pumps', 'a.pdf',"
    " 'application/pdf', 'pdf', 'en', 'The otter pump.', 1, :at)",
    'INSERT INTO pages (version_id, number, start, "end") VALUES'
    " ('d1.1', 1, 0, 15), ('d1.2', 1, 0, 15)",
    'INSERT INTO passages (id, version_id, ordinal, heading_path, text, start, "end",'
    " first_page, last_page, content_hash) VALUES"
    " ('p1', 'd1.1', 1, '[]', 'The zebra pump.', 0, 15, 1, 1, 'c1'),"
    " ('p2', 'd1.2', 1, '[]', 'The otter pump.', 0, 15, 1, 1, 'c2')",
    "INSERT INTO index_operations (passage_id, visibility, adds) VALUES"
    " ('p1', 'internal', true), ('p1', 'internal', false), ('p2', 'internal', true)",
    "INSERT INTO jobs (source, sha256, file_name, actor, details, attempts, id, state, stage,"
    " progress_done, progress_total, outcome, error_fields, passages, created_at) VALUES"
    " ('a.pdf', 'f2', 'a.pdf', 'olu', '{}', 1, 'j1', 'done', 'done', 0, 0, 'indexed', '{}', 1,"
    " :at), ('b.md', 'f3', 'b.md', 'olu', '{}', 0, 'j2', 'queued', 'waiting', 0, 0, NULL, '{}',"
    " 0, :at)",
]


def empty_url(request: pytest.FixtureRequest, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite+pysqlite:///{request.getfixturevalue('tmp_path')}/first.sqlite3"
        return
    server: Engine = request.getfixturevalue("postgresql")
    name = "first_tables"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def first_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a database with the first tables and rows as they were then."""
    for url in empty_url(request, request.param):
        engine = create_engine(url)
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", "app:migrations")
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        with engine.begin() as connection:
            for statement in FIRST_ROWS:
                connection.execute(text(statement), {"at": now().replace(tzinfo=None)})
            connection.execute(
                text(
                    "INSERT INTO events (at, actor, action, subject, detail, previous_hash, hash)"
                    " VALUES (:at, 'olu', 'document:publish', 'd1', '{\"version\": 1}', :zero,"
                    " :hash)"
                ),
                {"at": EVENT.at, "zero": EVENT.previous_hash, "hash": seal(EVENT)},
            )
            for key, sentence in {"c1": "The zebra pump.", "c2": "The otter pump."}.items():
                connection.execute(
                    text("INSERT INTO embeddings VALUES (:key, 'hashed-words', :vector)"),
                    {"key": key, "vector": HashEmbedder().encode(sentence).tobytes()},
                )
        engine.dispose()
        yield url


def test_a_home_of_the_first_tables_goes_on_with_the_newest(
    first_url: str, tmp_path: Path, weights: Weights, embedder: HashEmbedder
) -> None:
    database = Database(first_url)
    schema.upgrade(database, FileLock(tmp_path / "schema.lock"))
    index = ServedIndex(database, ExactIndex(), embedder.fingerprint)
    files = FileStore(tmp_path / "files")
    files_put = files.path("f3")
    files_put.parent.mkdir(parents=True)
    files_put.write_text("The heron pump.")
    base = KnowledgeBase(Ingestion(database, files, embedder, index, weights), embedder)

    assert base.found("otter pump", 1) == ["a.pdf"]
    with database.read() as session:
        entry = library.entry(session, "d1")
        assert (entry.version.unread_pages, entry.version.restored_from) == ([], None)
        assert (entry.document.folder, entry.document.review_by) == (None, None)
        assert library.words(session, "d1.2", 1) == ()
    with database.write() as session:
        restored = life.restore_version(session, "d1", 1, OWNER)
    base.work()

    assert (restored.id, restored.text) == ("d1.3", "The zebra pump.")
    assert base.found("zebra pump", 1) == ["a.pdf"]
    assert base.job("j2").outcome == Outcome.INDEXED
    assert sorted(base.found("pump", 5)) == ["a.pdf", "b.md"]
    assert base.actions() == ["document:publish", "document:restore", "document:publish"]
    assert is_chain_whole(base)
    database.close()
