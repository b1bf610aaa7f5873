"""What becomes of a draft when its model fails, fault by fault, over real HTTP.

Prints a table with the patience that hosted routes are given. A fault that is met before the first
words leaves a draft by the embedded drafter that says why; a later one leaves what came, which
cannot be approved as it is.

usage: python -m tests.failure.model_faults
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import InvalidInputError
from app.workflow import approving
from ingest.access import Scope
from rag import provider
from rag.breaker import Breakers
from rag.llm import HOSTED, LiteLlmModel, Patience
from rag.models import Model
from rag.pipeline import Wish
from rag.tables import Draft, DraftStatus
from rag.writing import Writer
from tests.openai_server import Fault, Reply, ScriptedServer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, QUESTION

TEXT = "Error E17 means that no water flows through the brew group of the Aria 700 [1]. " * 4
FIRST_SIGN_SECONDS, END_SECONDS, MAX_REQUESTS = 20.0, 90.0, 3
# Longer than any patience.
SILENCE = 120.0


@dataclass(frozen=True, slots=True)
class Case:
    """A fault with the state that it is to leave: who wrote, and why the draft is not whole."""

    name: str
    replies: Sequence[Reply]
    by: str
    reason: str | None


CASES = [
    Case("no fault", [Reply(TEXT)], "own", None),
    Case("429", [Reply("slow down", status=429)] * 4, "extractive", "failed"),
    Case(
        "429, Retry-After 1, then well",
        [Reply("slow down", status=429, headers={"Retry-After": "1"}), Reply(TEXT)],
        "own",
        None,
    ),
    Case("500", [Reply("oh", status=500)] * 4, "extractive", "failed"),
    Case("500, then well", [Reply("oh", status=500), Reply(TEXT)], "own", None),
    Case("401", [Reply("bad key", status=401)] * 4, "extractive", "failed"),
    Case("404", [Reply("no such model", status=404)] * 4, "extractive", "failed"),
    Case("hang", [Reply(TEXT, fault=Fault.HANG, seconds=SILENCE)] * 4, "extractive", "failed"),
    Case("HTML, status 200", [Reply(fault=Fault.HTML)] * 4, "extractive", "failed"),
    Case("stall", [Reply(TEXT, fault=Fault.STALL, seconds=SILENCE)], "own", "stalled"),
    Case("cut, no finish reason", [Reply(TEXT, fault=Fault.CUT)], "own", "cut"),
    Case("connection reset", [Reply(TEXT, fault=Fault.RESET, delay=0.02)], "own", "cut"),
    Case("error event", [Reply(TEXT, fault=Fault.SSE_ERROR)], "own", "cut"),
    Case("end without a word", [Reply("x", fault=Fault.CUT)] * 4, "extractive", "failed"),
    Case("empty", [Reply(TEXT, fault=Fault.EMPTY)] * 4, "extractive", "failed"),
    Case("length", [Reply(TEXT, fault=Fault.LENGTH)], "own", "length"),
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a case."""

    draft: Draft
    requests: int
    first_seconds: float
    seconds: float
    can_be_approved: bool

    def is_right(self, case: Case, slack: float = 1.0) -> bool:
        """Tell whether the state is the right one, in time; `slack` scales the times."""
        whole = case.reason in {None, "failed"}
        status = DraftStatus.READY if whole else DraftStatus.INCOMPLETE
        return (
            (self.draft.model, self.draft.reason) == (case.by, case.reason)
            and self.draft.status == status
            and self.can_be_approved == whole
            and self.requests <= MAX_REQUESTS
            and self.first_seconds <= FIRST_SIGN_SECONDS * slack
            and self.seconds <= END_SECONDS * slack
        )


@contextmanager
def faulty_desk(home: Path) -> Iterator[tuple[TestDesk, ScriptedServer]]:
    """Yield a desk with one document and a ticket about it, and a server to draft with."""
    provider.load()
    desk = TestDesk(home)
    desk.publish("errors", E17)
    desk.ticket(QUESTION)
    with ScriptedServer() as server:
        yield desk, server
    desk.database.close()


def writer(server: ScriptedServer, patience: Patience) -> Writer:
    """Return a writer that gives way to the embedded drafter."""
    route = Model("own", "openai/scripted", 8_192, "mistral-v1", url=server.url, key="k")
    return Writer(route, LiteLlmModel(route, patience), stand_ins=())


def see(desk: TestDesk, server: ScriptedServer, case: Case, patience: Patience) -> Seen:
    """Have a draft made while the model fails."""
    server.requests.clear()
    server.enqueue(*case.replies)
    drafter = replace(desk.drafter, breakers=Breakers())
    begun = time.monotonic()
    model = writer(server, patience)
    wish = Wish(afresh=True)
    stream = drafter.draft("T-1", "ann@example.com", Scope.everything(), model, wish)
    first = None
    for piece in stream:
        if piece and first is None:
            first = time.monotonic() - begun
    seconds = time.monotonic() - begun
    requests = len(server.requests)
    server.forget()
    with desk.database.read() as session:
        draft = session.get_one(Draft, stream.draft_id)
        try:
            approving.check_settleable(session, draft, draft.text)
        except InvalidInputError:
            can_be_approved = False
        else:
            can_be_approved = True
    return Seen(draft, requests, first or seconds, seconds, can_be_approved)


def main() -> int:
    """Print the table."""
    right = 0
    sys.stdout.write(f"{'fault':32s}{'by':12s}{'state':12s}first s  all s  requests  right\n")
    with tempfile.TemporaryDirectory() as folder, faulty_desk(Path(folder)) as (desk, server):
        for case in CASES:
            seen = see(desk, server, case, HOSTED)
            right += seen.is_right(case)
            sys.stdout.write(
                f"{case.name:32s}{seen.draft.model:12s}{seen.draft.reason or 'whole':12s}"
                f"{seen.first_seconds:7.1f}{seen.seconds:7.1f}{seen.requests:10d}"
                f"  {'yes' if seen.is_right(case) else 'NO'}\n"
            )
            sys.stdout.flush()
    sys.stdout.write(f"{right} of {len(CASES)} right\n")
    return 0 if right == len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
