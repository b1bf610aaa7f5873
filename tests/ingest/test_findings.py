import threading

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from ingest import comparison, findings, likeness, store
from ingest.access import Scope
from ingest.findings import OpenFinding
from ingest.tables import Event, Finding, FindingKind, Version, VersionStatus
from tests.ingest.knowledge_base import KnowledgeBase

OWNER = "olu@example.com"
TERMS = """# Warranty terms

The warranty of each coffee machine lasts 24 months. It begins on the day of delivery. Keep the
invoice, because the service centre asks for it before a repair begins.
"""
GUIDE = TERMS.replace("lasts 24 months", "is 36 months").replace("terms", "guide")
GRINDER = "# Grinder\n\nTurn the knob to the left for a finer grind; that takes 10 seconds.\n"
LONG = """# How to descale

Fill the tank with a litre of fresh water and add the descaler from the bottle. Put a large bowl
under the spout before you begin, since the machine rinses its pipes twice. Start the programme in
the menu and wait until the lamp goes out. Empty the bowl and rinse the tank with clear water.
"""


def compare(knowledge_base: KnowledgeBase) -> int:
    return comparison.compare(knowledge_base.database, knowledge_base.embedder.fingerprint)


def found(knowledge_base: KnowledgeBase, scope: Scope | None = None) -> list[OpenFinding]:
    with knowledge_base.database.read() as session:
        return findings.open_findings(session, scope or Scope.everything())


def settle(knowledge_base: KnowledgeBase, finding: OpenFinding) -> None:
    with knowledge_base.database.write() as session:
        findings.settle(session, finding.id, OWNER)


def kinds(knowledge_base: KnowledgeBase) -> list[FindingKind]:
    return sorted(finding.kind for finding in found(knowledge_base))


def test_two_documents_that_disagree_on_a_number_are_found(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)

    compared = compare(knowledge_base)

    assert compared == 2
    [conflict] = [f for f in found(knowledge_base) if f.kind == FindingKind.NUMBER_CONFLICT]
    assert {(place.title, place.version, place.text) for place in conflict.places} == {
        ("Warranty terms", 1, "The warranty of each coffee machine lasts 24 months."),
        ("Warranty guide", 1, "The warranty of each coffee machine is 36 months."),
    }
    for place in conflict.places:
        source = "terms.md" if place.title == "Warranty terms" else "guide.md"
        assert knowledge_base.current_text(source)[place.start : place.end] == place.text


