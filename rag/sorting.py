"""Has a small model read a ticket before anybody does, and keeps what it makes of it."""

import time

from rag import records
from rag.chain import Chain
from rag.errors import RagError
from rag.llm import Completion
from rag.outgoing import Outgoing, outgoing
from rag.pipeline import Drafter
from rag.records import said
from rag.replies import COMPLETE
from rag.tables import Ticket
from rag.topics import blocked
from rag.triage import Triage, triage
from rag.writing import Call, Writer


def sort(drafter: Drafter, ticket_id: str, actor: str, writer: Writer) -> Triage | None:
    """Ask a model what a ticket is about; None where it does not say, or may not be asked.

    The same rules hold as for drafts: topics are left to people, personal data is masked, regions
    and the month's limit hold.

    Raises:
        RagError: The model did not answer at all.
    """
    with drafter.database.read() as session:
        facts = records.facts(session, ticket_id, actor)
        house = drafter.house(session)
    if blocked(said(facts), house.topics) is not None:
        return None
    chain = Chain(writer, house.regions, drafter.may_pay, drafter.breakers)
    found = None
    for each in chain:
        ticket = outgoing(facts, masked=drafter.masks(each.route))
        found = _asked(drafter, chain, each, ticket)
    if found is not None:
        with drafter.database.write() as session:
            session.get_one(Ticket, ticket_id).triage = found.model_dump()
    return found


def _asked(drafter: Drafter, chain: Chain, writer: Writer, ticket: Outgoing) -> Triage | None:
    call = Call(writer.route, None, None, Completion())
    begun = time.perf_counter()
    try:
        found = triage(writer.chat, ticket.subject, ticket.thread, call.completion)
    except RagError as error:
        call.outcome = error.code
        chain.failed(writer.route, error)
        raise
    else:
        call.outcome = call.completion.incomplete or COMPLETE
        chain.answered(writer.route, broke_off=call.completion.incomplete in {"cut", "stalled"})
        return found
    finally:
        call.seconds = time.perf_counter() - begun
        with drafter.database.write() as session:
            records.add_calls(session, [call])
