"""What the page is given: parts of a reply, and text in which Markdown finds nothing."""

from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from app.components.changes import comparison
from app.components.findings import marked, share
from app.components.moments import duration
from app.components.plain import plain
from app.components.tree import Node
from app.components.upload_line import line
from app.components.upload_rows import group_nodes, groups, stage
from app.components.uploading import split
from app.workflow.uploads import Standing
from ingest.changes import between
from ingest.jobs import Pace
from ingest.tables import Job, JobState, Outcome


@pytest.mark.parametrize(
    "text",
    [
        "[Refund here](https://evil.example)",
        "![x](https://evil.example/leak)",
        "# a heading *and* **more** `code` ~~gone~~ $x$ :red[y]",
        "<script>alert(1)</script> <b>bold</b>",
        "- list\n1. numbers",
    ],
)
def test_markdown_finds_nothing_in_untrusted_text(text: str) -> None:
    html = MarkdownIt("commonmark").render(plain(text))

    for mark in ("<a", "<img", "<em", "<strong", "<h1", "<script", "<b>", "<li"):
        assert mark not in html


def _job(name: str = "a.txt", outcome: Outcome | None = None, **values: object) -> Job:
    job = Job(source=name, sha256="1" * 64, file_name=name, actor="owner@example.com", details={})
    job.state = JobState.DONE if outcome else JobState.QUEUED
    job.outcome = outcome
    for field, value in values.items():
        setattr(job, field, value)
    return job


def _words(node: Node) -> str:
    """Return what a person reads of a node."""
    if isinstance(node, str):
        return node
    return "".join(map(_words, node["children"]))


def _tags(node: Node) -> list[str]:
    if isinstance(node, str):
        return []
    return [node["tag"], *(tag for child in node["children"] for tag in _tags(child))]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "Waiting"),
        ({"state": JobState.PAUSED, "stage": "reading"}, "Paused"),
        ({"state": JobState.RUNNING, "stage": "waiting"}, "Waiting"),
        ({"state": JobState.RUNNING, "stage": "reading"}, "Reading"),
        (
            {
                "state": JobState.RUNNING,
                "stage": "reading",
                "progress_done": 2,
                "progress_total": 12,
            },
            "Reading page 3 of 12",
        ),
        (
            {
                "state": JobState.RUNNING,
                "stage": "reading",
                "progress_done": 12,
                "progress_total": 12,
            },
            "Reading page 12 of 12",
        ),
        (
            {
                "state": JobState.RUNNING,
                "stage": "embedding",
                "progress_done": 120,
                "progress_total": 400,
            },
            "Embedding 120 of 400 passages",
        ),
        (
            {
                "not_before": datetime(2026, 11, 20, 10, 42, tzinfo=UTC),
                "error_code": "machine",
                "error_fields": {"title": "a.txt", "reason": "the disk is full"},
            },
            "Will be tried again at 10:42 UTC: This machine could not take it in just now"
            " (the disk is full). It is tried again by itself; make room on the disk if it is"
            " full.",
        ),
    ],
)
def test_an_upload_on_its_way_says_how_far_it_is(values: dict[str, object], expected: str) -> None:
    assert stage(_job("a.txt", None, **values)) == expected


def test_uploads_stand_where_their_owner_looks_for_them() -> None:
    rows = [
        _job("waits"),
        _job("works", state=JobState.RUNNING, stage="reading"),
        _job("rests", state=JobState.PAUSED),
        *(_job(outcome, outcome) for outcome in Outcome),
    ]

    found = {name: [job.source for job in some] for name, some in groups(rows).items()}

    assert found == {
        "working": ["works"],
        "failed": ["failed"],
        "quarantined": ["quarantined"],
        "paused": ["rests"],
        "waiting": ["waits"],
        "set_aside": ["unchanged", "duplicate", "cancelled"],
        "done": ["indexed"],
    }


def test_of_many_uploads_the_first_are_shown_and_the_others_counted() -> None:
    node = group_nodes("done", [_job(str(number), Outcome.INDEXED) for number in range(130)])

    assert _tags(node)[0] == "details"
    assert _tags(node).count("li") == 50
    assert _words(node).endswith("… and 80 more.")


def test_the_overall_line_says_what_is_done_left_and_needed() -> None:
    seen = line(Standing(12, Pace(18, 2, 41.0)), 1)

    shown, spoken, bar = seen["children"]
    assert _words(shown) == "12 of 30 done, about 40 s left, 2 paused, 1 needs you"
    assert _words(spoken) == "12 of 30 done, 1 needs you"
    assert bar["attributes"]["value"] == "12"
    assert _tags(line(Standing(30, Pace(0, 0, None)), 2)).count("progress") == 0


def test_a_screen_reader_is_told_of_uploads_a_few_times_only() -> None:
    spoken = {
        _words(line(Standing(done, Pace(100 - done, 0, None)), 0)["children"][1])
        for done in range(101)
    }

    assert len(spoken) == 6


def test_changes_are_marked_by_more_than_colour_and_what_did_not_change_is_folded() -> None:
    kept = [f"Line {number}." for number in range(20)]
    before = "\n".join([*kept, "It costs 45 euro.", "Gone."])
    after = "\n".join([*kept, "It costs 55 euro."])

    summary, table = comparison(between(before, after), ("Version 1", "Version 2"))

    assert _words(summary) == "1 line(s) changed, 0 added, 1 removed."
    assert _tags(table).count("del") == 2
    assert _tags(table).count("ins") == 1
    assert "18 unchanged lines" in _words(table)
    assert "Changed from: It costs 45 euro." in _words(table)
    assert "Changed to: It costs 55 euro." in _words(table)
    assert "Removed: Gone." in _words(table)


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "<script>1</script>"])
def test_markup_in_a_document_stays_text_in_a_comparison(text: str) -> None:
    _, table = comparison(between("Before.", text), ("then", "now"))

    assert text in _words(table)
    assert not {"img", "script"} & set(_tags(table))


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ("In 2026 it is 24 months.", "In 2026 it is 36 months.", ["24"]),
        ("Every 5 weeks, for 20 minutes.", "Every 2 weeks, for 5 minutes.", ["5", "20"]),
        ("24 months, 36 in Italy.", "36 months.", ["24"]),
        ("1,299.00 euro", "1,299.50 euro", ["1,299.00"]),
        ("24 months.", "24 months.", []),
        ("CF-2: after 50 litres or 2 months.", "CF-2: every 3 months.", ["50", "2"]),
    ],
)
def test_only_figures_that_differ_are_marked(text: str, other: str, expected: list[str]) -> None:
    parts = marked(text, other)

    assert "".join(map(_words, parts)) == text
    assert [_words(part) for part in parts if "mark" in _tags(part)] == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [(1.0, "All"), (0.93, "Nearly all (93 %)"), (0.8, "Most (80 %)"), (0.61, "Much (61 %)")],
)
def test_a_share_is_said_in_words(part: float, expected: str) -> None:
    assert share(part) == expected


def test_labels_are_read_from_one_line_each_once() -> None:
    assert split(" engineers, partners ,,engineers") == ["engineers", "partners"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1, "about 5 s"), (41, "about 40 s"), (90, "about 2 min"), (5_400, "about 1.5 hours")],
)
def test_a_duration_is_told_as_roughly_as_it_is_known(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
