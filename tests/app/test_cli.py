"""The command line as other programs call it: keys, types, exit statuses, sentences.

Most commands run in this process with its encoders; a handful run as the installed program.
"""

import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from app import cli, console
from app.commands import evaluate as evaluate_commands
from app.services import Services
from app.settings import Settings
from rag import llm, provider
from tests.openai_server import Fault, Reply, ScriptedServer
from tests.rag.desk import share_encoders

PROGRAM = Path(sys.executable).with_name("support-copilot")
ERRORS_PAGE = (
    "# Error codes\n\nError E17 means that no water flows through the brew group of the Aria 700. "
    "Fill the tank and press the reset button for 10 seconds to clear error E17.\n\n"
    "Größe: the tank holds 1.8 litres 😀.\n"
)
SHIPPING_PAGE = (
    "<!doctype html><html><head><title>Shipping</title></head><body><h1>Shipping</h1><p>A parcel "
    "to France takes three working days. We ship from Monday to Friday.</p></body></html>"
)
TICKET = {
    "id": "T-1",
    "created": "2026-10-19T07:42:00+02:00",
    "subject": "Error E17",
    "body": "My Aria 700 shows error E17 and no water flows. What does error E17 mean?",
    "locale": "en",
}


@dataclass
class Result:
    """What a run of the program left: its exit status and both of its streams."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one document on standard output."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        assert set(self.json) == {"error"}
        error: dict[str, str] = self.json["error"]
        assert set(error) == {"code", "message", "hint"}
        assert all(error.values())
        assert "Traceback" not in self.err
        return error


Run = Callable[..., Result]


@pytest.fixture
def run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Return a function that runs the command line in this process, on a home of its own."""
    made: list[Services] = []

    def services_with_encoders(settings: Settings) -> Services:
        services = Services(settings)
        share_encoders(services)
        made.append(services)
        return services

    def build() -> Services:
        return services_with_encoders(Settings().model_copy(update={"home": console.options.home}))

    def run_here(*arguments: str | Path, stdin: str = "", as_json: bool = True) -> Result:
        monkeypatch.setattr(console, "options", console.Options(home=home))
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        given = [str(argument) for argument in arguments] + ["--json"] * as_json
        capsys.readouterr()
        try:
            status = console.run(cli.app, given)
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    monkeypatch.setattr(console, "services", build)
    monkeypatch.setattr(evaluate_commands, "Services", services_with_encoders)
    yield run_here
    for services in made:
        services.database.close()


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "sub").mkdir(parents=True)
    (folder / "errors.md").write_text(ERRORS_PAGE, encoding="utf-8")
    (folder / "sub" / "shipping.html").write_text(SHIPPING_PAGE, encoding="utf-8")
    return folder


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    provider.load()
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def scripted(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setenv("COPILOT_MODEL_URL", server.url)
    monkeypatch.setenv("COPILOT_MODEL_KEY", "sk-our-own-key")
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)
    return server


