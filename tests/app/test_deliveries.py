"""Sent replies reach the webhook signed, at least once, and as long as it takes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app import dispatcher
from app.errors import SettingError
from app.settings import read_settings
from app.tables import Delivery
from app.webhook import Webhook
from app.workflow import approving, deliveries, dispatch
from ingest.db import now
from ingest.tables import Visibility
from rag.policy import NO_POLICY
from tests.app.people import SENT, SOURCE, Desk

KEY = "a key that both sides know"


class Receiver(ThreadingHTTPServer):
    """Another program: it keeps what it is told and answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/replies"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): v for name, v in self.headers.items()}, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("location", self.server.url)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def connected(desk: Desk, receiver: Receiver) -> Desk:
    settings = {"webhook_url": receiver.url, "webhook_key": SecretStr(KEY)}
    desk.services.settings = desk.services.settings.model_copy(update=settings)
    return desk


def _deliver(desk: Desk, later: timedelta = timedelta()) -> int:
    webhook = desk.services.webhook
    assert webhook is not None
    return deliveries.deliver(desk.services.database, webhook, now() + later)


def _row(desk: Desk) -> Delivery:
    with desk.services.database.read() as session:
        return session.scalars(select(Delivery)).one()


def test_a_sent_reply_is_posted_once_with_its_public_sources(
    connected: Desk, receiver: Receiver
) -> None:
    approval_id = connected.send(connected.draft())

    assert [_deliver(connected), _deliver(connected)] == [1, 0]

    [(headers, body)] = receiver.got
    told = json.loads(body)
    assert (told["type"], told["ticket"], told["text"]) == ("reply.sent", "T-1", SENT)
    assert (told["approved_by"], told["sources"]) == (
        "agent@example.com",
        [{"document": connected.document, "title": "Errors", "url": None}],
    )
    assert headers["idempotency-key"] == headers["webhook-id"] == approval_id
    assert _row(connected).delivered_at is not None


def test_the_signature_is_over_id_time_and_body(connected: Desk, receiver: Receiver) -> None:
    connected.send(connected.draft())
    _deliver(connected)

    [(headers, body)] = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(KEY.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_internal_sources_are_not_told_outside(connected: Desk, receiver: Receiver) -> None:
    connected.publish("errors", SOURCE, Visibility.INTERNAL)
    connected.send(connected.draft())
    _deliver(connected)

    assert json.loads(receiver.got[0][1])["sources"] == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_taken_is_posted_again_later_with_the_same_key(
    connected: Desk, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    connected.send(connected.draft())

    assert [_deliver(connected), _deliver(connected)] == [0, 0]
    assert len(receiver.got) == 1
    assert _row(connected).error == f"HTTP {status}"
    assert _deliver(connected, deliveries.FIRST_PAUSE * 2) == 1

    first, second = (headers["idempotency-key"] for headers, _ in receiver.got)
    assert first == second
    assert (_row(connected).attempts, _row(connected).error) == (2, None)


def test_pauses_grow_to_an_hour_and_no_further(connected: Desk, receiver: Receiver) -> None:
    receiver.statuses = [500] * 12
    connected.send(connected.draft())
    moment, pauses = now(), []
    webhook = connected.services.webhook
    assert webhook is not None

    for _ in range(12):
        deliveries.deliver(connected.services.database, webhook, moment)
        pauses.append((_row(connected).not_before - moment).total_seconds())
        moment = _row(connected).not_before

    assert pauses[:3] == [15, 30, 60]
    assert pauses[-1] == 3_600


def test_a_program_that_is_not_there_is_an_error_and_not_a_crash(connected: Desk) -> None:
    webhook = Webhook("http://127.0.0.1:9/", "")

    assert "ConnectError" in str(webhook.post("1", "{}", now()))


def test_without_a_webhook_nothing_is_noted(desk: Desk) -> None:
    desk.send(desk.draft())

    with desk.services.database.read() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_the_worker_sends_and_delivers_in_one_turn(connected: Desk, receiver: Receiver) -> None:
    draft = connected.draft()
    approving.approve(connected.services, connected.agent, draft.id, 1, draft.text)
    dispatcher.turn(connected.services)
    assert receiver.got == []
    later = now() + timedelta(seconds=NO_POLICY.undo_seconds)

    dispatch.send_due(connected.services.database, later, webhook=True)
    dispatcher.turn(connected.services)

    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/hook", "ftp://example.com", "http://10.0.0.1/", "example.com"]
)
def test_replies_are_not_posted_in_the_clear(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("COPILOT_WEBHOOK_URL", url)

    with pytest.raises(SettingError, match="COPILOT_WEBHOOK_URL"):
        read_settings()


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://localhost:9", "http://[::1]/"])
def test_an_address_of_this_machine_or_an_encrypted_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("COPILOT_WEBHOOK_URL", url)

    assert read_settings().webhook_url == url
