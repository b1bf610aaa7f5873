"""Has a small model read a ticket before anybody does, and keeps what it makes of it."""

import time

from rag import records
from rag.chain import Chain
from rag.errors import RagError
from rag.outgoing import outgoing
from rag.pipeline import Drafter
from rag.tables import ModelCall, Ticket
from rag.triage import Triage, triage
from rag.writing import Writer


def sort(drafter: Drafter, ticket_id: str, actor: str, writer: Writer) -> Triage | None:
    """Ask a model what a ticket is about; None where it does not say, or may not be asked.

    The same rules hold as for drafts: personal data is masked, regions and the month's limit hold.

    Raises:
        RagError: The model did not answer at all.
    """
    with drafter.database.read() as session:
        facts = records.facts(session, ticket_id, actor)
        regions = drafter.house(session).regions
    # Nobody waits for it: where it may not be asked, the ticket is drafted without.
    chain = Chain(writer, regions, drafter.may_pay, drafter.breakers)
    found = None
    for each in chain:
        ticket = outgoing(facts, masked=drafter.masks(each.route))
        begun, outcome = time.perf_counter(), "complete"
        try:
            found = triage(each.chat, ticket.subject, ticket.thread)
        except RagError as error:
            outcome = error.code
            chain.failed(each.route, error)
            raise
        finally:
            seconds = time.perf_counter() - begun
            call = ModelCall(model=each.route.name, outcome=outcome, seconds=seconds)
            with drafter.database.write() as session:
                session.add(call)
    if found is not None:
        with drafter.database.write() as session:
            session.get_one(Ticket, ticket_id).triage = found.model_dump()
    return found