def _pdf(pages: int, *, encrypt: str | None = None, text: bool = True) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, encrypt=encrypt, invariant=True)
    for number in range(1, pages + 1):
        if text:
            canvas.drawString(72, 700, f"Page {number} tells how to clean part {number} of it.")
            canvas.drawString(72, 680, "Rinse it with warm water and let it dry.")
        else:
            canvas.rect(72, 300, 400, 400, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


# What each command prints


def test_ingest_says_of_every_input_how_it_ended(run: Run, pages: Path) -> None:
    result = run("ingest", pages, "--visibility", "public", "--owner", "Olu", "--label", "a")

    assert result.status == 0
    document = result.json
    assert isinstance(document["seconds"], float)
    assert isinstance(document["passages_per_second"], float)
    rows = {row["source"]: row for row in document["documents"]}
    assert set(rows) == {"errors.md", "sub/shipping.html"}
    for row in rows.values():
        assert {"source", "status", "document_id", "passages", "pages", "error"} <= set(row)
        assert (row["status"], row["pages"], row["error"]) == ("indexed", None, None)
        assert isinstance(row["document_id"], str)
        assert row["passages"] >= 1


def test_documents_lists_what_is_there(run: Run, pages: Path) -> None:
    run("ingest", pages, "--visibility", "public", "--owner", "Olu", "--label", "a")

    rows = {row["source"]: row for row in run("documents").json["documents"]}

    row = rows["errors.md"]
    assert (row["title"], row["owner"], row["visibility"]) == ("Error codes", "Olu", "public")
    assert (row["labels"], row["status"], row["version"]) == (["a"], "current", 1)
    assert run("documents", as_json=False).out.count("current") == 2


def test_a_document_is_internal_unless_told_otherwise(run: Run, pages: Path) -> None:
    run("ingest", pages / "errors.md")

    [row] = run("documents").json["documents"]
    assert (row["visibility"], row["labels"], row["source"]) == ("internal", [], "errors.md")


def test_offsets_of_a_hit_count_in_what_documents_show_prints(run: Run, pages: Path) -> None:
    run("ingest", pages)

    document = run("search", "How many litres does the tank hold?", "-k", "5").json

    assert document["query"] == "How many litres does the tank hold?"
    assert isinstance(document["seconds"], float)
    assert [hit["rank"] for hit in document["hits"]] == [1, 2]
    scores = [hit["score"] for hit in document["hits"]]
    assert scores == sorted(scores, reverse=True)
    for hit in document["hits"]:
        assert {
            "rank", "score", "document_id", "title", "source", "first_page", "last_page",
            "start", "end", "text", "why",
        } <= set(hit)  # fmt: skip
        shown = run("documents", "show", hit["document_id"], "--text")
        assert shown.json["text"][hit["start"] : hit["end"]] == hit["text"]
        plain = run("documents", "show", hit["document_id"], "--text", as_json=False)
        assert plain.out[hit["start"] : hit["end"]] == hit["text"]
        assert (hit["first_page"], hit["last_page"]) == (None, None)
    assert document["hits"][0]["source"] == "errors.md"
    assert "1.8 litres 😀" in document["hits"][0]["text"]


def test_pages_of_a_pdf_count_from_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "manual.pdf").write_bytes(_pdf(3))

    [row] = run("ingest", tmp_path / "manual.pdf").json["documents"]
    hits = run("search", "How do I clean part 3?").json["hits"]

    assert (row["source"], row["pages"], row["status"]) == ("manual.pdf", 3, "indexed")
    assert {page for hit in hits for page in (hit["first_page"], hit["last_page"])} <= {1, 2, 3}
    assert hits[0]["last_page"] == 3


def test_an_earlier_version_is_still_shown_by_its_number(run: Run, pages: Path) -> None:
    run("ingest", pages)
    (pages / "errors.md").write_text("# Error codes\n\nNew text.\n", encoding="utf-8")
    [row] = run("ingest", pages / "errors.md").json["documents"]
    name = row["document_id"]

    assert row["status"] == "indexed"
    assert run("documents", "show", name, "--text").json["text"].endswith("New text.")
    assert "1.8 litres" in run("documents", "show", name, "--text", "--version", "1").json["text"]
    assert run("documents", "show", name).json["version"] == 2
    missing = run("documents", "show", name, "--version", "3")
    assert (missing.status, missing.error["code"]) == (1, "unknown_document")


def test_a_withdrawn_document_is_not_found_any_more(run: Run, pages: Path) -> None:
    rows = run("ingest", pages).json["documents"]
    names = {row["source"]: row["document_id"] for row in rows}

    result = run("withdraw", names["errors.md"])

    assert (result.status, result.json["status"]) == (0, "withdrawn")
    assert {hit["source"] for hit in run("search", "Error E17").json["hits"]} == {
        "sub/shipping.html"
    }
    again = run("withdraw", names["errors.md"])
    assert (again.status, again.error["code"]) == (1, "unknown_document")


