"""The command that measures drafts on the desk as it is, and leaves it so."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app import console
from app.commands.tickets import read_tickets
from app.services import Services
from ingest.access import Scope
from ingest.errors import CopilotError
from rag.draft_figures import SHARES, by_model, by_prompt, figures
from rag.evaluate_drafts import JudgedTicket, Outcome, evaluate
from rag.writing import Writer

WIDTH = 26


def drafts(services: Services, file: Path, model: str | None) -> None:
    """Draft each ticket of a file, judge the drafts, keep none; print counts, shares and faults.

    A ticket whose draft fails is named and counted, and the next one follows.
    """
    tickets, errors = read_tickets(file, JudgedTicket)
    outcomes, failures = _drafted(services, tickets, services.writer(model))
    document = {
        **figures(outcomes),
        "tickets": len(tickets),
        "failed": len(failures),
        "models": by_model(outcomes),
        "prompts": by_prompt(outcomes),
        "errors": [*errors, *failures],
        "outcomes": [_row(outcome) for outcome in outcomes],
    }
    console.show(document, list(_lines(document)))
    if not outcomes:
        raise SystemExit(1)


def _drafted(
    services: Services, tickets: Sequence[JudgedTicket], writer: Writer | None
) -> tuple[list[Outcome], list[str]]:
    outcomes, failures = [], []
    # What an agent without labels would be shown.
    scope = Scope.of_staff(frozenset())
    for number, ticket in enumerate(tickets, start=1):
        try:
            outcomes.append(evaluate(services.drafter, ticket, scope, writer))
        except CopilotError as error:
            failures.append(f"{ticket.id}: {error}")
        console.progress(f"{number} of {len(tickets)} tickets")
    console.progress("")
    return outcomes, failures


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "ticket": outcome.ticket,
        "answerable": outcome.answerable,
        "status": "drafted" if outcome.is_drafted else outcome.status,
        "reason": outcome.reason,
        "model": outcome.model,
        "prompt_version": outcome.prompt_version,
        "citation_precision": outcome.citation_precision,
        "citation_recall": outcome.citation_recall,
        "groundedness": outcome.groundedness,
        "must_met": outcome.must_met,
        "missing": outcome.missing,
        "forbidden": outcome.forbidden,
        "numbers_wrong": outcome.numbers_wrong,
        "text": outcome.text,
        "seconds": round(outcome.seconds, 3),
    }


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{document['tickets']} tickets, {document['answerable']} of them with an answer:"
        f" {document['drafted']} drafted, {document['abstained']} abstained,"
        f" {document['incomplete']} incomplete, {document['failed']} failed"
    )
    yield ""
    yield from _shares("all", document)
    if len(document["models"]) > 1:
        for model, found in document["models"].items():
            yield from _shares(model, found)
    for prompt, found in document["prompts"].items():
        yield from _shares(f"prompt {prompt}", found)
    yield from (f"  {fault}" for row in document["outcomes"] for fault in _faults(row))
    yield from document["errors"]


def _shares(title: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of shares, each with its 95 % interval where it has one."""
    yield f"{title} ({found['tickets']} tickets, {found['claims']} claims)"
    for name in SHARES:
        mean, bounds = found[name], found["intervals"][name]
        share = "-" if mean is None else f"{mean:.3f}"
        between = f"  {bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""
        yield f"  {name.replace('_', ' '):{WIDTH}}{share:>6}{between}"
    for name in ("must_not_violated", "numbers_wrong"):
        yield f"  {name.replace('_', ' '):{WIDTH}}{found[name]:>6}"
    yield ""


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with a ticket's draft, or that it should not be or is not there."""
    is_drafted = row["status"] == "drafted"
    if is_drafted != row["answerable"]:
        expected = "has an answer" if row["answerable"] else "has no answer"
        yield f"{row['ticket']} {expected} and is {row['status']}: {row['reason'] or ''}".rstrip(
            ": "
        )
    for name, what in (
        ("missing", "does not say"),
        ("forbidden", "must not say"),
        ("numbers_wrong", "has numbers that its sources do not have:"),
    ):
        if row[name]:
            yield f"{row['ticket']} {what} {' · '.join(row[name])}"
