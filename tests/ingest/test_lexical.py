from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, inspect, text, update
from sqlalchemy.orm import Session

from ingest import lexical
from ingest.db import Database
from ingest.lexical.terms import BUDGET, COMMON, MAX_TERMS, folded, rarest, terms
from ingest.tables import Document, Passage, Version, VersionStatus, Visibility

EVERYTHING = frozenset(Visibility)
WORDS = ("printer", "jam", "toner", "café", "x-100")
HOSTILE = [
    '"',
    '"printer',
    'printer" OR "toner',
    "printer NEAR(toner, 2)",
    "printer AND NOT (toner",
    "text : printer",
    "-printer ^printer printer* + {text}: *",
    "printer\0toner",
    "printer 😀 \ud83d\ude00 \u202e",
    "printer & ! | <-> :* ( ) \\ '",
    "printer'; DROP TABLE documents; --",
    "printer {text toner} = :terms %s $1 ?",
]


@dataclass
class Shelf:
    """Documents in one session, each of which has at most one current version."""

    session: Session
    current: dict[str, str] = field(default_factory=dict)
    versions: int = 0

    def publish(
        self,
        name: str,
        *texts: str,
        title: str = "",
        headings: Iterable[str] = (),
        visibility: Visibility = Visibility.INTERNAL,
    ) -> None:
        if self.session.get(Document, name) is None:
            document = Document(
                id=name, source=name, title=title, owner="olu", visibility=visibility
            )
            self.session.add(document)
        self.withdraw(name)
        self.versions += 1
        version = f"{name}.{self.versions}"
        self.session.add(_version(version, name, self.versions, title))
        self.session.flush()
        for ordinal, words in enumerate(texts, start=1):
            self.session.add(_passage(version, ordinal, words, list(headings)))
        lexical.add(self.session, version)
        self.current[name] = version

    def withdraw(self, name: str) -> None:
        if (version := self.current.pop(name, None)) is not None:
            lexical.remove(self.session, version)
            withdrawn = update(Version).where(Version.id == version)
            self.session.execute(withdrawn.values(status=VersionStatus.WITHDRAWN))

    def move(self, name: str, visibility: Visibility) -> None:
        moved = update(Document).where(Document.id == name).values(visibility=visibility)
        self.session.execute(moved)

    def found(
        self, question: str, k: int = 100, visibilities: Iterable[Visibility] = EVERYTHING
    ) -> list[str]:
        """Return the documents of the passages found, best first."""
        hits = lexical.search(self.session, question, k, frozenset(visibilities))
        return [hit.passage_id.split(".")[0] for hit in hits]

    def scores(self, question: str) -> list[float]:
        return [hit.score for hit in lexical.search(self.session, question, 100, EVERYTHING)]


def _version(version: str, document: str, number: int, title: str) -> Version:
    return Version(
        id=version,
        document_id=document,
        number=number,
        sha256="0",
        status=VersionStatus.CURRENT,
        visibility=Visibility.INTERNAL,
        labels=[],
        title=title,
        file_name="t.md",
        media_type="text/markdown",
        parser="markdown",
        language="en",
        text="",
        passages=0,
    )


def _passage(version: str, ordinal: int, words: str, headings: list[str]) -> Passage:
    return Passage(
        id=f"{version}.{ordinal}",
        version_id=version,
        ordinal=ordinal,
        heading_path=headings,
        text=words,
        start=0,
        end=0,
        first_page=None,
        last_page=None,
        content_hash="0",
    )


def _create_where_absent(database: Database) -> None:
    if not inspect(database.engine).has_table("lexical_passages"):
        with database.engine.begin() as connection:
            lexical.create(connection)


@pytest.fixture
def shelf(database: Database) -> Iterator[Shelf]:
    """Return an empty shelf on each database in turn; nothing of it is committed."""
    _create_where_absent(database)
    with database.engine.connect() as connection, Session(connection) as session:
        yield Shelf(session)


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    _create_where_absent(database)
    yield database
    database.close()