def test_sync_keeps_documents_in_step_with_a_folder(run: Run, pages: Path) -> None:
    first = run("sync", pages, "--owner", "Olu", "--label", "a")
    (pages / "errors.md").rename(pages / "codes.md")
    (pages / "sub" / "shipping.html").unlink()
    (pages / "new.md").write_text("# New\n\nThe tray holds two cups.\n")

    second = run("sync", pages)

    assert (first.status, second.status) == (0, 0)
    assert (first.json["add"], first.json["unchanged"]) == (["errors.md", "sub/shipping.html"], 0)
    assert [row["status"] for row in first.json["documents"]] == ["indexed", "indexed"]
    plan = second.json
    assert [(move["source"], move["to"]) for move in plan["move"]] == [("errors.md", "codes.md")]
    assert (plan["add"], plan["remove"]) == (["new.md"], ["sub/shipping.html"])
    assert (plan["change"], plan["conflict"], plan["unchanged"]) == ([], [], 0)
    assert [row["source"] for row in plan["documents"]] == ["new.md"]
    rows = {row["source"]: row for row in run("documents").json["documents"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        "codes.md": "current",
        "new.md": "current",
        "sub/shipping.html": "withdrawn",
    }
    assert (rows["codes.md"]["owner"], rows["codes.md"]["labels"]) == ("Olu", ["a"])
    # Whose file has gone belongs to no folder: should it come back, so does the document.
    assert {name: row["folder"] for name, row in rows.items()} == {
        "codes.md": str(pages),
        "new.md": str(pages),
        "sub/shipping.html": None,
    }
    assert run("search", "Error E17", "-k", "1").json["hits"][0]["source"] == "codes.md"


def test_sync_says_in_words_what_it_did(run: Run, pages: Path) -> None:
    run("sync", pages)
    (pages / "errors.md").rename(pages / "codes.md")
    (pages / "sub" / "shipping.html").unlink()

    out = run("sync", pages, as_json=False).out

    assert out.splitlines() == [
        "move      errors.md -> codes.md",
        "remove    sub/shipping.html",
        "0 unchanged",
    ]


def test_sync_only_says_what_would_be_done_where_that_is_asked(run: Run, pages: Path) -> None:
    result = run("sync", pages, "--dry-run")

    assert (result.status, result.json["dry_run"], result.json["documents"]) == (0, True, [])
    assert result.json["add"] == ["errors.md", "sub/shipping.html"]
    assert run("documents").json["documents"] == []


@pytest.mark.parametrize(
    ("name", "code"), [("empty", "empty_folder"), ("none", "source_not_found")]
)
def test_sync_refuses_a_folder_without_files(
    run: Run, pages: Path, tmp_path: Path, name: str, code: str
) -> None:
    run("sync", pages)
    (tmp_path / "empty").mkdir()

    result = run("sync", tmp_path / name)

    assert (result.status, result.error["code"]) == (1, code)
    assert {row["status"] for row in run("documents").json["documents"]} == {"current"}


def test_documents_past_their_review_date_are_listed_apart(
    run: Run, pages: Path, home: Path
) -> None:
    run("ingest", pages)
    assert run("documents", "--stale").json["documents"] == []
    with closing(sqlite3.connect(home / "copilot.sqlite3")) as record:
        record.execute("UPDATE documents SET review_by = '2020-02-03' WHERE source = 'errors.md'")
        record.commit()

    [row] = run("documents", "--stale").json["documents"]

    assert (row["source"], row["review_by"], row["title"]) == (
        "errors.md",
        "2020-02-03",
        "Error codes",
    )
    assert "Error codes" in run("documents", "--stale", as_json=False).out


def test_an_earlier_version_and_a_withdrawn_document_come_back(run: Run, pages: Path) -> None:
    rows = run("ingest", pages).json["documents"]
    name = next(row["document_id"] for row in rows if row["source"] == "errors.md")
    (pages / "errors.md").write_text("# Error codes\n\nNothing is known.\n")
    run("ingest", pages / "errors.md")

    result = run("documents", "restore", name, "--version", "1")
    run("withdraw", name)
    back = run("documents", "restore", name, "--version", "2")

    assert (result.status, result.json) == (
        0,
        {"document_id": name, "version": 3, "status": "current"},
    )
    assert (back.status, back.json["version"]) == (0, 4)
    assert run("documents", "show", name, "--text").json["text"].endswith("Nothing is known.")
    assert run("audit", "verify").json["valid"] is True
    missing = run("documents", "restore", name, "--version", "9")
    assert (missing.status, missing.error["code"]) == (1, "unknown_document")


def test_search_as_an_account_sees_what_the_account_may_see(run: Run, pages: Path) -> None:
    run("ingest", pages / "errors.md", "--visibility", "restricted", "--label", "engineers")
    for name, label in (("ann", "engineers"), ("ben", "sales")):
        arguments = ("users", "add", f"{name}@example.com", "--role", "agent", "--label", label)
        run(*arguments, "--password-stdin", stdin="a long password\n")

    def found(*arguments: str) -> int:
        return len(run("search", "Error E17", *arguments).json["hits"])

    assert found() == 1
    assert found("--as", "ann@example.com") == 1
    assert found("--as", "ben@example.com") == 0
    nobody = run("search", "Error E17", "--as", "nobody@example.com")
    assert (nobody.status, nobody.error["code"]) == (1, "not_found")


def test_a_draft_is_printed_with_claims_whose_offsets_can_be_re_read(run: Run, pages: Path) -> None:
    run("ingest", pages, "--visibility", "public")

    result = run("draft", "-", stdin=json.dumps(TICKET))

    assert result.status == 0
    document = result.json
    assert (document["status"], document["model"]) == ("drafted", "extractive")
    assert isinstance(document["seconds"], float)
    assert document["cost_usd"] == 0.0
    assert {"tokens", "budget", "passages", "dropped"} <= set(document["prompt"])
    assert isinstance(document["usage"], dict)
    assert document["claims"]
    for claim in document["claims"]:
        assert document["text"][claim["start"] : claim["end"]] == claim["text"]
        for cited in claim["citations"]:
            assert {
                "marker", "document_id", "source", "first_page", "quote", "quote_start",
                "quote_end", "verdict", "probability",
            } <= set(cited)  # fmt: skip
            shown = run("documents", "show", cited["document_id"], "--text").json["text"]
            assert shown[cited["quote_start"] : cited["quote_end"]] == cited["quote"]
            assert (cited["source"], cited["verdict"]) == ("errors.md", "SUPPORTED")


def test_a_draft_without_a_source_abstains_and_that_is_no_failure(run: Run, pages: Path) -> None:
    run("ingest", pages, "--visibility", "public")
    ticket = TICKET | {"subject": "Weather", "body": "Will it rain in Hamburg tomorrow morning?"}

    result = run("draft", "-", stdin=json.dumps(ticket))

    assert result.status == 0
    assert (result.json["status"], result.json["text"], result.json["claims"]) == (
        "abstained",
        "",
        [],
    )


def test_a_ticket_comes_from_the_desk_a_file_or_standard_input(
    run: Run, pages: Path, tmp_path: Path
) -> None:
    run("ingest", pages, "--visibility", "public")
    file = tmp_path / "ticket.json"
    file.write_text(json.dumps(TICKET), encoding="utf-8")

    texts = [
        run("draft", "--file", file).json["text"],
        run("draft", "--ticket", "T-1").json["text"],
        run("draft", "-", stdin=json.dumps(TICKET)).json["text"],
    ]

    assert len(set(texts)) == 1
    assert texts[0].startswith("Hello,")
    people = run("draft", "--ticket", "T-1", as_json=False).out
    assert "Error E17 means that no water flows" in people
    assert "[1] Error codes" in people


def test_imported_tickets_are_counted_and_bad_lines_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    lines = [
        json.dumps(TICKET),
        "not JSON",
        "",
        json.dumps({"id": "T-2"}),
        "[1]",
        json.dumps(TICKET | {"id": "T-3", "body": "half \ud83d a character", "replies": ["Yes."]}),
        json.dumps(TICKET | {"id": "T-4", "documents": ["errors.md"]}),
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    result = run("tickets", "import", file)

    assert result.status == 0
    assert result.json["imported"] == 3
    first, second, third = result.json["errors"]
    assert first.startswith("Line 2 cannot be used: it is not JSON.")
    assert second.startswith("Line 4 cannot be used: subject: field required.")
    assert third.startswith("Line 5 cannot be used: input should be")
    assert run("draft", "--ticket", "T-3").status == 0


def test_a_file_without_a_single_ticket_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("no\n", encoding="utf-8")

    assert run("tickets", "import", tmp_path / "bad.jsonl").status == 1
    missing = run("tickets", "import", tmp_path / "absent.jsonl")
    assert (missing.status, missing.error["code"]) == (1, "not_found")


def test_evaluate_retrieval_prints_every_measure(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "beir"
    folder.mkdir()
    corpus = [
        {"_id": "e", "title": "Error codes", "text": ERRORS_PAGE},
        {"_id": "s", "title": "Shipping", "text": "loses", "html": "<p>A parcel takes 3 days.</p>"},
        {"_id": "twin", "title": "Error codes", "text": ERRORS_PAGE},
        {"_id": "x", "title": "Empty", "text": ""},
    ]
    queries = [
        {"_id": "q1", "text": "How long does a parcel take?"},
        {"_id": "q2", "text": "What does error E17 mean?"},
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ts\t1\nq2\te\t1\n")

    document = run("evaluate", "retrieval", folder).json
    limited = run("evaluate", "retrieval", folder, "--limit", "1").json

    assert (document["queries"], document["documents"], limited["queries"]) == (2, 4, 1)
    assert document["passages"] >= 2
    for measure in ("recall@5", "recall@10"):
        assert document[measure] == 1.0
    assert 0.5 <= document["mrr@10"] <= 1.0
    assert 0.5 <= document["ndcg@10"] <= 1.0
    assert set(document["latency_ms"]) == {"p50", "p95"}
    assert {"seconds", "passages_per_second", "peak_mb"} <= set(document["ingest"])
    assert run("documents").json["documents"] == []


def test_evaluate_retrieval_of_something_else_is_a_clear_failure(run: Run, tmp_path: Path) -> None:
    result = run("evaluate", "retrieval", tmp_path)

    assert (result.status, result.error["code"]) == (1, "evaluation")
    assert str(tmp_path) in result.error["message"]


def test_evaluate_drafts_judges_each_ticket_and_leaves_the_desk_as_it_is(
    run: Run, pages: Path, tmp_path: Path
) -> None:
    run("ingest", pages)
    before = run("audit", "verify").json
    known = {**TICKET, "answerable": True, "must": ["no water flows"], "must_not": ["grinder"]}
    other = {"id": "T-2", "subject": "Zebra", "body": "Who feeds the zebra?", "answerable": False}
    lines = [json.dumps(known), json.dumps(other), json.dumps(TICKET), "no"]
    file = tmp_path / "drafts.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")

    result = run("evaluate", "drafts", file)
    said = run("evaluate", "drafts", file, as_json=False).out

    document = result.json
    counts = ("tickets", "drafted", "abstained", "incomplete", "failed", "must_not_violated")
    assert result.status == 0
    assert [document[name] for name in counts] == [2, 1, 1, 0, 0, 0]
    for share in ("citation_precision", "citation_recall", "must_met", "unanswerable_abstained"):
        assert document[share] == 1.0
    assert [row["status"] for row in document["outcomes"]] == ["drafted", "abstained"]
    assert list(document["models"]) == ["extractive"]
    assert len(document["errors"]) == 2
    assert "answerable" in document["errors"][0]
    assert document["errors"][1].startswith("Line 4")
    assert "2 tickets, 1 of them with an answer: 1 drafted, 1 abstained" in said
    assert run("audit", "verify").json == before
    missing = run("draft", "--ticket", "T-1")
    assert missing.error["code"] == "not_found"


def test_evaluate_drafts_names_the_tickets_that_a_model_failed(
    run: Run, pages: Path, tmp_path: Path, scripted: ScriptedServer
) -> None:
    run("ingest", pages)
    file = tmp_path / "drafts.jsonl"
    lines = [{**TICKET, "id": name, "answerable": True} for name in ("T-1", "T-2")]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    scripted.enqueue(Reply("no", status=401))
    scripted.enqueue(Reply("No water flows through the brew group of the Aria 700 [1]."))

    document = run("evaluate", "drafts", file, "--model", "openai/scripted").json

    assert (document["tickets"], document["drafted"], document["failed"]) == (2, 1, 1)
    assert document["errors"][0].startswith("T-1: ")
    assert list(document["models"]) == ["openai/scripted"]
    [prompt] = document["prompts"]
    assert prompt.startswith("openai/scripted ")


def test_evaluate_drafts_without_a_ticket_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("no\n", encoding="utf-8")

    assert run("evaluate", "drafts", tmp_path / "bad.jsonl").status == 1
    missing = run("evaluate", "drafts", tmp_path / "absent.jsonl")
    assert (missing.status, missing.error["code"]) == (1, "not_found")


def test_doctor_names_engine_generation_passages_and_delta(run: Run, pages: Path) -> None:
    empty = run("doctor").json
    run("ingest", pages)
    before = run("doctor").json
    reindexed = run("reindex").json
    after = run("doctor").json

    assert (empty["generation"], empty["passages"], empty["delta"]) == (None, 0, 0)
    assert before["engine"] == after["engine"] == "chroma"
    assert before["passages"] == before["delta"] == after["passages"] == reindexed["passages"]
    assert after["delta"] == reindexed["delta"] == 0
    assert after["generation"] == reindexed["generation"]
    assert (after["database"], after["model"], after["jobs_unfinished"]) == (
        "sqlite",
        "extractive",
        0,
    )


def test_a_changed_event_breaks_the_audit_trail(run: Run, pages: Path, home: Path) -> None:
    run("ingest", pages)
    whole = run("audit", "verify")
    with closing(sqlite3.connect(home / "copilot.sqlite3")) as record, record:
        # Whoever owns the file can take the triggers away that keep events as they are.
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (trigger,) in record.execute(query).fetchall():
            record.execute(f"DROP TRIGGER {trigger}")
        record.execute("UPDATE events SET actor = 'somebody else' WHERE id = 1")

    broken = run("audit", "verify")

    seals = {"seals": 0, "unsealed": 0, "broken_seals": []}
    assert (whole.status, whole.json) == (0, {"valid": True, "broken": [], **seals})
    assert (broken.status, broken.json) == (1, {"valid": False, "broken": [1], **seals})


def test_an_account_is_added_once_with_a_password_from_standard_input(run: Run) -> None:
    arguments = ("users", "add", "Ann@Example.com", "--role", "owner", "--label", "a")

    added = run(*arguments, "--password-stdin", stdin="a long password\n")
    again = run(*arguments, "--password-stdin", stdin="a long password\n")
    short = run("users", "add", "b@c.de", "--role", "agent", "--password-stdin", stdin="short\n")

    assert added.status == 0
    assert added.json == {"email": "ann@example.com", "role": "owner", "labels": ["a"]}
    assert (again.status, again.error["code"]) == (1, "user_exists")
    assert (short.status, short.error["code"]) == (1, "invalid_input")
    assert "short" not in short.error["message"].split("has")[0].removeprefix("The password")
    assert "a long password" not in added.out + added.err + again.out + again.err


# How it is called


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--home", "{home}", "documents"],
        ["documents", "--json", "--home", "{home}"],
        ["--home={home}", "documents", "--json"],
        ["documents", "--home={home}", "--json"],
        ["--json", "documents", "--home", "{home}"],
    ],
)
def test_home_and_json_fit_before_and_after_the_command(
    run: Run, tmp_path: Path, arguments: list[str]
) -> None:
    other = tmp_path / "other"

    result = run(*(part.format(home=other) for part in arguments), as_json=False)

    assert (result.status, result.json) == (0, {"documents": []})
    assert (other / "copilot.sqlite3").is_file()


def test_after_a_double_dash_everything_is_an_argument(run: Run) -> None:
    result = run("--json", "search", "--", "--home", as_json=False)

    assert (result.status, result.json["query"]) == (0, "--home")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["search"],
        ["search", "a", "b"],
        ["search", "a", "-k", "0"],
        ["search", "a", "-k", "many"],
        ["search", "a", "--no-such-option"],
        ["documents", "no-such-command"],
        ["ingest"],
        ["ingest", ".", "--visibility", "secret"],
        ["users", "add", "a@example.com", "--role", "boss", "--password-stdin"],
        ["draft"],
        ["draft", "-", "--ticket", "T-1"],
        ["evaluate", "retrieval", ".", "--limit", "0"],
        ["--home"],
    ],
)
def test_wrong_usage_ends_with_status_two_and_says_what_is_wrong(
    run: Run, arguments: list[str]
) -> None:
    programs = run("--json", *arguments, as_json=False)
    people = run(*arguments, as_json=False)

    assert programs.status == people.status == 2
    assert programs.error["code"] == "usage"
    assert people.out == ""
    assert people.err
    assert "Traceback" not in people.err


