"""Another document with another figure is shown beside the reply, and its owners learn of it."""

from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from ingest.access import Scope
from ingest.comparison import compare
from ingest.findings import open_findings, settle
from ingest.life import withdraw_document
from ingest.tables import Finding
from rag.cite import cite
from rag.conflicts import Conflict, conflicting, report
from rag.editions import are_editions
from rag.retrieve import Hit
from tests.rag.desk import TestDesk

SCOPE = Scope.of_staff(frozenset())
OLD = "# Warranty terms, version 1\n\nThe warranty of the Aria 500 lasts 24 months from purchase.\n"
NEW = "# Warranty terms, version 2\n\nThe warranty of the Aria 500 lasts 36 months from purchase.\n"
OTHER = "# Water filter\n\nThe filter cartridge CF-2 lasts 3 months or 50 litres.\n"
CLAIM = "The warranty of the Aria 500 lasts 36 months from purchase [1]."


@pytest.fixture
def desk(home: Path) -> TestDesk:
    desk = TestDesk(home)
    for number, text in enumerate((OLD, NEW, OTHER)):
        desk.publish(f"terms-{number}", text)
    return desk


def hits_of(desk: TestDesk) -> list[Hit]:
    return desk.retriever.search("How long is the warranty of the Aria 500?", 10, SCOPE)


def found(desk: TestDesk, claim: str = CLAIM, *, reported: bool = False) -> list[Conflict]:
    hits = hits_of(desk)
    cited = [hit for hit in hits if "version 2" in hit.version.title]
    with desk.database.write() as session:
        model = desk.query_encoder.fingerprint
        conflicts = conflicting(session, model, cite(claim, cited), hits)
        if reported:
            report(session, conflicts)
    return conflicts


def test_a_cited_figure_that_another_document_contradicts_is_told_with_both_places(
    desk: TestDesk,
) -> None:
    [conflict] = found(desk)

    assert [side.hit.version.title for side in conflict.sides] == [
        "Warranty terms, version 2",
        "Warranty terms, version 1",
    ]
    assert [side.text for side in conflict.sides] == [
        "The warranty of the Aria 500 lasts 36 months from purchase.",
        "The warranty of the Aria 500 lasts 24 months from purchase.",
    ]
    for side, text in zip(conflict.sides, (NEW, OLD), strict=True):
        assert text.lstrip("# ")[side.start : side.end] == side.text


def test_a_claim_that_cites_another_sentence_is_in_no_conflict(desk: TestDesk) -> None:
    assert found(desk, "We are glad to help you with your machine.") == []


def test_a_document_that_is_withdrawn_contradicts_nobody(desk: TestDesk) -> None:
    hits = hits_of(desk)
    with desk.database.write() as session:
        old = next(hit for hit in hits if "version 1" in hit.version.title)
        withdraw_document(session, old.document.id, "tests")

    assert found(desk) == []


def test_the_owners_get_it_on_their_list_once(desk: TestDesk) -> None:
    compare(desk.database, desk.weights.fingerprint)
    with desk.database.write() as session:
        session.execute(delete(Finding))

    found(desk, reported=True)
    found(desk, reported=True)

    with desk.database.read() as session:
        [finding] = open_findings(session, SCOPE)
    assert {finding.first.text, finding.other.text} == {
        "The warranty of the Aria 500 lasts 36 months from purchase.",
        "The warranty of the Aria 500 lasts 24 months from purchase.",
    }


def test_what_the_comparison_found_or_will_find_is_not_reported_again(desk: TestDesk) -> None:
    found(desk, reported=True)
    compare(desk.database, desk.weights.fingerprint)
    found(desk, reported=True)

    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Finding)) == 1


def test_what_an_owner_has_settled_is_no_conflict_any_more(desk: TestDesk) -> None:
    compare(desk.database, desk.weights.fingerprint)
    with desk.database.write() as session:
        [finding] = open_findings(session, SCOPE)
        settle(session, finding.id, "olu@example.com")

    assert found(desk) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            "Terms - Version 2, valid from 1 April 2026",
            "Terms - Version 1, from January 2024",
            False,
        ),
        ("Terms - Version 2, from 1 April 2026", "Terms - Version 1, from January 2024", True),
        ("Price list 2025", "Price list 2026", True),
        ("Price list 2026", "Price list 2026", False),
        ("Aria 500", "Terms", False),
        ("2025", "2026", False),
    ],
)
def test_editions_have_the_same_title_but_for_numbers_and_dates(
    one: str, other: str, *, expected: bool
) -> None:
    assert are_editions(one, other) == expected


def test_editions_contradict_each_other_where_they_say_it_of_other_machines(home: Path) -> None:
    desk = TestDesk(home)
    old = "The manufacturer's warranty is 24 months from purchase, whatever the model."
    new = "The manufacturer's warranty for the Aria 500 and Aria 700 is 36 months from delivery."
    desk.publish("v1", f"# Warranty terms, version 1\n\n{old}\n")
    desk.publish("v2", f"# Warranty terms, version 2\n\n{new}\n")
    desk.publish("goodwill", f"# Goodwill\n\n{old.replace('24', '48')}\n")

    [conflict] = found(desk, f"{new[:-1]} [1].")

    assert [side.text for side in conflict.sides] == [new, old]
    one, other = conflict.sides
    assert (one.figure(other), other.figure(one)) == ("36 months", "24 months")