@pytest.mark.parametrize("question", ["toner", "warranty", "maintenance", "Résumé", "über"])
def test_a_passage_is_found_by_its_text_its_title_and_its_headings(
    shelf: Shelf, question: str
) -> None:
    shelf.publish("a", "Replace the toner.", title="Warranty", headings=["Maintenance", "Résumé"])
    shelf.publish("b", "Nothing of the kind.", title="Über uns")

    expected = ["b"] if question == "über" else ["a"]

    assert shelf.found(question) == expected


@pytest.mark.parametrize("question", ["CAFE", "café", "cafe\u0301", "Cafés? No: café!"])
def test_neither_case_nor_accents_matter(shelf: Shelf, question: str) -> None:
    shelf.publish("composed", "The Café is closed.")
    shelf.publish("decomposed", "The cafe\u0301 is open.")

    assert sorted(shelf.found(question)) == ["composed", "decomposed"]


@pytest.mark.parametrize(
    "question",
    [
        "E17",
        "e17.",
        "X-100",
        "x-100",
        "100",
        "(0x80070005)",
        "max_retry_count",
        "retry",
        "MAX_RETRY",
        "v1.2.3",
        "prefs.js",
        "about:config",
    ],
)
def test_a_code_is_found_whole_and_in_parts(shelf: Shelf, question: str) -> None:
    shelf.publish(
        "codes",
        "Error E17 of the X-100 is 0x80070005: set max_retry_count in v1.2.3, see prefs.js"
        " or about:config.",
    )
    shelf.publish("other", "Error of the printer is unknown.")

    assert shelf.found(question) == ["codes"]


def test_a_code_as_it_is_written_comes_before_its_parts_elsewhere(shelf: Shelf) -> None:
    shelf.publish("parts", "Model 100 and model X are two.")
    shelf.publish("whole", "Model X-100 and model Y are two.")

    assert shelf.found("X-100") == ["whole", "parts"]


def test_a_rare_word_weighs_more_than_a_common_one(shelf: Shelf) -> None:
    for name in "abcde":
        shelf.publish(name, "printer manual")
    shelf.publish("rare", "toner manual")
    shelf.publish("none", "scanner")

    found = shelf.found("printer toner")

    assert found[0] == "rare"
    assert sorted(found) == ["a", "b", "c", "d", "e", "rare"]


def test_scores_are_positive_and_fall(shelf: Shelf) -> None:
    shelf.publish("a", "toner toner printer", "toner", "printer and a good many words beside it")
    shelf.publish("b", "scanner", "cable", "lamp", "glass", "paper")

    scores = shelf.scores("toner printer")

    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


def test_no_more_than_asked_for_are_found(shelf: Shelf) -> None:
    shelf.publish("a", *["toner"] * 10)

    assert len(shelf.found("toner", k=4)) == 4


def test_a_superseded_text_is_not_found_and_the_new_one_is(shelf: Shelf) -> None:
    shelf.publish("a", "toner")
    shelf.publish("a", "printer", "cable")

    assert shelf.found("toner") == []
    assert shelf.found("printer") == ["a"]


def test_a_version_added_twice_is_found_once_with_the_same_score(shelf: Shelf) -> None:
    shelf.publish("a", "toner")
    shelf.publish("b", "printer")
    before = shelf.scores("toner")

    lexical.add(shelf.session, shelf.current["a"])

    assert shelf.scores("toner") == before


def test_removing_what_is_not_there_changes_nothing(shelf: Shelf) -> None:
    shelf.publish("a", "toner")

    lexical.remove(shelf.session, "unknown.1")

    assert shelf.found("toner") == ["a"]


def test_better_passages_of_another_class_do_not_take_the_places(shelf: Shelf) -> None:
    shelf.publish("hidden", *["toner"] * 20, visibility=Visibility.RESTRICTED)
    shelf.publish("open", "toner among many other words", visibility=Visibility.PUBLIC)

    assert shelf.found("toner", 1, [Visibility.PUBLIC]) == ["open"]


