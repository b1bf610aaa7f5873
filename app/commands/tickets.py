"""Commands about tickets and their drafts."""

import json
import sys
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import ValidationError

from app import console
from app.errors import InvalidInputError, NotFoundError
from app.services import Services
from app.workflow import drafts
from ingest.access import Scope
from rag.tables import DraftStatus, Ticket
from rag.tickets import TicketLine, save

ACTOR = "command line"
Line = TypeVar("Line", bound=TicketLine)


def import_file(services: Services, file: Path) -> None:
    """Import a file of tickets, one JSON a line; a bad line is named and the rest goes on."""
    lines, errors = read_tickets(file, TicketLine)
    with services.database.write() as session:
        for line in lines:
            save(session, line)
    console.show(
        {"imported": len(lines), "errors": errors}, [*errors, f"{len(lines)} tickets imported"]
    )
    if errors and not lines:
        raise SystemExit(1)


def read_tickets(file: Path, kind: type[Line]) -> tuple[list[Line], list[str]]:
    """Return the tickets of a file, each of this kind, and what is wrong with its other lines.

    Raises:
        NotFoundError: There is no such file.
    """
    if not file.is_file():
        raise NotFoundError(what=f"file {file}")
    tickets: list[Line] = []
    errors: list[str] = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                if text.strip():
                    tickets.append(_parse(text, f"Line {number}", kind))
            except InvalidInputError as error:
                errors.append(str(error))
    return tickets, errors


def draft(services: Services, ticket_id: str | None, file: Path | None, model: str | None) -> None:
    """Draft a reply to a ticket of the desk, or to one handed over as JSON."""
    if (ticket_id is None) == (file is None):
        message = "One of --ticket, --file or - is needed, and no more than one."
        raise typer.BadParameter(message)
    if file is not None:
        ticket_id = _hand_over(services, file)
    with services.database.read() as session:
        if session.get(Ticket, ticket_id) is None:
            raise NotFoundError(what=f"ticket {ticket_id}")
    writer = services.writer(model)
    stream = services.drafter.draft(str(ticket_id), ACTOR, Scope.everything(), writer)
    shown = ""
    for piece in stream:
        if not console.options.as_json:
            shown += piece
            sys.stdout.write(piece)
            sys.stdout.flush()
    with services.database.read() as session:
        view = drafts.read(session, str(stream.draft_id))
    # Sources that were mended, greeting and sign-off come only in the end.
    text = [] if shown.strip() == view.text.strip() else ["", view.text]
    console.show(_document(view), ["", *text, *_summary(view)])


def _hand_over(services: Services, file: Path) -> str:
    if str(file) == "-":
        text = sys.stdin.read()
    elif file.is_file():
        text = file.read_text(encoding="utf-8", errors="replace")
    else:
        raise NotFoundError(what=f"file {file}")
    with services.database.write() as session:
        return save(session, _parse(text, "The ticket", TicketLine)).id


def _parse(text: str, what: str, kind: type[Line]) -> Line:
    try:
        return kind.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"{part}: " for part in first["loc"])
        raise InvalidInputError(what=what, why=f"{place}{first['msg'].lower()}") from error
    except ValueError as error:
        raise InvalidInputError(what=what, why="it is not JSON") from error


def _document(view: drafts.DraftView) -> dict[str, Any]:
    draft_row = view.draft
    left_out = [entry for entry in draft_row.ledger if not entry["included"]]
    return {
        "draft_id": draft_row.id,
        "status": "drafted" if draft_row.status == DraftStatus.READY else draft_row.status,
        "reason": draft_row.reason,
        "notes": draft_row.notes,
        "attribution": draft_row.attribution,
        "text": draft_row.text,
        "model": draft_row.model,
        "claims": [_claim(claim) for claim in view.claims],
        "prompt": {
            "tokens": draft_row.prompt_tokens,
            "budget": draft_row.budget_tokens,
            "passages": len(draft_row.ledger) - len(left_out),
            "dropped": left_out,
        },
        "usage": draft_row.usage,
        "cost_usd": draft_row.cost_usd,
        "seconds": round(draft_row.seconds, 3),
    }


def _claim(view: drafts.ClaimView) -> dict[str, Any]:
    return {
        "text": view.claim.text,
        "start": view.claim.start,
        "end": view.claim.end,
        "citations": [
            {
                "marker": cited.citation.marker,
                "document_id": cited.document.id,
                "source": cited.document.source,
                "first_page": cited.passage.first_page,
                "quote": cited.citation.quote,
                "quote_start": cited.citation.quote_start,
                "quote_end": cited.citation.quote_end,
                "verdict": cited.machine.label if cited.machine else None,
                "probability": cited.machine.score if cited.machine else None,
            }
            for cited in view.citations
        ],
    }


def _summary(view: drafts.DraftView) -> list[str]:
    row = view.draft
    said = [f"{row.status}: {row.reason}", *filter(None, row.notes.values())] if row.reason else []
    if row.status != DraftStatus.READY:
        return said
    cited = {c.citation.marker: c for claim in view.claims for c in claim.citations}
    return [*said, *map(_source, cited.values())]


def _source(cited: drafts.CitationView) -> str:
    page = f", page {cited.passage.first_page}" if cited.passage.first_page else ""
    return f"[{cited.citation.marker}] {cited.version.title}{page}"
