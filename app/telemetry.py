"""A span for each request to a model, for whoever runs an OpenTelemetry collector.

Of OpenTelemetry nothing is imported unless it is configured. Our spans go by a way of their own:
what the vector index may record of queries does not reach the collector with them.
"""

import time
from typing import TYPE_CHECKING

from rag import calls
from rag.errors import RagError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

SERVICE = "support-copilot"
# A command waits as long at its end where no collector answers.
EXPORT_SECONDS = 3
# OpenTelemetry's conventions for generative AI, and names of our own where they have none.
ATTRIBUTES = {
    "route": "gen_ai.request.model",
    "revision": "gen_ai.response.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "first_seconds": "gen_ai.response.time_to_first_chunk",
    "id": "support_copilot.call.id",
    "cost_usd": "support_copilot.cost_usd",
    "prompt_version": "support_copilot.prompt_version",
    "outcome": "support_copilot.outcome",
}
BROKEN = {"cut", "stalled", "empty"}


def configure(url: str) -> None:
    """Send spans to a collector from now on, in batches and in the background.

    `url` is where it takes OTLP over gRPC, such as `http://127.0.0.1:4317`; with `https` the
    connection is encrypted. Further headers come from OTEL_EXPORTER_OTLP_HEADERS.
    """
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    send_to(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=EXPORT_SECONDS)))


def send_to(processor: "SpanProcessor") -> None:
    """Hand the span of each request to a processor from now on."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanKind, Status, StatusCode

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer(SERVICE)
    failures = BROKEN | {kind.code for kind in RagError.__subclasses__()}

    def add(fields: calls.Fields) -> None:
        ended = time.time_ns()
        begun = ended - int(float(fields["seconds"] or 0) * 1e9)
        span = tracer.start_span(
            f"chat {fields['route']}",
            kind=SpanKind.CLIENT,
            start_time=begun,
            attributes=_attributes(fields),
        )
        if (outcome := fields["outcome"]) in failures:
            span.set_attribute("error.type", str(outcome))
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    calls.listen(add)


def _attributes(fields: calls.Fields) -> dict[str, str | int | float]:
    known = {name: fields[field] for field, name in ATTRIBUTES.items()}
    given = {name: value for name, value in known.items() if value is not None}
    return {"gen_ai.operation.name": "chat", **given}
