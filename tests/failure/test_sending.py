"""Undo against sending, and kills between approving and sending: once, or not at all."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import accounts
from app.errors import AlreadySentError
from app.roles import Role
from app.services import Services
from app.tables import Delivery
from app.workflow import approving, dispatch, trail
from ingest import jobs, sources
from ingest.access import Scope
from ingest.db import now
from ingest.events import broken_links
from ingest.pipeline import ingest_documents
from ingest.sources import Upload
from rag.policy import NO_POLICY
from rag.tables import Approval, ApprovalState, Case, Draft, Message
from rag.tickets import TicketLine, save
from rag.writing import Writer
from tests.app.people import QUESTION, REPLY, ROUTE, SOURCE
from tests.failure.desks import Death, open_desk
from tests.fakes import Reply, ScriptedChat

THREADS = 20
ROUNDS = 5
LATER = timedelta(seconds=NO_POLICY.undo_seconds)

pytestmark = [pytest.mark.failure, pytest.mark.timeout(180)]
# Where a kill leaves the reply unsent; after the commit it is sent.
STEPS = {
    "taken, not yet checked": ("rag.seal:moved", "before"),
    "checked": ("rag.seal:moved", "after"),
    "answered": ("app.workflow.dispatch:_answer", "after"),
    "remembered": ("app.workflow.dispatch:_learn_from", "after"),
    "noted for the webhook": ("app.workflow.deliveries:add", "after"),
    "recorded": ("app.workflow.dispatch:record", "after"),
}


def fill(desk: Services, tickets: int = 1) -> str:
    """Publish a document, add tickets with a draft each, and return an agent's id."""
    upload = Upload("errors", "errors.txt", SOURCE.encode(), {"visibility": "public"})
    sources.submit(desk.database, desk.files, [upload], "tests")
    ingest_documents(desk.ingestion, jobs.claim(desk.database, "tests", 1))
    with desk.database.write() as session:
        for number in range(tickets):
            line = {"id": f"T-{number}", "subject": "E17", "body": QUESTION, "locale": "en"}
            save(session, TicketLine.model_validate(line))
        agent = accounts.add(
            session, "agent@example.com", Role.AGENT, "a long enough password", [], "tests"
        ).id
    for number in range(tickets):
        writer = Writer(ROUTE, ScriptedChat(Reply([REPLY])))
        list(desk.drafter.draft(f"T-{number}", "agent@example.com", Scope.everything(), writer))
    return agent


def approve(desk: Services, agent: str, ticket: str) -> str:
    with desk.database.read() as session:
        draft = session.scalars(select(Draft).where(Draft.ticket_id == ticket)).one()
    return approving.approve(desk, agent, draft.id, draft.version, REPLY)


def counts(desk: Services, ticket: str) -> tuple[int, int]:
    """Return how many replies stand in the thread, and how many cases there are of it."""
    with desk.database.read() as session:
        replies = select(func.count()).where(
            Message.ticket_id == ticket, Message.approval_id.is_not(None)
        )
        cases = select(func.count()).where(Case.ticket_id == ticket)
        return session.scalar(replies) or 0, session.scalar(cases) or 0


def test_of_twenty_who_undo_and_send_at_once_exactly_one_wins(
    tmp_path: Path, database_url: str
) -> None:
    desk = open_desk(tmp_path / "home", database_url)
    agent = fill(desk, ROUNDS)
    outcomes = []
    for number in range(ROUNDS):
        ticket = f"T-{number}"
        approval_id = approve(desk, agent, ticket)

        won = race(desk, agent, approval_id)

        assert len(won) == 1
        outcomes += won
        assert counts(desk, ticket) == ((1, 1) if won == ["sent"] else (0, 0))
        with desk.database.read() as session:
            assert session.get_one(Approval, approval_id).state == ApprovalState(won[0])
            assert list(broken_links(session)) == []
    print(outcomes)  # noqa: T201
    desk.database.close()


def race(desk: Services, agent: str, approval_id: str) -> list[str]:
    """Undo and send at the same moment, ten times each; return who succeeded."""
    together = threading.Barrier(THREADS)

    def act(place: int) -> str:
        together.wait()
        if place % 2:
            sent = dispatch.send_due(desk.database, now() + LATER, webhook=False)
            return "sent" if sent else ""
        try:
            dispatch.undo(desk, agent, approval_id)
        except AlreadySentError:
            return ""
        return "undone"

    with ThreadPoolExecutor(THREADS) as pool:
        return [outcome for outcome in pool.map(act, range(THREADS)) if outcome]


def send_until_death(home: Path, death: Death) -> None:
    desk = open_desk(home)
    death.arm()
    dispatch.send_due(desk.database, now() + LATER, webhook=True)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_while_sending_neither_loses_the_reply_nor_sends_it_twice(
    tmp_path: Path, processes: ForkServerContext, step: str
) -> None:
    home = tmp_path / "home"
    desk = open_desk(home)
    approval_id = approve(desk, fill(desk), "T-0")

    process = processes.Process(target=send_until_death, args=(home, Death(*STEPS[step])))
    process.start()
    process.join(60)

    assert process.exitcode == -9
    assert counts(desk, "T-0") == (0, 0)
    with desk.database.read() as session:
        assert session.get_one(Approval, approval_id).state == ApprovalState.SEALED
    sent = [dispatch.send_due(desk.database, now() + LATER, webhook=True) for _ in range(2)]
    assert sent == [1, 0]
    assert counts(desk, "T-0") == (1, 1)
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
    found = trail.verify(desk.database)
    assert (found.is_whole, found.sealed) == (True, 1)
    desk.database.close()


def approve_and_wait(home: Path, agent: str) -> None:
    approve(open_desk(home), agent, "T-0")
    time.sleep(60)


def test_an_approval_outlives_the_process_that_took_it(
    tmp_path: Path, processes: ForkServerContext
) -> None:
    home = tmp_path / "home"
    desk = open_desk(home)
    agent = fill(desk)
    process = processes.Process(target=approve_and_wait, args=(home, agent))
    process.start()
    while not _is_sealed(desk):
        time.sleep(0.02)
    process.kill()
    process.join()

    assert dispatch.send_due(desk.database, now() + LATER, webhook=False) == 1

    assert counts(desk, "T-0") == (1, 1)
    desk.database.close()


def _is_sealed(desk: Services) -> bool:
    with desk.database.read() as session:
        return session.scalar(select(func.count()).select_from(Approval)) == 1
