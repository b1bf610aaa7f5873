"""Memory: owners see where the votes go, switch learning off, and go back to what served."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.errors import ChangedMeanwhileError, InvalidInputError, NotFoundError
from app.roles import Role
from app.workflow import documents, memory
from app.workflow.memory import Tally, Voted
from ingest.db import now
from ingest.tables import Visibility
from rag.tables import CaseOrigin, CaseState, HeadState, TicketStatus
from tests.app.memories import LONG_AGO, Memory


def test_a_desk_without_cases_learns_and_has_nothing_to_show(known: Memory) -> None:
    view = known.overview()

    assert (view.learns, view.tallies, view.serving) == (True, [], None)
    assert (view.exposure.votes, view.exposure.top) == (0, [])
    assert known.find() == []


def test_cases_are_counted_by_origin_and_by_whether_they_vote(known: Memory) -> None:
    week = timedelta(days=7)
    known.add_case("old")
    known.add_case("just old enough", age=week)
    known.add_case("just too new", age=week - timedelta(minutes=1))
    known.add_case("opened again", status=TicketStatus.OPEN)
    known.add_case("off", state=CaseState.OFF)
    known.add_case("off and new", state=CaseState.OFF, age=timedelta())
    known.add_case("removed", state=CaseState.REMOVED)
    known.add_case("ours", origin=CaseOrigin.APPROVED)

    assert known.overview().tallies == [
        Tally(CaseOrigin.APPROVED, voting=1, waiting=0, off=0, removed=0),
        Tally(CaseOrigin.IMPORTED, voting=2, waiting=2, off=2, removed=1),
    ]


def test_the_ten_most_voted_documents_are_named_with_their_share_of_all_votes(
    known: Memory,
) -> None:
    ids = [known.desk.publish(f"guide-{number}", f"Guide {number}.") for number in range(11)]
    for number, document in enumerate(ids):
        for vote in range(12 - number):
            known.add_case(f"T-{number}-{vote}", document)
    known.add_case("silent", *ids, state=CaseState.OFF)
    known.add_case("young", *ids, age=timedelta(days=1))

    exposure = known.overview().exposure

    assert exposure.top[0] == Voted(ids[0], "Guide 0", 12)
    assert [voted.votes for voted in exposure.top] == list(range(12, 2, -1))
    assert (exposure.top_votes, exposure.votes) == (75, 77)


def test_a_withdrawn_document_takes_no_votes(known: Memory) -> None:
    known.add_case("T-9", known.desk.document)
    documents.withdraw(known.desk.services, known.owner, known.desk.document)

    assert known.overview().exposure.votes == 0


def test_a_document_that_one_may_not_see_is_counted_and_never_named(known: Memory) -> None:
    secret = known.desk.publish("secret", "Code 4711.", Visibility.RESTRICTED, "engineers")
    known.add_case("T-9", known.desk.document, secret)
    chief = known.desk.add_person("chief", Role.OWNER, "engineers")

    mine, theirs = known.overview().exposure, known.overview(chief).exposure

    assert (mine.hidden, mine.hidden_votes, mine.votes) == (1, 1, 2)
    assert secret not in {voted.document_id for voted in mine.top}
    assert secret in {voted.document_id for voted in theirs.top}
    assert "Code 4711" not in {solution.title for solution in known.row("T-9").solutions}
    assert (known.row("T-9").hidden, known.row("T-9", chief).hidden) == (1, 0)


def test_learning_is_switched_off_for_the_desk_and_on_again(known: Memory) -> None:
    services = known.desk.services

    memory.switch_learning(services, known.owner, on=False)
    memory.switch_learning(services, known.owner, on=False)
    assert not known.overview().learns

    memory.switch_learning(services, known.owner, on=True)
    assert known.overview().learns
    assert known.events() == [
        ("desk:learn", "1", {"on": False}),
        ("desk:learn", "1", {"on": True}),
    ]


def test_what_was_learnt_is_listed_newest_first_with_its_card(known: Memory) -> None:
    monday = now() - LONG_AGO
    known.add_head("first", HeadState.RETIRED, created_at=monday)
    known.add_head("refused", HeadState.REFUSED, created_at=monday + timedelta(days=2))
    known.add_head("second", HeadState.SERVING, created_at=monday + timedelta(days=1))
    known.add_head("foreign", HeadState.RETIRED, created_at=monday, encoder="another")
    earlier = monday - timedelta(days=1)
    known.add_head("foreign too", HeadState.SERVING, created_at=earlier, encoder="another")

    rows = memory.heads(known.desk.services, known.owner)

    assert [row.id for row in rows] == ["refused", "second", "first", "foreign", "foreign too"]
    assert [row.id for row in rows if row.can_return] == ["first"]
    serving = known.overview().serving
    assert serving is not None
    assert (serving.id, serving.card) == ("second", {"cases": 12})


def test_a_retired_head_serves_again_and_the_serving_one_retires(known: Memory) -> None:
    known.add_head("old", HeadState.RETIRED)
    known.add_head("new", HeadState.SERVING)
    before = {row.id: row.changed_at for row in memory.heads(known.desk.services, known.owner)}

    known.roll_back("old", "new")

    rows = {row.id: row for row in memory.heads(known.desk.services, known.owner)}
    assert known.states() == {"old": HeadState.SERVING, "new": HeadState.RETIRED}
    assert all(rows[name].changed_at > moment for name, moment in before.items())
    assert known.events() == [("head:restore", "old", {"instead_of": "new"})]
    known.roll_back("new", "old")
    assert known.states() == {"old": HeadState.RETIRED, "new": HeadState.SERVING}


def test_a_head_serves_again_where_none_does_and_where_two_did_one_is_left(known: Memory) -> None:
    known.add_head("old", HeadState.RETIRED)
    known.roll_back("old", None)
    assert known.states() == {"old": HeadState.SERVING}

    known.add_head("oldest", HeadState.RETIRED)
    known.add_head("second", HeadState.SERVING)
    known.roll_back("oldest", "second")
    assert [name for name, state in known.states().items() if state == "serving"] == ["oldest"]


@pytest.mark.parametrize(
    ("head_id", "serving_id", "error"),
    [
        ("refused", "new", InvalidInputError),
        ("foreign", "new", InvalidInputError),
        ("none", "new", NotFoundError),
        ("old", "other", ChangedMeanwhileError),
        ("old", None, ChangedMeanwhileError),
    ],
)
def test_only_a_head_that_fits_serves_again_and_in_place_of_the_one_seen(
    known: Memory, head_id: str, serving_id: str | None, error: type[Exception]
) -> None:
    known.add_head("old", HeadState.RETIRED)
    known.add_head("new", HeadState.SERVING)
    known.add_head("refused", HeadState.REFUSED)
    known.add_head("foreign", HeadState.RETIRED, encoder="another")
    before = known.states()

    with pytest.raises(error):
        known.roll_back(head_id, serving_id)

    assert known.states() == before
    assert known.events() == []


def test_of_owners_who_go_back_at_once_one_wins_and_one_head_serves(known: Memory) -> None:
    names = [f"old-{number}" for number in range(4)]
    known.add_head("new", HeadState.SERVING)
    for name in names:
        known.add_head(name, HeadState.RETIRED)
    together = threading.Barrier(len(names))

    def act(name: str) -> str:
        together.wait()
        try:
            known.roll_back(name, "new")
        except ChangedMeanwhileError:
            return "refused"
        return name

    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = list(pool.map(act, names))

    serving = [name for name, state in known.states().items() if state == HeadState.SERVING]
    assert sorted(outcomes) == [*serving, "refused", "refused", "refused"]
