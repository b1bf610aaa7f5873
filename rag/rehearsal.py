"""Drafts as a desk would make them now, of tickets that it does not have; nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.access import Scope
from rag.pipeline import Drafter, DraftStream, Wish
from rag.records import Facts, Finished
from rag.tables import Author
from rag.tickets import TicketLine
from rag.writing import Call, Writer

ACTOR = "evaluation"


@dataclass
class Rehearsed:
    """What came of a ticket; `finished` is None where a model failed."""

    finished: Finished | None = None
    calls: list[Call] = field(default_factory=list)


class Rehearsal(DraftStream):
    """A draft that is made and not kept: neither it nor a gap, an event or a cost."""

    def __init__(
        self, drafter: Drafter, line: TicketLine, scope: Scope, writer: Writer | None
    ) -> None:
        """Prepare a draft; a model is asked afresh, whatever it said to the same before."""
        super().__init__(drafter, _facts(line), scope, writer, Wish(afresh=True))
        self.result = Rehearsed()

    def run(self) -> Finished:
        """Make the draft.

        Raises:
            RagError: The one model that may write did not answer.
        """
        for _ in self:
            pass
        if self.result.finished is None:
            message = "a draft ended without an end"
            raise RuntimeError(message)
        return self.result.finished

    def _record(self, finished: Finished) -> None:
        self.result.finished = finished

    def _record_calls(self, calls: Sequence[Call]) -> None:
        self.result.calls += calls


def _facts(line: TicketLine) -> Facts:
    """Return a ticket as it stood before anybody answered: its `replies` are left out."""
    names = [str(line.customer["name"])] if line.customer.get("name") else []
    later = [(Author(entry.author), entry.body) for entry in line.thread]
    messages = [(Author.CUSTOMER, line.body), *later]
    return Facts(line.id, ACTOR, line.subject, line.language, line.product, names, messages)
