"""The spans that a collector is sent, and that none of it is there unless it is wanted."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_tracer_provider

from app import telemetry
from rag import calls
from tests.rag.test_calls import CALL

# These carry no type information.
grpc: Any = import_module("grpc")
service: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc")

SECONDS_TO_EXPORT = 15


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_listeners", [])


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    telemetry.send_to(SimpleSpanProcessor(exporter))
    return exporter


class _Collector:
    def __init__(self) -> None:
        self.received = threading.Event()
        self.requests: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        self.requests.append(request)
        self.received.set()
        return messages.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[str, _Collector]]:
    """Run a collector on this machine; returns its address and what it was sent."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    collector = _Collector()
    service.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}", collector
    server.stop(None)


def _span(exporter: InMemorySpanExporter) -> ReadableSpan:
    [span] = exporter.get_finished_spans()
    return span


def test_a_request_is_a_span_with_the_conventions_names(exporter: InMemorySpanExporter) -> None:
    calls.record_call(CALL)

    span = _span(exporter)
    assert span.name == "chat mixtral-8x7b-vllm"
    assert span.kind is SpanKind.CLIENT
    assert span.resource.attributes["service.name"] == "support-copilot"
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "mixtral-8x7b-vllm",
        "gen_ai.response.model": "fp-1",
        "gen_ai.usage.input_tokens": 3_120,
        "gen_ai.usage.output_tokens": 210,
        "gen_ai.response.time_to_first_chunk": 0.5,
        "support_copilot.call.id": "0f" * 16,
        "support_copilot.cost_usd": 0.0,
        "support_copilot.prompt_version": "7",
        "support_copilot.outcome": "complete",
    }


def test_a_span_is_as_long_as_the_request_was(exporter: InMemorySpanExporter) -> None:
    before = time.time_ns()

    calls.record_call(CALL)

    span = _span(exporter)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 4_250_000_000
    assert before <= span.end_time <= time.time_ns()


@pytest.mark.parametrize("outcome", ["missing_key", "model_unavailable", "cut", "stalled"])
def test_a_request_that_failed_is_a_failed_span(
    exporter: InMemorySpanExporter, outcome: str
) -> None:
    calls.record_call({"id": "1", "route": "openai/mine", "seconds": 0.5, "outcome": outcome})

    span = _span(exporter)
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "openai/mine",
        "support_copilot.call.id": "1",
        "support_copilot.outcome": outcome,
        "error.type": outcome,
    }


def test_a_model_that_declined_did_its_work(exporter: InMemorySpanExporter) -> None:
    calls.record_call({**CALL, "outcome": "model_declined"})

    assert _span(exporter).status.status_code is StatusCode.UNSET


def test_spans_of_other_libraries_are_not_sent(exporter: InMemorySpanExporter) -> None:
    with get_tracer_provider().get_tracer("another").start_as_current_span("a query's text"):
        pass

    assert exporter.get_finished_spans() == ()


def test_a_collector_is_sent_the_spans(
    collector: tuple[str, _Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    url, there = collector
    telemetry.configure(url)

    calls.record_call(CALL)

    assert there.received.wait(SECONDS_TO_EXPORT)
    [resource] = there.requests[0].resource_spans
    [span] = resource.scope_spans[0].spans
    assert span.name == "chat mixtral-8x7b-vllm"


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )


def test_nothing_of_it_is_imported_unless_it_is_configured() -> None:
    done = _run("import sys, app.telemetry; print('opentelemetry' in sys.modules)")

    assert done.stdout.strip() == "False"


def test_a_command_ends_soon_where_no_collector_answers() -> None:
    begun = time.perf_counter()
    _run(
        "from app import telemetry; from rag import calls\n"
        "telemetry.configure('http://127.0.0.1:9'); calls.record_call({'route': 'r'})"
    )

    assert time.perf_counter() - begun < telemetry.EXPORT_SECONDS + 7
