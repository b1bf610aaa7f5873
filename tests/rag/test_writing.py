"""What is asked of a model for a draft, and what is done where its reply lacks its sources."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from rag import finding, lookup, provider
from rag.house import House
from rag.llm import LiteLlmModel, Patience
from rag.models import Model
from rag.pipeline import NO_WISH, Drafter, Wish
from rag.tables import Attribution, Draft, DraftStatus, ModelCall
from rag.voice import Manner, Voice
from rag.writing import Writer
from tests.openai_server import Fault, Reply, ScriptedServer
from tests.rag.desk import TestDesk
from tests.rag.test_pipeline import E17, OFFICE, QUESTION, ROUTE, STAFF, Saying

UNCITED = "Error E17 means that no water flows through the brew group of the Aria 700."
CITED = f"{UNCITED} [1]"
PATIENCE = Patience(first=2.0, next=1.0, total=10.0)


def _draft(
    drafter: Drafter, writer: Writer, ticket: str = "T-1", wish: Wish = NO_WISH
) -> tuple[str, Draft, list[ModelCall]]:
    stream = drafter.draft(ticket, "ann@example.com", STAFF, writer, wish)
    text = "".join(stream)
    with drafter.database.read() as session:
        draft = session.get_one(Draft, stream.draft_id)
        query = select(ModelCall).where(ModelCall.draft_id == draft.id).order_by(ModelCall.at)
        return text, draft, list(session.scalars(query))


@pytest.fixture(scope="module", autouse=True)
def litellm_is_loaded() -> None:
    """Importing LiteLLM takes seconds, which the short patience below would not grant it."""
    provider.load()


@pytest.fixture
def asked(desk: TestDesk) -> TestDesk:
    desk.publish("errors", E17)
    desk.ticket(QUESTION)
    return desk


def _route(server: ScriptedServer, **fields: object) -> Model:
    own = Model("own", "openai/scripted", 16_384, "mistral-v1", 0.5, 1.0, url=server.url, key="k")
    return replace(own, region="yours", **fields)  # type: ignore[arg-type]


def test_a_reply_without_sources_is_asked_for_once_more(asked: TestDesk) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(UNCITED), Reply(CITED))
        route = _route(server)
        shown, draft, calls = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert shown == UNCITED
    assert (draft.text, draft.attribution) == (CITED, Attribution.REPAIRED)
    assert [call.outcome for call in calls] == ["complete", "complete"]
    again = server.requests[1].body["messages"]
    assert [message["role"] for message in again] == ["system", "user", "assistant", "user"]
    assert again[2]["content"] == UNCITED
    assert "from 1 to 1" in again[3]["content"]
    assert draft.usage["prompt_tokens"] == sum(call.prompt_tokens or 0 for call in calls)
    assert draft.cost_usd == pytest.approx(sum(call.cost_usd or 0 for call in calls))


@pytest.mark.parametrize(
    "second", [Reply(UNCITED), Reply("", status=500), Reply(CITED, fault=Fault.CUT)]
)
def test_where_that_fails_too_sources_are_found_afterwards_and_it_is_said(
    asked: TestDesk, second: Reply
) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(UNCITED), *[second] * 3)
        route = _route(server)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.text, draft.attribution) == (CITED, Attribution.AFTERWARDS)
    assert draft.status == DraftStatus.READY


def test_a_full_window_leaves_room_to_ask_once_more(asked: TestDesk) -> None:
    for number in range(40):
        asked.publish(f"more-{number}", f"{E17}\n{number} " + "The tank holds two litres. " * 40)
    with ScriptedServer() as server:
        server.enqueue(Reply(UNCITED), Reply(CITED))
        route = _route(server, window_tokens=8_192)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert any(not entry["included"] for entry in draft.ledger)
    assert draft.attribution == Attribution.REPAIRED


def test_a_marker_that_names_no_passage_is_a_reason_to_ask_again(asked: TestDesk) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(f"{UNCITED} [7]"), Reply(CITED))
        route = _route(server)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.text, draft.attribution) == (CITED, Attribution.REPAIRED)


def test_a_route_with_json_is_asked_for_it_and_shown_as_text(asked: TestDesk) -> None:
    said = json.dumps({"sentences": [{"text": UNCITED, "passages": [1]}]})
    with ScriptedServer() as server:
        server.enqueue(Reply(said))
        route = _route(server, json_mode=True)
        shown, draft, calls = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    [request] = server.requests
    assert request.body["response_format"] == {"type": "json_object"}
    assert '"passages": [2]' in request.body["messages"][0]["content"]
    assert shown == draft.text == CITED
    assert calls[0].reply == said


def test_json_without_sentences_is_no_answer(asked: TestDesk) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply('{"sentences": []}'))
        route = _route(server, json_mode=True)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.status, draft.reason) == (DraftStatus.ABSTAINED, "model_declined")


def test_the_same_request_is_answered_from_the_record_and_costs_nothing(asked: TestDesk) -> None:
    chat = Saying([CITED])

    _, first, _ = _draft(asked.drafter, Writer(ROUTE, chat))
    shown, second, [call] = _draft(asked.drafter, Writer(ROUTE, chat))

    assert len(chat.asked) == 1
    assert shown == second.text == first.text == CITED
    assert first.cost_usd == pytest.approx(0.0007)
    assert (second.cost_usd, call.cost_usd, call.outcome) == (0.0, 0.0, "cached")
    assert second.usage == {"prompt_tokens": 0, "completion_tokens": 0}


def test_a_reply_that_is_wanted_afresh_is_asked_for(asked: TestDesk) -> None:
    chat = Saying([CITED])

    _draft(asked.drafter, Writer(ROUTE, chat))
    _draft(asked.drafter, Writer(ROUTE, chat), wish=Wish(afresh=True))

    assert len(chat.asked) == 2


def test_a_reply_that_an_agent_rejected_is_not_given_again(asked: TestDesk) -> None:
    chat = Saying([CITED])
    _, first, _ = _draft(asked.drafter, Writer(ROUTE, chat))
    with asked.database.write() as session:
        session.get_one(Draft, first.id).status = DraftStatus.REJECTED

    _draft(asked.drafter, Writer(ROUTE, chat))

    assert len(chat.asked) == 2


def test_a_remembered_reply_tells_one_customer_nothing_of_another(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    body = "{question}\n\nKind regards,\n{name}"
    names = {"T-1": "Martha Bergmann", "T-2": "Boris Ivanov"}
    for ticket, name in names.items():
        desk.ticket(body.format(question=QUESTION, name=name), id=ticket)
    chat = Saying([f"Dear <NAME_1>, {CITED}"])

    drafts = [_draft(desk.drafter, Writer(ROUTE, chat), ticket)[1] for ticket in names]

    assert len(chat.asked) == 1
    assert [draft.text for draft in drafts] == [f"Dear {name}, {CITED}" for name in names.values()]


def test_what_the_agent_asks_for_is_part_of_the_prompt_and_of_the_record(asked: TestDesk) -> None:
    chat = Saying([CITED])

    _, draft, _ = _draft(asked.drafter, Writer(ROUTE, chat), wish=Wish("Shorter, in French."))

    assert "The agent asks for this: Shorter, in French." in chat.asked[0][1]["content"]
    assert draft.instruction == "Shorter, in French."


TOOL_CALL = {
    "id": "call-1",
    "name": lookup.NAME,
    "arguments": json.dumps({"query": "When does the customer service answer the telephone?"}),
}


def test_a_model_may_look_for_more_passages_and_cite_them(
    asked: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else so small a knowledge base is in the prompt as a whole.
    monkeypatch.setattr(finding, "CANDIDATES", 1)
    asked.publish("office", OFFICE)
    said = "The customer service answers the telephone from Monday to Friday"
    with ScriptedServer() as server:
        server.enqueue(Reply("", tool_calls=(TOOL_CALL,)), Reply(f"{said} [2]."))
        route = _route(server, tools=True, window_tokens=16_384)
        _, draft, calls = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    first, second = (request.body for request in server.requests)
    assert [tool["function"]["name"] for tool in first["tools"]] == [lookup.NAME]
    assert "tools" not in second
    assert [message["role"] for message in second["messages"][2:]] == ["assistant", "tool"]
    assert draft.text == f"{said} [2]."
    assert [entry["title"] for entry in draft.ledger if entry["included"]] == [
        "Error codes",
        "Office hours",
    ]
    assert len(calls) == 2


def test_whoever_leaves_while_sources_are_asked_for_leaves_the_whole_reply(
    asked: TestDesk,
) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(UNCITED), Reply(CITED, delay=0.3))
        route = _route(server)
        writer = Writer(route, LiteLlmModel(route, PATIENCE))
        stream = asked.drafter.draft("T-1", "ann@example.com", STAFF, writer)
        pieces = stream.pieces()
        text = ""
        while text != UNCITED:
            text += next(pieces)
        while next(pieces):
            pass
        pieces.close()

    with asked.database.read() as session:
        draft = session.get_one(Draft, stream.draft_id)
    assert (draft.status, draft.text, draft.attribution) == (
        *(DraftStatus.READY, CITED, Attribution.AFTERWARDS),
    )


def test_an_excuse_does_not_take_the_place_of_a_reply(asked: TestDesk) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(UNCITED), Reply("I am sorry, I cannot do that."))
        route = _route(server)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.text, draft.attribution) == (CITED, Attribution.AFTERWARDS)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"reply": UNCITED, "passages": [1]}),
        f'{{"sentences": [{{"text": "{UNCITED}", "passages": [1]}}, {{"text": "Fill the',
    ],
)
def test_json_that_is_no_reply_cannot_be_approved(asked: TestDesk, raw: str) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(raw), Reply(raw))
        route = _route(server, json_mode=True)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.status, draft.reason) == (DraftStatus.INCOMPLETE, "malformed")


def test_words_around_the_json_are_no_part_of_the_reply(asked: TestDesk) -> None:
    said = json.dumps({"sentences": [{"text": UNCITED, "passages": [1]}]})
    with ScriptedServer() as server:
        server.enqueue(Reply(f"Here is the reply:\n{said}\nI hope it helps."))
        route = _route(server, json_mode=True)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.text, draft.attribution) == (CITED, Attribution.MODEL)


def test_what_a_model_says_before_it_looks_is_no_part_of_the_reply(
    asked: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CANDIDATES", 1)
    asked.publish("office", OFFICE)
    said = "The customer service answers the telephone from Monday to Friday [2]."
    with ScriptedServer() as server:
        server.enqueue(Reply("Let me search for that.", tool_calls=(TOOL_CALL,)), Reply(said))
        route = _route(server, tools=True)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert draft.text == said


@pytest.mark.parametrize("text", ["I will search once more.", ""])
def test_a_call_of_tools_that_nobody_offered_is_no_reply(asked: TestDesk, text: str) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(text, tool_calls=(TOOL_CALL,)))
        route = _route(server)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert (draft.status, draft.reason) == (DraftStatus.INCOMPLETE, "cut")


def test_what_the_agent_asks_for_is_masked_too(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    mail = "martha@bergmann.de"
    desk.ticket(f"{QUESTION}\n\nKind regards,\nMartha Bergmann\n{mail}")
    chat = Saying([CITED])

    wish = Wish(f"Greet Martha Bergmann and say that we write to {mail}.")
    _, draft, _ = _draft(desk.drafter, Writer(ROUTE, chat), wish=wish)

    sent = str(chat.asked)
    assert "Bergmann" not in sent
    assert mail not in sent
    assert "The agent asks for this: Greet <NAME_1>" in sent
    assert draft.instruction == wish.instruction


def test_a_reply_in_another_language_has_that_languages_frame(desk: TestDesk) -> None:
    desk.publish("errors", E17)
    desk.ticket(QUESTION)
    manners = {
        "de": Manner(greeting="Guten Tag,", sign_off="Ihr Team"),
        "en": Manner(greeting="Good day,", sign_off="Your team"),
    }
    house = House(Voice(languages=manners))
    chat = Saying(["Fehler E17 heißt, dass kein Wasser fließt [1]."])
    drafter = replace(desk.drafter, house=lambda _: house)

    _, draft, _ = _draft(drafter, Writer(ROUTE, chat), wish=Wish(language="de"))

    assert draft.text.startswith("Guten Tag,")
    assert draft.text.endswith("Ihr Team")
    assert "Write the reply to the customer in German" in chat.asked[0][1]["content"]
    assert draft.notes == {"reply_language": "de"}


def test_half_a_character_does_not_cost_the_draft(asked: TestDesk) -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(f"{CITED} \ud83d"))
        route = _route(server)
        _, draft, _ = _draft(asked.drafter, Writer(route, LiteLlmModel(route, PATIENCE)))

    assert draft.status == DraftStatus.READY
    assert draft.text.startswith(CITED)


def test_a_reply_that_was_rejected_where_it_was_remembered_is_not_given_again(
    desk: TestDesk,
) -> None:
    desk.publish("errors", E17)
    chat = Saying([CITED])
    for ticket in ("T-1", "T-2", "T-3"):
        desk.ticket(QUESTION, id=ticket)
    _draft(desk.drafter, Writer(ROUTE, chat), "T-1")
    _, second, _ = _draft(desk.drafter, Writer(ROUTE, chat), "T-2")
    with desk.database.write() as session:
        session.get_one(Draft, second.id).status = DraftStatus.REJECTED

    _draft(desk.drafter, Writer(ROUTE, chat), "T-3")

    assert len(chat.asked) == 2
