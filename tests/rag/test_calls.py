"""What is told of a request to a model, and what never is."""

import json
import logging

import pytest

from rag import calls

CALL: calls.Fields = {
    "id": "0f" * 16,
    "route": "mixtral-8x7b-vllm",
    "revision": "fp-1",
    "prompt_tokens": 3_120,
    "completion_tokens": 210,
    "cost_usd": 0.0,
    "seconds": 4.25,
    "first_seconds": 0.5,
    "prompt_version": "7",
    "outcome": "complete",
}


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_listeners", [])


def _logged(log: pytest.LogCaptureFixture) -> dict[str, object]:
    [line] = [record.getMessage() for record in log.records if record.name == "rag.calls"]
    told: dict[str, object] = json.loads(line.removeprefix("Model request: "))
    return told


def test_a_request_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        calls.record_call(CALL)

    assert _logged(caplog) == CALL
    assert list(_logged(caplog)) == list(calls.FIELDS)


def test_nothing_but_the_fields_is_told_to_anybody(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[calls.Fields] = []
    calls.listen(heard.append)

    with caplog.at_level(logging.INFO):
        calls.record_call({**CALL, "prompt": "My door code is 4711.", "key": "sk-1"})

    assert heard == [CALL]
    assert "4711" not in caplog.text
    assert "sk-1" not in caplog.text


def test_what_is_unknown_is_told_as_unknown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        calls.record_call({"id": "1", "route": "openai/mine", "outcome": "missing_key"})

    told = _logged(caplog)
    assert told["cost_usd"] is None
    assert told["outcome"] == "missing_key"


def test_what_a_provider_calls_itself_neither_breaks_the_line_nor_fills_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        calls.record_call({**CALL, "revision": "fp\nINFO forged\x1b[2J" + "x" * 100_000})

    [line] = [record.getMessage() for record in caplog.records]
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 1_000


def test_a_listener_that_fails_stops_neither_the_others_nor_the_draft(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[calls.Fields] = []

    def fail(fields: calls.Fields) -> None:
        raise OSError("the disk is full")

    calls.listen(fail)
    calls.listen(heard.append)
    calls.record_call(CALL)

    assert heard == [CALL]
    assert "Somebody who listens to model requests failed." in caplog.text