def test_a_document_made_internal_is_not_found_by_the_public_from_then_on(shelf: Shelf) -> None:
    shelf.publish("a", "toner", visibility=Visibility.PUBLIC)
    before = shelf.found("toner", 5, [Visibility.PUBLIC])

    shelf.move("a", Visibility.INTERNAL)

    assert before == ["a"]
    assert shelf.found("toner", 5, [Visibility.PUBLIC]) == []
    assert shelf.found("toner", 5, [Visibility.INTERNAL]) == ["a"]


def test_what_is_rolled_back_was_never_searchable(database: Database) -> None:
    _create_where_absent(database)
    with database.read() as session:
        Shelf(session).publish("a", "toner")
        session.rollback()

        assert Shelf(session).found("toner") == []


def test_a_rebuild_finds_all_current_versions_and_no_others(shelf: Shelf) -> None:
    shelf.publish("a", "toner", "cable")
    shelf.publish("a", "printer")
    shelf.publish("b", "printer", "toner")
    shelf.publish("c", "toner")
    shelf.withdraw("c")
    lexical.remove(shelf.session, shelf.current["b"])

    lexical.rebuild(shelf.session)

    assert sorted(shelf.found("printer")) == ["a", "b"]
    assert shelf.found("toner") == ["b"]
    assert shelf.found("cable") == []


@pytest.mark.parametrize("question", HOSTILE)
def test_no_question_is_taken_for_a_command(shelf: Shelf, question: str) -> None:
    shelf.publish("a", "The printer is here.")
    shelf.publish("b", "Something else.")

    expected = ["a"] if "printer" in question else []

    assert shelf.found(question) == expected


@pytest.mark.parametrize("question", ["", " \n", "...", "😀", "-", "_", "nowhere", "\ud800"])
def test_a_question_without_a_known_word_finds_nothing(shelf: Shelf, question: str) -> None:
    shelf.publish("a", "The printer is here.")

    assert shelf.found(question) == []


@pytest.mark.parametrize(
    "filling",
    ["a" * 100_000, "a-" * 50_000, "a1_" * 30_000, '"' * 100_000, "é" * 100_000, "word " * 20_000],
)
def test_a_hundred_kilobytes_are_answered_by_their_beginning(shelf: Shelf, filling: str) -> None:
    shelf.publish("a", "The printer is here.")

    assert shelf.found(f"printer {filling}") == ["a"]


def test_a_passage_of_any_characters_is_taken_in(shelf: Shelf) -> None:
    shelf.publish("a", "z" * 5_000 + " 日本語 😀 toner \u202e\ufeff ' \" \\ :* & |")

    assert shelf.found("toner") == ["a"]
    assert shelf.found("日本語") == ["a"]


def test_dropping_takes_every_table_of_the_index(database: Database) -> None:
    _create_where_absent(database)
    before = set(inspect(database.engine).get_table_names())

    with database.engine.begin() as connection:
        lexical.drop(connection)
    after = set(inspect(database.engine).get_table_names())

    assert "lexical_passages" in before - after
    assert all(name.startswith(lexical.PREFIX) for name in before - after)
    assert not any(name.startswith(lexical.PREFIX) for name in after)


