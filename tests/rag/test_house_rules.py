"""A desk's own rules while it drafts: regions, stand-ins, topics left to people, voice."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from rag import llm, provider
from rag.errors import ForbiddenRegionError
from rag.house import House
from rag.llm import NO_EXTRAS, Completion, LiteLlmModel, Patience
from rag.models import Model
from rag.pipeline import Drafter
from rag.routes import Region
from rag.sorting import sort
from rag.tables import Draft, DraftStatus, Gap, ModelCall, Ticket
from rag.tickets import TicketLine, save
from rag.tokens import Messages
from rag.topics import Topic
from rag.voice import Manner, Voice
from rag.writing import Writer
from tests.openai_server import Reply, ScriptedServer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, QUESTION, ROUTE, STAFF, Saying

PATIENCE = Patience(first=5.0, next=1.0, total=10.0)
SAID = "Error E17 means that no water flows through the brew group of the Aria 700. [1]"
LEGAL = Topic(name="Legal threats", words=("lawyer", "court*"), hand_over="Give it to Legal.")


@pytest.fixture(scope="module", autouse=True)
def litellm_is_loaded() -> None:
    provider.load()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm.JITTER, "uniform", lambda *_: 0.01)


@pytest.fixture
def asked(desk: TestDesk) -> TestDesk:
    desk.publish("errors", E17)
    desk.ticket(QUESTION)
    return desk


def _with(drafter: Drafter, house: House) -> Drafter:
    return replace(drafter, house=lambda _: house)


def _draft(drafter: Drafter, writer: Writer | None) -> Draft:
    stream = drafter.draft("T-1", "ann@example.com", STAFF, writer)
    list(stream)
    with drafter.database.read() as session:
        return session.get_one(Draft, stream.draft_id)


def _writer(server: ScriptedServer, name: str, region: Region, *stand_ins: Writer) -> Writer:
    route = Model(name, "openai/scripted", 8_192, "mistral-v1", url=server.url, key="k")
    route = replace(route, region=region)
    return Writer(route, LiteLlmModel(route, PATIENCE), stand_ins)


@pytest.mark.parametrize("regions", [frozenset({"eu"}), None])
def test_when_the_european_route_is_down_nothing_is_asked_elsewhere(
    asked: TestDesk, regions: frozenset[str] | None
) -> None:
    with ScriptedServer() as europe, ScriptedServer() as america:
        europe.responder = lambda _: Reply("down", status=500)
        american = _writer(america, "american", "us")
        writer = _writer(europe, "european", "eu", american)
        draft = _draft(_with(asked.drafter, House(Voice(), (), regions)), writer)

    assert (draft.model, draft.status) == ("extractive", DraftStatus.READY)
    assert (draft.reason, draft.notes["model"]) == ("failed", "european")
    assert len(europe.requests) == 3
    assert america.requests == []


def test_where_both_regions_are_allowed_the_other_route_stands_in_and_it_is_said(
    asked: TestDesk,
) -> None:
    both = House(Voice(), (), frozenset({"eu", "us"}))
    with ScriptedServer() as europe, ScriptedServer() as america:
        europe.responder = lambda _: Reply("bad key", status=401)
        america.responder = lambda _: Reply(SAID)
        american = _writer(america, "american", "us")
        draft = _draft(_with(asked.drafter, both), _writer(europe, "european", "eu", american))

    assert (draft.model, draft.text) == ("american", SAID)
    assert (draft.reason, draft.notes["model"]) == ("failed", "european")
    assert "the API key is missing or wrong" in draft.notes["why"]


def test_the_desks_own_route_is_not_asked_where_tickets_may_not_go(asked: TestDesk) -> None:
    europe = House(Voice(), (), frozenset({"eu"}))
    chat = Saying([SAID])
    route = replace(ROUTE, region="us")

    draft = _draft(_with(asked.drafter, europe), Writer(route, chat, ()))
    with pytest.raises(ForbiddenRegionError):
        _draft(_with(asked.drafter, europe), Writer(route, chat))

    assert chat.asked == []
    assert (draft.model, draft.reason) == ("extractive", "forbidden_region")
    assert draft.notes == {"model": "mixtral", "why": "us"}


def test_a_topic_left_to_people_ends_in_a_hand_over_before_anything_is_sent(
    desk: TestDesk,
) -> None:
    desk.publish("errors", E17)
    desk.ticket(f"{QUESTION} If you do not help I will call my Lawyer.")
    with ScriptedServer() as server:
        writer = _writer(server, "own", "yours")
        draft = _draft(_with(desk.drafter, House(Voice(), (LEGAL,))), writer)

    assert server.requests == []
    assert (draft.status, draft.reason, draft.text) == (
        DraftStatus.ABSTAINED,
        "left_to_people",
        "",
    )
    assert draft.notes == {"topic": "Legal threats", "hand_over": "Give it to Legal."}
    assert [entry["title"] for entry in draft.ledger] == ["Error codes"]
    with desk.database.read() as session:
        assert session.scalar(select(Gap)) is None


@pytest.mark.parametrize("chat", [None, Saying([f"Hi there,\n\n{SAID}\n\nCheers"])])
def test_greeting_and_sign_off_are_the_desks_own(asked: TestDesk, chat: Saying | None) -> None:
    manner = Manner(greeting="Good day {name},", sign_off="Your coffee people")
    voice = Voice(tone="Calm.", languages={"en": manner})
    writer = Writer(replace(ROUTE, region="yours"), chat) if chat else None

    draft = _draft(_with(asked.drafter, House(voice)), writer)

    assert draft.text.startswith("Good day,\n\n")
    assert draft.text.endswith("\n\nYour coffee people")
    assert SAID.removesuffix(" [1]") in draft.text
    if chat:
        assert "Tone: Calm." in chat.asked[0][0]["content"]


@dataclass
class Interrupted:
    """A model that writes while the customer writes again."""

    desk: TestDesk

    def stream(
        self,
        messages: Messages,
        max_tokens: int,
        completion: Completion,
        extras: Mapping[str, Any] = NO_EXTRAS,
    ) -> Generator[str, None, None]:
        again = {"author": "customer", "body": "It works again, thank you."}
        line = {"id": "T-1", "subject": "Question", "body": QUESTION, "thread": [again]}
        with self.desk.database.write() as session:
            save(session, TicketLine.model_validate(line))
        yield SAID
        completion.incomplete = None


def test_a_reply_that_the_customer_has_overtaken_is_dropped(asked: TestDesk) -> None:
    draft = _draft(asked.drafter, Writer(ROUTE, Interrupted(asked)))

    assert (draft.status, draft.reason, draft.text) == (DraftStatus.INCOMPLETE, "overtaken", "")


TRIAGED = (
    '{"language": "en", "intent": "clear an error code", "urgency": "high", "answerable": true}'
)


def test_a_small_model_reads_the_ticket_masked_and_what_it_says_is_kept(desk: TestDesk) -> None:
    desk.ticket(f"{QUESTION}\n\nKind regards,\nMartha Bergmann")
    chat = Saying([TRIAGED])

    found = sort(desk.drafter, "T-1", "ann", Writer(ROUTE, chat, ()))

    assert found is not None
    assert "Bergmann" not in str(chat.asked)
    with desk.database.read() as session:
        assert session.get_one(Ticket, "T-1").triage == found.model_dump()
        assert [call.outcome for call in session.scalars(select(ModelCall))] == ["complete"]
    assert (found.urgency, found.answerable) == ("high", True)


def test_a_ticket_is_not_sorted_where_tickets_may_not_go(desk: TestDesk) -> None:
    desk.ticket(QUESTION)
    chat = Saying([TRIAGED])
    drafter = _with(desk.drafter, House(Voice(), (), frozenset({"eu"})))

    assert sort(drafter, "T-1", "ann", Writer(replace(ROUTE, region="us"), chat, ())) is None
    assert chat.asked == []