@pytest.mark.parametrize("arguments", [[], ["users"], ["tickets"], ["audit"], ["evaluate"]])
def test_without_a_command_the_help_is_shown(run: Run, arguments: list[str]) -> None:
    result = run(*arguments, as_json=False)

    assert result.status == 2
    assert "Usage:" in result.out + result.err


def test_every_command_has_its_help(run: Run) -> None:
    text = run("--help", as_json=False).out

    commands = re.findall(r"^  ([a-z]+) {2,}\S", text, re.MULTILINE)
    assert {"serve", "ingest", "search", "draft", "doctor", "documents"} <= set(commands)
    for command in commands:
        shown = run(command, "--help", as_json=False)
        assert (shown.status, shown.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["documents", "show", "none"], "unknown_document"),
        (["withdraw", "none"], "unknown_document"),
        (["draft", "--ticket", "none"], "not_found"),
        (["draft", "--file", "none.json"], "not_found"),
        (["draft", "-"], "invalid_input"),
        (["search", "x", "--as", "none"], "not_found"),
    ],
)
def test_what_cannot_be_done_ends_with_status_one_and_a_hint(
    run: Run, arguments: list[str], code: str
) -> None:
    programs = run(*arguments)
    people = run(*arguments, as_json=False)

    assert programs.status == people.status == 1
    assert programs.error["code"] == code
    assert people.out == ""
    assert people.err == f"{programs.error['message']}\n{programs.error['hint']}\n"


