"""Commands about documents."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from app import console
from app.services import Services
from ingest import folders, library, life, sources
from ingest.db import now
from ingest.errors import CancelledError
from ingest.folders import Plan
from ingest.messages import catalogue
from ingest.tables import Job, Outcome, Visibility

ACTOR = "command line"


def ingest(services: Services, paths: list[Path], given: dict[str, Any]) -> None:
    """Queue documents, see them through, and say how each ended."""
    begun = time.perf_counter()
    items = sources.uploads(paths, details(**given))
    ids = sources.submit(services.database, services.files, items, ACTOR)
    _see_through(services, ids)
    seconds = time.perf_counter() - begun
    results = [_result(job) for job in _jobs(services, ids)]
    embedded = sum(row["passages"] for row in results if row["status"] == Outcome.INDEXED)
    document = {
        "documents": results,
        "seconds": round(seconds, 3),
        "passages_per_second": round(embedded / seconds, 1),
    }
    console.show(document, [*map(_line, results), f"{len(results)} documents, {seconds:.1f} s"])
    if not results or all(row["status"] in {"failed", "quarantined"} for row in results):
        raise SystemExit(1)


def synchronise(services: Services, folder: Path, given: dict[str, Any], *, dry_run: bool) -> None:
    """Bring documents in step with a folder: moved, added, changed, and last of all removed."""
    plan = folders.plan(services.database, folder, details(**given))
    results: list[dict[str, Any]] = []
    if not dry_run:
        folders.move_documents(services.database, plan.move, ACTOR)
        results = _take_in(services, plan, details(**given))
        folders.remove_documents(services.database, plan, ACTOR)
    document = {**asdict(plan), "dry_run": dry_run, "documents": results}
    console.show(document, [*_plan_lines(plan), *map(_line, results)])


def _take_in(services: Services, plan: Plan, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Take in the files of a plan; again what a document blocked that has other bytes now."""
    results: dict[str, dict[str, Any]] = {}
    wanted, blocked = frozenset[str](), plan.uploaded
    while blocked and blocked != wanted:
        wanted = blocked
        items = folders.changed_uploads(plan, wanted, given)
        ids = sources.submit(services.database, services.files, items, ACTOR)
        _see_through(services, ids)
        results |= {row["source"]: row for row in map(_result, _jobs(services, ids))}
        blocked = frozenset(
            source for source in wanted if results[source]["status"] == Outcome.DUPLICATE
        )
    return list(results.values())


def _plan_lines(plan: Plan) -> list[str]:
    return [
        *(f"move      {move.source} -> {move.to}" for move in plan.move),
        *(f"add       {source}" for source in plan.add),
        *(f"change    {source}" for source in plan.change),
        *(
            f"conflict  {source} (a document of another folder; left alone)"
            for source in plan.conflict
        ),
        *(f"withdrawn {source} (by hand; left alone)" for source in plan.withdrawn),
        *(f"remove    {source}" for source in plan.remove),
        f"{plan.unchanged} unchanged",
    ]


def list_documents(services: Services, *, stale: bool) -> None:
    """List all documents, or those whose review date has passed."""
    with services.database.read() as session:
        entries = library.stale(session, now().date()) if stale else library.entries(session)
    rows = [
        {
            "document_id": entry.document.id,
            "source": entry.document.source,
            "title": entry.document.title,
            "owner": entry.document.owner,
            "visibility": entry.document.visibility,
            "labels": entry.document.labels,
            "status": entry.version.status,
            "version": entry.version.number,
            "language": entry.version.language,
            "passages": entry.version.passages,
            "review_by": str(entry.document.review_by) if entry.document.review_by else None,
            "folder": entry.document.folder,
        }
        for entry in entries
    ]
    lines = [
        f"{row['document_id']}  {row['status']:<10} v{row['version']}  {row['title']}"
        for row in rows
    ]
    console.show({"documents": rows}, lines or ["No documents yet."])


def show(services: Services, document_id: str, number: int | None, *, text: bool) -> None:
    """Show one version of a document, the newest by default."""
    with services.database.read() as session:
        entry = library.entry(session, document_id, number)
    version = entry.version
    document: dict[str, Any] = {
        "document_id": document_id,
        "title": version.title,
        "source": entry.document.source,
        "version": version.number,
        "status": version.status,
        "sha256": version.sha256,
    }
    if text:
        document["text"] = version.text
        console.show(document, [version.text])
        return
    console.show(document, [f"{name}: {value}" for name, value in document.items()])


def withdraw(services: Services, document_id: str) -> None:
    """Take a document out of search."""
    with services.database.write() as session:
        life.withdraw_document(session, document_id, ACTOR)
    console.show({"document_id": document_id, "status": "withdrawn"}, [f"{document_id} withdrawn"])


def restore(services: Services, document_id: str, number: int) -> None:
    """Make the text of an earlier version current again."""
    with services.database.write() as session:
        version = life.restore_version(session, document_id, number, ACTOR)
    document = {"document_id": document_id, "version": version.number, "status": version.status}
    console.show(document, [f"{document_id} is version {version.number} now, the text of {number}"])


def _see_through(services: Services, ids: list[str]) -> None:
    services.worker.finish(ids, lambda done: console.progress(f"{done} of {len(ids)} documents"))
    console.progress("")


def details(owner: str | None, visibility: str | None, labels: list[str] | None) -> dict[str, Any]:
    """Return what the options say of documents; what they leave out stays as it is."""
    if visibility is not None and visibility not in set(Visibility):
        kinds = ", ".join(Visibility)
        message = f"Visibility “{visibility}” is not one of {kinds}."
        raise typer.BadParameter(message)
    given = {"owner": owner, "visibility": visibility, "labels": labels}
    return {name: value for name, value in given.items() if value is not None}


def _jobs(services: Services, ids: list[str]) -> Iterable[Job]:
    with services.database.read() as session:
        for job_id in ids:
            yield session.get_one(Job, job_id)


def _result(job: Job) -> dict[str, Any]:
    cancelled = job.outcome == Outcome.CANCELLED
    return {
        "source": job.source,
        "status": Outcome.FAILED if cancelled else job.outcome,
        "document_id": job.document_id,
        "passages": job.passages,
        "pages": job.pages,
        "error": _error(job),
    }


def _error(job: Job) -> str | None:
    if job.outcome == Outcome.CANCELLED:
        return str(CancelledError(title=job.file_name))
    if job.error_code is None:
        return None
    entry = catalogue("ingest", "en")[job.error_code]
    return f"{entry['message']} {entry['hint']}".format(**job.error_fields)


def _line(row: dict[str, Any]) -> str:
    return f"{row['status']:<12}{row['source']}" + (f"\n    {row['error']}" if row["error"] else "")