def test_two_documents_with_nearly_the_same_text_are_found(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("long.md", LONG)
    knowledge_base.put("longer.md", LONG + "\nDry the tank with a soft cloth.\n")

    compare(knowledge_base)

    [duplicate] = found(knowledge_base)
    assert duplicate.kind == FindingKind.NEAR_DUPLICATE
    assert duplicate.share is not None
    assert duplicate.share > 0.9
    assert duplicate.other.text.startswith("How to descale")


def test_a_row_that_agrees_in_one_column_may_disagree_in_another(
    knowledge_base: KnowledgeBase,
) -> None:
    table = "# Delivery\n\n| Country | Time | Price |\n|---|---|---|\n| Germany | 3 days | 5 € |\n"
    knowledge_base.put("old.md", table)
    knowledge_base.put("new.md", table.replace("5 €", "7 €"))

    compare(knowledge_base)

    conflicts = [f for f in found(knowledge_base) if f.kind == FindingKind.NUMBER_CONFLICT]
    assert [{place.text for place in conflict.places} for conflict in conflicts] == [
        {"Germany | 3 days | 5 €", "Germany | 3 days | 7 €"}
    ]


def test_a_figure_mentioned_in_passing_is_held_against_its_own_page(
    knowledge_base: KnowledgeBase,
) -> None:
    page = "# Water filters\n\nChange the CF-2 filter cartridge after 50 litres or 2 months.\n"
    passing = f"{LONG}\nChange the CF-2 filter cartridge every 3 months.\n\n{TERMS}"
    knowledge_base.put("filters.md", page)
    knowledge_base.put("cleaning.md", passing)

    compare(knowledge_base)

    [conflict] = found(knowledge_base)
    assert {place.text for place in conflict.places} == {
        "Change the CF-2 filter cartridge after 50 litres or 2 months.",
        "Change the CF-2 filter cartridge every 3 months.",
    }


def test_documents_on_different_things_have_no_findings(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("long.md", LONG)
    knowledge_base.put("grinder.md", GRINDER)
    knowledge_base.put("terms.md", TERMS)

    compare(knowledge_base)

    assert found(knowledge_base) == []


def test_manuals_of_two_products_may_differ(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("500.md", TERMS.replace("Warranty terms", "Warranty of the Aria 500"))
    knowledge_base.put("300.md", GUIDE.replace("Warranty guide", "Warranty of the Aria 300"))

    compare(knowledge_base)

    assert FindingKind.NUMBER_CONFLICT not in kinds(knowledge_base)


def test_a_document_that_names_both_figures_contradicts_neither(
    knowledge_base: KnowledgeBase,
) -> None:
    both = "The warranty of each coffee machine lasts 24 months. "
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE.replace("It begins", f"{both}It begins"))

    compare(knowledge_base)

    assert FindingKind.NUMBER_CONFLICT not in kinds(knowledge_base)


def test_one_document_does_not_contradict_itself(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", f"{TERMS}\n{GUIDE}")

    compare(knowledge_base)

    assert found(knowledge_base) == []


def test_comparing_again_finds_nothing_twice(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)
    before = found(knowledge_base)

    compared = compare(knowledge_base)

    assert compared == 0
    assert found(knowledge_base) == before


def test_a_later_document_is_held_against_those_compared_before(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("terms.md", TERMS)
    compare(knowledge_base)
    knowledge_base.put("guide.md", GUIDE)

    compared = compare(knowledge_base)

    assert compared == 1
    assert FindingKind.NUMBER_CONFLICT in kinds(knowledge_base)


def test_comparing_goes_on_where_it_was_interrupted(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "TILE_ROWS", 1)
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    stop = iter([False, True])

    first = comparison.compare(
        knowledge_base.database,
        knowledge_base.embedder.fingerprint,
        interrupted=lambda: next(stop),
    )
    second = compare(knowledge_base)

    assert (first, second) == (1, 1)
    assert kinds(knowledge_base).count(FindingKind.NUMBER_CONFLICT) == 1


def test_a_kill_between_finding_and_writing_loses_nothing(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    with monkeypatch.context() as patch:
        patch.setattr(comparison, "settled_keys", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            compare(knowledge_base)

    compared = compare(knowledge_base)

    assert compared == 2
    assert kinds(knowledge_base).count(FindingKind.NUMBER_CONFLICT) == 1


def test_two_workers_do_not_find_the_same_thing_twice(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    workers = [threading.Thread(target=compare, args=(knowledge_base,)) for _ in range(2)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert kinds(knowledge_base).count(FindingKind.NUMBER_CONFLICT) == 1


def test_versions_without_vectors_wait(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)

    compared = comparison.compare(knowledge_base.database, "a model that is new here")

    assert compared == 0
    with knowledge_base.database.read() as session:
        assert session.scalars(select(Version.compared_at)).all() == [None]


@pytest.mark.parametrize("change", ["new version", "withdrawal"])
def test_a_finding_closes_when_a_version_is_no_longer_current(
    knowledge_base: KnowledgeBase, change: str
) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)

    if change == "withdrawal":
        knowledge_base.withdraw("guide.md")
    else:
        knowledge_base.put("guide.md", GRINDER)

    assert found(knowledge_base) == []
    with knowledge_base.database.read() as session:
        assert session.scalars(select(Finding)).first() is not None


def test_a_correction_ends_a_contradiction(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)

    knowledge_base.put("guide.md", GUIDE.replace("36 months", "2 years"))
    compare(knowledge_base)

    assert FindingKind.NUMBER_CONFLICT not in kinds(knowledge_base)


def test_a_new_version_that_repeats_a_contradiction_is_found_again(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)

    knowledge_base.put("guide.md", f"{GUIDE}\nCall us with any question.\n")
    compare(knowledge_base)

    [conflict] = [f for f in found(knowledge_base) if f.kind == FindingKind.NUMBER_CONFLICT]
    assert sorted(place.version for place in conflict.places) == [1, 2]


def test_a_settled_finding_does_not_come_back(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)
    for finding in found(knowledge_base):
        settle(knowledge_base, finding)

    knowledge_base.put("guide.md", f"{GUIDE}\nCall us with any question.\n")
    compare(knowledge_base)

    assert found(knowledge_base) == []


def test_a_settled_finding_comes_back_with_another_figure(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)
    for finding in found(knowledge_base):
        settle(knowledge_base, finding)

    knowledge_base.put("guide.md", GUIDE.replace("36", "48"))
    compare(knowledge_base)

    assert kinds(knowledge_base) == [FindingKind.NUMBER_CONFLICT]


def test_settling_is_recorded_once(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    compare(knowledge_base)
    finding = found(knowledge_base)[0]

    settle(knowledge_base, finding)
    settle(knowledge_base, finding)

    with knowledge_base.database.read() as session:
        events = session.scalars(select(Event).where(Event.action == "finding:settle")).all()
        assert [(event.actor, event.subject) for event in events] == [(OWNER, finding.id)]
        assert session.get_one(Finding, finding.id).settled_by == OWNER


def test_a_finding_that_does_not_exist_cannot_be_settled(knowledge_base: KnowledgeBase) -> None:
    with pytest.raises(NoResultFound), knowledge_base.database.write() as session:
        findings.settle(session, "unknown", OWNER)


def test_findings_about_a_document_that_is_hidden_are_hidden(
    knowledge_base: KnowledgeBase,
) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE, visibility="restricted", labels=["legal"])
    compare(knowledge_base)

    seen_by_legal = found(knowledge_base, Scope.of_staff(frozenset({"legal"})))
    seen_by_others = found(knowledge_base, Scope.of_staff(frozenset({"sales"})))

    assert seen_by_legal == found(knowledge_base)
    assert seen_by_legal != []
    assert seen_by_others == []


def test_two_documents_have_few_findings_however_much_they_differ(
    knowledge_base: KnowledgeBase,
) -> None:
    parts = ["pump", "seal", "hose", "lamp", "lid", "tray", "spout", "knob"]
    prices = [f"The price of a new {part} for the machine is {{}} euros." for part in parts]
    knowledge_base.put("old.md", "# Prices\n\n" + " ".join(line.format(5) for line in prices))
    knowledge_base.put("new.md", "# Prices\n\n" + " ".join(line.format(7) for line in prices))

    compare(knowledge_base)

    assert kinds(knowledge_base).count(FindingKind.NUMBER_CONFLICT) == comparison.MAX_CONFLICTS


@pytest.mark.parametrize("columns", [3, 1_000])
def test_pairs_are_those_of_all_scores_whatever_the_tiles(
    knowledge_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(likeness, "TILE_ROWS", 2)
    monkeypatch.setattr(likeness, "TILE_COLUMNS", columns)
    monkeypatch.setattr(likeness, "MAX_NEIGHBOURS", 2)
    random = np.random.default_rng(7)
    vectors = random.normal(size=(12, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    starts = np.array([0, 3, 6, 9, 12])
    owners = np.repeat(np.arange(4), 3)
    names = ["a", "b", "c", "d"]
    shelf = likeness.Shelf(
        names, names, 1, starts, [str(row) for row in range(12)], owners, vectors
    )

    hits = [
        tuple(hit)[:2] for batch in shelf.batches() for hit in likeness.resembling(shelf, batch)
    ]

    scores = vectors @ vectors.T
    expected = []
    for row in range(3, 12):
        older = [other for other in range(12) if owners[other] < owners[row]]
        near = [other for other in older if scores[row, other] >= likeness.MIN_COSINE]
        best = sorted(near, key=lambda other: -scores[row, other])[:2]
        expected += [(row, other) for other in best]
    assert sorted(hits) == sorted(expected)


def test_a_withdrawn_version_is_not_compared(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.put("terms.md", TERMS)
    knowledge_base.put("guide.md", GUIDE)
    knowledge_base.withdraw("guide.md")

    compared = compare(knowledge_base)

    assert compared == 1
    with knowledge_base.database.read() as session:
        version = store.current_version(session, store.document_id("terms.md"))
        assert version is not None
        assert version.status == VersionStatus.CURRENT
        assert version.compared_at is not None