# Bad documents


def test_every_bad_document_gets_its_sentence_and_the_good_ones_go_in(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    files: dict[str, bytes] = {
        "00-good.md": ERRORS_PAGE.encode(),
        "01-zero.pdf": b"",
        "02-blank.txt": b" \n\t\n ",
        "03-encrypted.pdf": _pdf(1, encrypt="secret"),
        "04-scan.pdf": _pdf(2, text=False),
        "05-mislabelled.pdf": b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        "06-mislabelled.docx": b"%PDF-1.7 not really",
        "07-cut.pdf": _pdf(5)[:400],
        "08-program.exe": b"MZ" + b"\0" * 100,
        "09-twin.md": ERRORS_PAGE.encode(),
        "10-good.html": SHIPPING_PAGE.encode(),
        "11-long.pdf": _pdf(300),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)

    result = run("ingest", folder)

    assert result.status == 0
    rows = {row["source"]: row for row in result.json["documents"]}
    assert set(rows) == set(files)
    status = {name: row["status"] for name, row in rows.items()}
    for name in ("00-good.md", "10-good.html", "11-long.pdf"):
        assert (status[name], rows[name]["error"]) == ("indexed", None), rows[name]
    assert rows["11-long.pdf"]["pages"] == 300
    assert status["09-twin.md"] == "duplicate"
    assert rows["09-twin.md"]["document_id"] == rows["00-good.md"]["document_id"]
    sentences = {
        "01-zero.pdf": "the file is empty",
        "02-blank.txt": "",
        "03-encrypted.pdf": "protected by a password",
        "04-scan.pdf": "no text was found on its 2 page(s)",
        "05-mislabelled.pdf": "",
        "06-mislabelled.docx": "",
        "07-cut.pdf": "",
        "08-program.exe": "cannot be read",
    }
    for name, sentence in sentences.items():
        row = rows[name]
        assert row["status"] in {"failed", "quarantined"}, row
        assert row["passages"] == 0
        assert row["error"].startswith(f"{name}: ")
        assert sentence in row["error"]
        assert row["error"].endswith(".")
    assert "Traceback" not in result.err

    again = {row["source"]: row["status"] for row in run("ingest", folder).json["documents"]}
    assert {name for name, ended in again.items() if ended == "unchanged"} == {
        "00-good.md",
        "10-good.html",
        "11-long.pdf",
    }


def test_where_not_one_document_goes_in_the_command_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "none").mkdir()

    bad = run("ingest", tmp_path / "empty.txt")
    missing = run("ingest", tmp_path / "absent.md")
    nothing = run("ingest", tmp_path / "none")

    assert (bad.status, missing.status, nothing.status) == (1, 1, 1)
    assert [row["status"] for row in bad.json["documents"]] == ["failed"]
    assert "no such file or folder" in missing.json["documents"][0]["error"]
    assert nothing.json["documents"] == []


