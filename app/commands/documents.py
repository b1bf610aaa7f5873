"""Commands about documents."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from app import console
from app.services import Services
from ingest import library, life, sources
from ingest.messages import catalogue
from ingest.tables import Job, Outcome, Visibility

ACTOR = "command line"


def ingest(
    services: Services,
    paths: list[Path],
    owner: str | None,
    visibility: str | None,
    labels: list[str] | None,
) -> None:
    """Queue documents, see them through, and say how each ended."""
    begun = time.perf_counter()
    details = _details(owner, visibility, labels)
    ids = sources.submit(services.database, services.files, sources.uploads(paths, details), ACTOR)
    services.worker.finish(ids, lambda done: console.progress(f"{done} of {len(ids)} documents"))
    console.progress("")
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


def list_documents(services: Services) -> None:
    """List all documents."""
    with services.database.read() as session:
        entries = library.entries(session)
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


def _details(owner: str | None, visibility: str | None, labels: list[str] | None) -> dict[str, Any]:
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
    return {
        "source": job.source,
        "status": job.outcome,
        "document_id": job.document_id,
        "passages": job.passages,
        "pages": job.pages,
        "error": _error(job),
    }


def _error(job: Job) -> str | None:
    if job.error_code is None:
        return None
    entry = catalogue("ingest", "en")[job.error_code]
    return f"{entry['message']} {entry['hint']}".format(**job.error_fields)


def _line(row: dict[str, Any]) -> str:
    return f"{row['status']:<12}{row['source']}" + (f"\n    {row['error']}" if row["error"] else "")
