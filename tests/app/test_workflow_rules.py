"""The rules of a desk: set by administrators, kept as they were seen, refused in a sentence."""

from typing import Any

import pytest
from sqlalchemy import select, update

from app.components.topics_form import verdict
from app.components.voice_form import glossary, lines
from app.desk import desk_house
from app.errors import ChangedMeanwhileError, InvalidInputError
from app.roles import Role
from app.tables import Desk as DeskRow
from app.workflow import rules
from ingest.events import broken_links
from ingest.tables import Event
from rag.house import House
from rag.topics import Topic
from rag.voice import Manner, Voice
from tests.app.people import Desk

VOICE = Voice(
    tone="Warm and brief.",
    max_words=120,
    languages={"de": Manner(greeting="Guten Tag {name},", sign_off="Viele Grüße\nIhr Team")},
    banned=("no problem",),
    glossary={"Handy": "Mobiltelefon"},
    examples=("Der Tank ist voll.",),
)
LAW = Topic(name="Law", words=("lawyer*", "court"), hand_over="Pass it to Clara.")
PRESS = Topic(name="Press", words=("newspaper",))


@pytest.fixture
def admin(desk: Desk) -> str:
    return desk.people[Role.ADMIN]


def _events(desk: Desk) -> list[tuple[str, str, dict[str, Any]]]:
    with desk.services.database.read() as session:
        assert list(broken_links(session)) == []
        rows = session.scalars(select(Event).order_by(Event.id))
        return [
            (row.actor, row.action, row.detail) for row in rows if row.action.startswith("desk:")
        ]


def test_a_desk_that_has_set_nothing_has_no_rules(desk: Desk, admin: str) -> None:
    assert rules.read(desk.services, admin) == House(Voice())


def test_a_desk_without_a_row_of_its_own_has_no_rules(desk: Desk) -> None:
    with desk.services.database.write() as session:
        for row in session.scalars(select(DeskRow)):
            session.delete(row)
        session.flush()

        assert desk_house(session) == House(Voice())


def test_what_is_set_is_read_again_as_it_was(desk: Desk, admin: str) -> None:
    rules.save_voice(desk.services, admin, VOICE)
    rules.save_topics(desk.services, admin, [LAW, PRESS])
    rules.save_regions(desk.services, admin, ["yours", "eu", "eu"])

    assert rules.read(desk.services, admin) == House(
        VOICE, (LAW, PRESS), frozenset({"eu", "yours"})
    )


def test_a_rule_is_taken_back(desk: Desk, admin: str) -> None:
    rules.save_voice(desk.services, admin, VOICE)
    rules.save_topics(desk.services, admin, [LAW])
    rules.save_regions(desk.services, admin, ["eu"])

    rules.save_voice(desk.services, admin, Voice())
    rules.save_topics(desk.services, admin, [])
    rules.save_regions(desk.services, admin, None)

    assert rules.read(desk.services, admin) == House(Voice())


def test_no_region_at_all_is_not_the_same_as_none_named(desk: Desk, admin: str) -> None:
    rules.save_regions(desk.services, admin, [])

    assert rules.read(desk.services, admin).regions == frozenset()


def test_the_record_tells_who_changed_how_much_and_no_word_of_it(desk: Desk, admin: str) -> None:
    rules.save_voice(desk.services, admin, VOICE)
    rules.save_topics(desk.services, admin, [LAW, PRESS])
    rules.save_regions(desk.services, admin, ["eu", "us"])
    rules.save_regions(desk.services, admin, None)

    who = "admin@example.com"
    counts = {"languages": 1, "banned": 1, "glossary": 1, "examples": 1}
    assert _events(desk) == [
        (who, "desk:voice", counts),
        (who, "desk:topics", {"topics": 2, "words": 3}),
        (who, "desk:regions", {"regions": 2}),
        (who, "desk:regions", {"regions": None}),
    ]


def test_saving_what_stands_already_is_no_event(desk: Desk, admin: str) -> None:
    for _ in range(2):
        rules.save_voice(desk.services, admin, VOICE, seen=Voice())
        rules.save_topics(desk.services, admin, [LAW], seen=[])
        rules.save_regions(desk.services, admin, ["eu"])

    assert len(_events(desk)) == 3


def test_what_somebody_else_has_set_meanwhile_is_not_overwritten(desk: Desk, admin: str) -> None:
    rules.save_voice(desk.services, admin, VOICE, seen=Voice())
    rules.save_topics(desk.services, admin, [LAW], seen=[])

    with pytest.raises(ChangedMeanwhileError):
        rules.save_voice(desk.services, admin, Voice(tone="Cold."), seen=Voice())
    with pytest.raises(ChangedMeanwhileError):
        rules.save_topics(desk.services, admin, [PRESS], seen=[])

    assert rules.read(desk.services, admin) == House(VOICE, (LAW,))
    rules.save_voice(desk.services, admin, Voice(tone="Cold."), seen=VOICE)
    assert rules.read(desk.services, admin).voice.tone == "Cold."