def test_an_export_with_bad_lines_takes_the_good_ones_in(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    lines = [
        json.dumps({"id": "a", "title": "Error codes", "markdown": ERRORS_PAGE}),
        "not JSON",
        json.dumps({"id": "b", "title": "No content"}),
        json.dumps({"id": 17, "title": "Shipping", "html": "<p>A parcel takes three days.</p>"}),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")

    result = run("ingest", file)

    assert result.status == 0
    assert [(row["source"], row["status"]) for row in result.json["documents"]] == [
        ("a", "indexed"),
        ("export.jsonl line 2", "failed"),
        ("export.jsonl line 3", "failed"),
        ("17", "indexed"),
    ]


# Language models


def test_a_model_behind_a_url_writes_the_draft(
    run: Run, pages: Path, scripted: ScriptedServer
) -> None:
    run("ingest", pages, "--visibility", "public")
    scripted.enqueue(Reply("Hello,\n\nno water flows through the brew group [Passage 1].\n"))

    document = run("draft", "-", "--model", "openai/scripted", stdin=json.dumps(TICKET)).json

    assert (document["status"], document["model"]) == ("drafted", "openai/scripted")
    assert document["text"] == "Hello,\n\nno water flows through the brew group [1]."
    [claim] = document["claims"]
    assert claim["citations"][0]["quote"] == "no water flows through the brew group"
    assert document["cost_usd"] is None
    assert document["usage"]["completion_tokens"] == 10
    assert 0 < document["prompt"]["tokens"] <= document["prompt"]["budget"]
    assert document["prompt"]["passages"] == 2
    [request] = scripted.requests
    assert request.headers["authorization"] == "Bearer sk-our-own-key"


def test_a_ticket_of_200_000_characters_is_drafted_all_the_same(
    run: Run, pages: Path, scripted: ScriptedServer
) -> None:
    run("ingest", pages, "--visibility", "public")
    body = f"{TICKET['body']} " + "It still does not work and I am not amused. " * 4_600
    assert len(body) > 200_000
    scripted.enqueue(Reply("Fill the tank and press the reset button for 10 seconds [1]."))

    result = run(
        "draft", "-", "--model", "openai/scripted", stdin=json.dumps(TICKET | {"body": body})
    )
    embedded = run("draft", "--ticket", "T-1")

    assert (result.status, result.json["status"]) == (0, "drafted")
    assert result.json["prompt"]["tokens"] <= result.json["prompt"]["budget"]
    assert "[… cut …]" in scripted.requests[0].prompt
    assert embedded.status == 0


def test_a_draft_that_broke_off_is_not_called_drafted(
    run: Run, pages: Path, scripted: ScriptedServer
) -> None:
    run("ingest", pages, "--visibility", "public")
    scripted.enqueue(Reply("Fill the tank and press the reset button [1].", fault=Fault.CUT))

    document = run("draft", "-", "--model", "openai/scripted", stdin=json.dumps(TICKET)).json

    assert (document["status"], document["reason"]) == ("incomplete", "cut")
    assert document["text"].startswith("Fill the tank")


@pytest.mark.parametrize(
    ("model", "status", "told"),
    [
        ("no-such-model", 200, ("unknown_model", "no-such-model")),
        ("no-such-provider/model", 200, ("unknown_model", "no-such-provider/model")),
        ("mixtral-8x7b-groq", 200, ("retired_model", "Groq ended it")),
        ("openai/scripted", 401, ("missing_key", "the API key is missing or wrong")),
        ("openai/scripted", 404, ("unknown_model", "openai/scripted")),
        ("openai/scripted", 429, ("model_unavailable", "asked too often")),
        ("openai/scripted", 500, ("model_unavailable", "its server failed (HTTP 500)")),
    ],
)
def test_a_model_that_cannot_be_used_is_named_with_what_to_do(
    run: Run, pages: Path, scripted: ScriptedServer, model: str, status: int, told: tuple[str, str]
) -> None:
    run("ingest", pages, "--visibility", "public")
    scripted.enqueue(*[Reply("sk-SECRET123 is wrong", status=status)] * 3)

    result = run("draft", "-", "--model", model, stdin=json.dumps(TICKET))

    assert (result.status, result.error["code"]) == (1, told[0])
    assert told[1] in result.error["message"]
    assert "SECRET" not in result.out + result.err
    assert "sk-our-own-key" not in result.out + result.err


def test_a_provider_out_of_reach_is_said_to_be_so(
    run: Run, pages: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ingest", pages, "--visibility", "public")
    monkeypatch.setenv("COPILOT_MODEL_URL", "http://127.0.0.1:9/v1")

    result = run("draft", "-", "--model", "openai/scripted", stdin=json.dumps(TICKET))

    assert (result.status, result.error["code"]) == (1, "model_unavailable")
    assert "it cannot be reached" in result.error["message"]
    assert "extractive" in result.error["hint"]


# The installed program


@pytest.fixture(scope="module")
def installed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home into which the program itself has taken two documents."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "errors.md").write_text(ERRORS_PAGE, encoding="utf-8")
    (folder / "shipping.html").write_text(SHIPPING_PAGE, encoding="utf-8")
    (folder / "bad.pdf").write_bytes(b"")
    home = folder / "home"
    result = _program(
        "--home", home, "ingest", *sorted(folder.glob("*.*")), "--visibility", "public", "--json"
    )
    assert result.status == 0, result.err
    assert {row["status"] for row in result.json["documents"]} == {"indexed", "failed"}
    assert result.json["passages_per_second"] > 0
    return home


def _program(*arguments: str | Path, stdin: str = "") -> Result:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COPILOT_")
    }
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_the_program_searches_what_it_took_in(installed_home: Path) -> None:
    result = _program("search", "What does E17 mean?", "--json", "--home", installed_home)

    assert result.status == 0
    assert result.json["hits"][0]["source"] == "errors.md"
    assert result.json["hits"][0]["score"] > 0.3


def test_the_program_drafts_and_its_quotes_can_be_re_read(installed_home: Path) -> None:
    home = f"--home={installed_home}"
    draft = _program(home, "--json", "draft", "-", stdin=json.dumps(TICKET))

    cited = draft.json["claims"][0]["citations"][0]
    shown = _program("documents", "show", cited["document_id"], "--text", home)

    assert draft.status == shown.status == 0
    assert shown.out[cited["quote_start"] : cited["quote_end"]] == cited["quote"]
    assert _program("audit", "verify", home, "--json").json["valid"] is True


def test_the_program_says_in_one_line_what_is_wrong(installed_home: Path) -> None:
    usage = _program("search", "--home", installed_home, "--json")
    failure = _program("documents", "show", "none", "--home", installed_home)

    assert (usage.status, usage.error["code"]) == (2, "usage")
    assert (failure.status, failure.out) == (1, "")
    assert failure.err.splitlines()[0] == "There is no document none."


def test_the_program_survives_a_reader_who_leaves(installed_home: Path) -> None:
    command = f"'{PROGRAM}' documents --home '{installed_home}' | true; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
