"""Cases: owners find the solved tickets that have a say, and change which have one."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.errors import ChangedMeanwhileError, InvalidInputError, NotFoundError
from app.roles import Role
from app.workflow import cases, documents
from app.workflow.cases import Kind, Standing
from ingest.tables import Visibility
from rag.tables import CaseState
from tests.app.memories import Memory
from tests.app.people import SOURCE


def test_cases_come_newest_first_twenty_a_page(known: Memory) -> None:
    for number in range(45):
        known.add_case(f"T-{number:02}", age=timedelta(days=number + 10))
    names = [f"T-{number:02}" for number in range(45)]
    pages = {1: names[:20], 2: names[20:40], 3: names[40:]}

    found = cases.find(known.desk.services, known.owner, "", 2)

    assert (found.total, found.pages) == (45, 3)
    assert {page: known.find(page=page) for page in pages} == pages
    # Of what an address or an old page may ask for, the nearest page is shown.
    assert known.find(page=-5) == names[:20]
    assert known.find(page=10**30) == names[40:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("pump", ["P-2", "P-1"]),
        ("  LOUD pump ", ["P-1"]),
        ("100%", ["P-3"]),
        ("_", []),
        ("%", ["P-3"]),
        ("'; DROP TABLE cases; --", []),
        ("\0pump\ud800", []),
        ("x" * 100_000, []),
        ("", ["P-3", "P-2", "P-1"]),
    ],
)
def test_cases_are_found_by_all_words_of_their_subject(
    known: Memory, query: str, expected: Sequence[str]
) -> None:
    subjects = ("The pump is loud", "Pump leaks", "Descaled 100% and still slow")
    for number, subject in enumerate(subjects, start=1):
        known.add_case(f"P-{number}", subject=subject, age=timedelta(days=10 - number))

    assert known.find(query) == expected


def test_a_subject_of_any_length_is_shown_by_its_beginning(known: Memory) -> None:
    known.add_case("T-9", subject="ä" * 100_000)

    assert known.row("T-9").subject == "ä" * cases.SUBJECT_CHARACTERS


def test_a_case_tells_whether_the_passage_that_solved_it_is_still_there(known: Memory) -> None:
    document = known.desk.document
    known.add_case("same", known.passage_of(document))
    known.add_case("unseen", document)
    known.add_case("gone", f"{document} {'f' * 64}")
    assert known.standing("same") == [Standing.SAME]
    assert known.standing("unseen") == [Standing.UNSEEN]
    assert known.standing("gone") == [Standing.CHANGED]
    assert known.find(kind=Kind.CHANGED) == ["gone"]

    known.desk.publish("errors", f"All new. {SOURCE.replace('10', '20')}")
    assert known.standing("same") == [Standing.CHANGED]
    assert known.standing("unseen") == [Standing.UNSEEN]

    documents.withdraw(known.desk.services, known.owner, document)
    assert known.standing("same") == known.standing("unseen") == [Standing.WITHDRAWN]
    assert set(known.find(kind=Kind.CHANGED)) == {"same", "unseen", "gone"}


def test_a_change_of_a_document_that_one_may_not_see_is_no_news(known: Memory) -> None:
    secret = known.desk.publish("secret", "Code 4711.", Visibility.RESTRICTED, "engineers")
    known.add_case("T-9", f"{secret} {'f' * 64}")
    chief = known.desk.add_person("chief", Role.OWNER, "engineers")

    found = cases.find(known.desk.services, chief, "", 1, kind=Kind.CHANGED)

    assert found.total == 1
    assert known.find(kind=Kind.CHANGED) == []


def test_a_case_is_switched_off_and_on_and_searches_notice(known: Memory) -> None:
    known.add_case("T-9", known.desk.document)
    before = known.case("T-9").changed_at

    known.switch("T-9", CaseState.OFF)
    off = known.case("T-9")
    known.switch("T-9", CaseState.ACTIVE)
    on = known.case("T-9")

    assert (off.state, on.state) == (CaseState.OFF, CaseState.ACTIVE)
    assert before < off.changed_at < on.changed_at
    assert known.events() == [
        ("case:switch", "T-9", {"from": "active", "to": "off"}),
        ("case:switch", "T-9", {"from": "off", "to": "active"}),
    ]


def test_a_removed_case_keeps_its_row_and_can_be_brought_back(known: Memory) -> None:
    known.add_case("T-9", known.desk.document)

    cases.remove(known.desk.services, known.owner, "T-9", seen=CaseState.ACTIVE)

    assert known.case("T-9").state == CaseState.REMOVED
    assert (known.find(), known.find(kind=Kind.REMOVED)) == ([], ["T-9"])
    assert known.overview().exposure.votes == 0
    known.switch("T-9", CaseState.ACTIVE)
    assert known.find() == ["T-9"]


def test_what_two_people_want_alike_is_done_once(known: Memory) -> None:
    known.add_case("T-9")

    known.switch("T-9", CaseState.OFF, CaseState.ACTIVE)
    known.switch("T-9", CaseState.OFF, CaseState.ACTIVE)

    assert len(known.events()) == 1


def test_a_case_that_somebody_removed_is_not_switched_by_who_saw_it_before(known: Memory) -> None:
    known.add_case("T-9")
    cases.remove(known.desk.services, known.owner, "T-9", seen=CaseState.ACTIVE)

    with pytest.raises(ChangedMeanwhileError, match="changed by somebody else"):
        known.switch("T-9", CaseState.OFF, CaseState.ACTIVE)

    assert known.case("T-9").state == CaseState.REMOVED


def test_of_owners_who_change_a_case_at_once_one_wins(known: Memory) -> None:
    known.add_case("T-9")
    states = [CaseState.OFF, CaseState.REMOVED] * 3
    together = threading.Barrier(len(states))

    def act(state: CaseState) -> str:
        together.wait()
        try:
            known.switch("T-9", state, CaseState.ACTIVE)
        except ChangedMeanwhileError:
            return "refused"
        return state

    with ThreadPoolExecutor(len(states)) as pool:
        outcomes = list(pool.map(act, states))

    assert sorted(outcomes) == sorted([known.case("T-9").state] * 3 + ["refused"] * 3)
    assert len(known.events()) == 1


def test_a_document_that_is_still_right_is_looked_at_again(known: Memory) -> None:
    known.add_case("T-9", f"{known.desk.document} {'f' * 64}")
    before = known.case("T-9").changed_at

    for _ in range(2):
        cases.recheck(known.desk.services, known.owner, "T-9", known.desk.document)

    assert known.standing("T-9") == [Standing.UNSEEN]
    assert known.case("T-9").changed_at > before
    assert known.events() == [("case:recheck", "T-9", {"document": known.desk.document})]


def test_what_is_not_there_not_visible_or_not_in_use_is_not_looked_at_again(
    known: Memory,
) -> None:
    secret = known.desk.publish("secret", "Code 4711.", Visibility.RESTRICTED, "engineers")
    known.add_case("T-9", f"{known.desk.document} {'f' * 64}", f"{secret} {'f' * 64}")
    documents.withdraw(known.desk.services, known.owner, known.desk.document)

    def message(ticket_id: str, document_id: str) -> str:
        with pytest.raises((NotFoundError, InvalidInputError)) as raised:
            cases.recheck(known.desk.services, known.owner, ticket_id, document_id)
        return str(raised.value)

    assert "no such solved ticket" in message("none", known.desk.document)
    assert message("T-9", secret) == message("T-9", "none")
    assert "restore it first" in message("T-9", known.desk.document)
    assert known.events() == []
