"""The command that learns from solved tickets."""

from pathlib import Path
from typing import Any

from app import console
from app.commands.tickets import ACTOR, read_tickets
from app.services import Services
from rag.tickets import TicketLine, save


def learn(services: Services, history: Path | None) -> None:
    """Take a history in, if one is given, and learn from all solved tickets of the desk."""
    if history is not None:
        errors = import_history(services, history, known=frozenset())
        for error in errors:
            console.progress(error)
    lesson = services.learner.learn(ACTOR, _show)
    console.progress("")
    document = {"head_id": lesson.head_id, "promoted": lesson.promoted, **lesson.card}
    console.show(document, _lines(document))


def import_history(services: Services, history: Path, *, known: frozenset[str]) -> list[str]:
    """Import the solved tickets of a file, but those whose id or text is known; return errors."""
    lines, errors = read_tickets(history, TicketLine)
    with services.database.write() as session:
        for line in lines:
            if known.isdisjoint({line.id, f"{line.subject}\n{line.body}", line.body}):
                save(session, line)
    return errors


def _show(done: int, total: int) -> None:
    console.progress(f"{done} of {total} solved tickets")


def _lines(document: dict[str, Any]) -> list[str]:
    gain = document["recall@5"]
    verdict = "A new head serves" if document["promoted"] else "Nothing was changed"
    return [
        f"{verdict}: {document['reason']}.",
        f"{document['cases']} solved tickets, {document['held_back']} of them held back:"
        f" recall@5 {gain['before']} without the head, {gain['after']} with it.",
    ]