def test_a_column_that_an_older_desk_left_empty_is_no_rule(desk: Desk, admin: str) -> None:
    rules.save_voice(desk.services, admin, VOICE)
    with desk.services.database.write() as session:
        session.execute(update(DeskRow).values(voice={}, topics=[], regions=None))

    assert rules.read(desk.services, admin) == House(Voice())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tone": "x" * 501}, "The tone cannot be used: it is longer than 500 characters."),
        ({"max_words": 3}, "The longest reply cannot be used: it is below 20."),
        ({"max_words": 2000}, "The longest reply cannot be used: it is above 1000."),
        ({"max_words": 99.5}, "The longest reply cannot be used: it is no whole number."),
        (
            {"banned": ["a", "x" * 81]},
            "A phrase never to be written cannot be used: it is longer than 80 characters.",
        ),
        ({"examples": ["x"] * 6}, "A model reply cannot be used: there are more than 5."),
        ({"glossary": {"a": ""}}, "A word of the house cannot be used: it is empty."),
        (
            {"languages": {"de": {"greeting": "Guten Tag {Name},"}}},
            "The greeting in German cannot be used: curly brackets stand only in {name}, once,"
            " and in a greeting.",
        ),
        ({"languages": {"German": {}}}, "A language cannot be used: it is not known."),
        (
            {"banned": ["team"], "languages": {"de": {"sign_off": "Ihr Team"}}},
            "This cannot be used: “Team” is not to be written, yet stands in your own text"
            " “Ihr Team”.",
        ),
    ],
)
def test_a_voice_that_cannot_be_meant_is_refused_in_a_sentence(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        rules.voice_of(given)

    assert raised.value.describe() == (message, "Change it and try again.")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": " ", "words": ["a"]},
            "The name of a topic (topic 2) cannot be used: it is empty.",
        ),
        (
            {"name": "A", "words": []},
            "A word that tells a topic (topic 2) cannot be used: there is none.",
        ),
        (
            {"name": "A", "words": ["a*"]},
            "A word that tells a topic (topic 2) cannot be used: “a*” needs 3 characters before"
            " the star.",
        ),
        (
            {"name": "A", "words": ["a"], "hand_over": "x" * 501},
            "What the agent is to do (topic 2) cannot be used: it is longer than 500 characters.",
        ),
    ],
)
def test_a_topic_that_cannot_be_told_is_refused_in_a_sentence(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        rules.topics_of([LAW.model_dump(), given])

    assert raised.value.describe()[0] == message


def test_two_topics_of_one_name_and_too_many_are_refused(desk: Desk, admin: str) -> None:
    twin = Topic(name="LAW", words=("judge",))
    many = [Topic(name=str(number), words=("word",)) for number in range(51)]

    for wanted, why in (([LAW, twin], "two topics have this name"), (many, "more than 50")):
        with pytest.raises(InvalidInputError, match=why):
            rules.save_topics(desk.services, admin, wanted)
    assert rules.read(desk.services, admin).topics == ()


@pytest.mark.parametrize("region", ["local", "unknown", "EU", ""])
def test_an_unknown_region_is_refused(desk: Desk, admin: str, region: str) -> None:
    with pytest.raises(InvalidInputError, match="none of eu, us, yours"):
        rules.save_regions(desk.services, admin, ["eu", region])

    assert rules.read(desk.services, admin).regions is None


def test_lists_are_read_line_by_line_each_line_once() -> None:
    assert lines(" no problem \n\n unfortunately\nno problem\n") == ["no problem", "unfortunately"]
    assert glossary("Handy = Mobiltelefon\n\na=b = c") == {"Handy": "Mobiltelefon", "a": "b = c"}


@pytest.mark.parametrize("line", ["Handy", "Handy =", "= Mobiltelefon", "="])
def test_a_line_without_both_words_is_refused_and_named(line: str) -> None:
    with pytest.raises(InvalidInputError, match=f"The line “{line}” cannot be used"):
        glossary(f"a = b\n{line}")


def test_a_text_that_is_tried_is_told_what_would_become_of_it() -> None:
    left, drafted = verdict("My lawyers.", [PRESS, LAW]), verdict("Hello.", [PRESS, LAW])

    assert isinstance(left, dict)
    assert isinstance(drafted, dict)
    assert left["children"][0] == "Left to people as “Law”."
    assert left["children"][-1]["children"] == ["Pass it to Clara."]
    assert drafted["children"] == ["None of the topics: a reply would be drafted."]