def test_vacuum_does_not_mix_up_the_passages(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        shelf = Shelf(session)
        for word in WORDS:
            shelf.publish(f"of {word}", word, "filler", "filler")
        shelf.withdraw("of printer")
        session.execute(delete(Passage).where(Passage.version_id.startswith("of printer")))

    with sqlite_database.engine.connect() as connection:
        connection.connection.dbapi_connection.execute("VACUUM")  # type: ignore[union-attr]

    with sqlite_database.read() as session:
        assert [Shelf(session).found(word) for word in WORDS] == [
            [],
            ["of jam"],
            ["of toner"],
            ["of café"],
            ["of x-100"],
        ]


def test_postgresql_finds_the_same_after_it_knows_the_frequent_words(
    postgresql_database: Database,
) -> None:
    _create_where_absent(postgresql_database)
    with postgresql_database.write() as session:
        shelf = Shelf(session)
        for number in range(60):
            shelf.publish(f"d{number}", "printer manual" if number else "printer toner")
        session.execute(text("ANALYZE lexical_passages"))

        found = shelf.found("printer toner")

    assert found[0] == "d0"
    assert len(found) == 60


def test_terms_are_the_distinct_words_after_the_codes() -> None:
    assert terms("The X-100, the printer: don't re-install 1.2.3!") == [
        "x-100",
        "1.2.3",
        "the",
        "x",
        "100",
        "printer",
        "don",
        "t",
        "re",
        "install",
        "1",
        "2",
        "3",
    ]


def test_the_rarest_terms_are_chosen_within_the_budget() -> None:
    half = BUDGET // 2
    counts = {"printer": half, "toner": half - 1, "jam": 2, "e17": 1, "typo": 0}

    assert rarest(counts) == {"e17": 1, "jam": 2, "toner": half - 1}


def test_a_question_of_common_words_only_looks_nothing_up() -> None:
    assert rarest({"the": COMMON + 1, "it": COMMON + 1}) == {}


def test_no_more_terms_are_chosen_than_are_looked_up() -> None:
    assert len(rarest({f"w{number}": 1 for number in range(100)})) == MAX_TERMS


def test_folding_leaves_words_between_single_spaces() -> None:
    assert folded("  Él\tCAFÉ—x_100 (日本) ") == "el cafe x 100 日本"


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), NAMES, TEXTS),
        st.tuples(st.just("withdraw"), NAMES, st.none()),
        st.tuples(st.just("move"), NAMES, st.sampled_from(Visibility)),
        st.tuples(st.just("rebuild"), NAMES, st.none()),
    ),
    max_size=12,
)
Step = tuple[str, str, list[str] | Visibility | None]


@dataclass
class Oracle:
    texts: dict[str, list[str]] = field(default_factory=dict)
    visibility: dict[str, Visibility] = field(default_factory=dict)

    def found(self, word: str, visibility: Visibility) -> list[str]:
        return sorted(
            name
            for name, texts in self.texts.items()
            for each in texts
            if word in each.split() and self.visibility[name] == visibility
        )


def _apply(shelf: Shelf, oracle: Oracle, step: Step) -> None:
    action, name, value = step
    if isinstance(value, list):
        shelf.publish(name, *value)
        oracle.texts[name] = value
        oracle.visibility.setdefault(name, Visibility.INTERNAL)
    elif isinstance(value, Visibility):
        shelf.move(name, value)
        if name in oracle.visibility:
            oracle.visibility[name] = value
    elif action == "withdraw":
        shelf.withdraw(name)
        oracle.texts.pop(name, None)
    else:
        lexical.rebuild(shelf.session)


def _check(database: Database, steps: list[Step]) -> None:
    with database.engine.connect() as connection, Session(connection) as session:
        shelf, oracle = Shelf(session), Oracle()
        for step in steps:
            _apply(shelf, oracle, step)
        for word in WORDS:
            for visibility in Visibility:
                assert sorted(shelf.found(word, 100, [visibility])) == oracle.found(
                    word, visibility
                )
        if database.dialect == "sqlite":
            check = "INSERT INTO lexical_terms (lexical_terms) VALUES ('integrity-check')"
            session.execute(text(check))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_after_any_changes_exactly_the_current_passages_are_found(
    sqlite_database: Database, steps: list[Step]
) -> None:
    _check(sqlite_database, steps)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_after_any_changes_postgresql_too_finds_exactly_the_current_passages(
    postgresql_database: Database, steps: list[Step]
) -> None:
    _create_where_absent(postgresql_database)

    _check(postgresql_database, steps)
