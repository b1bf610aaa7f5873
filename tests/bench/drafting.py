"""A real small language model on the sample desk: do its markers resolve, and what do we cost it?

Drafts sample tickets through the product and tells how many replies named their sources by
themselves, when asked once more, or had them found afterwards. Then sends the same prompts to the
server directly and through the product, in turns, and compares the time to the first words and the
words a second. The weights (1.1 GB) are fetched by tests/model/fetch.py; COPILOT_LLM_PYTHON names
an interpreter with xllamacpp.

usage: python -m tests.bench.drafting [--skip N] [--tickets N] [--timings N] [--threads N] [--json]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from app.services import Services
from app.settings import Settings
from ingest import sources
from ingest.access import Scope
from ingest.tables import Visibility
from rag.intervals import mean_interval
from rag.llm import Completion, LiteLlmModel, Patience
from rag.models import Model, resolve
from rag.pipeline import Wish
from rag.tables import Attribution, Draft, DraftStatus, ModelCall
from rag.tickets import TicketLine, save
from rag.writing import Writer
from tests.model.fetch import fetch
from tests.model.serve import ALIAS, THREADS, running

DATA = Path(__file__).resolve().parents[2] / "data"
# Two cores read about 60 tokens a second.
WINDOW, REPLY_TOKENS = 1_536, 256
PATIENCE = Patience(first=600.0, next=60.0, total=900.0)


def tickets() -> Iterator[dict[str, Any]]:
    """Yield the open tickets of the sample desk, its judged questions, then solved tickets."""
    for name in ("tickets/open", "eval/questions", "tickets/solved"):
        for number, line in enumerate((DATA / f"{name}.jsonl").read_text("utf-8").splitlines()):
            fields = json.loads(line)
            body = fields.get("body") or fields["question"]
            subject = fields.get("subject") or " ".join(body.split()[:8])
            yield {
                "id": f"B-{name.replace('/', '-')}-{number}",
                "subject": subject,
                "body": body,
                "locale": fields.get("locale", "en"),
            }


def desk(home: Path) -> Services:
    """Return a desk with the sample documents."""
    settings = Settings().model_copy(update={"home": home, "reply_tokens": REPLY_TOKENS})
    services = Services(settings)
    uploads = sources.uploads([DATA / "kb"], {"visibility": Visibility.PUBLIC})
    ids = sources.submit(services.database, services.files, uploads, "bench")
    services.worker.finish(ids, lambda _: None)
    return services


def draft_all(
    services: Services, writer: Writer, skipped: int, count: int
) -> list[tuple[Draft, int]]:
    """Draft so many tickets; return each draft with the number of its requests."""
    made = []
    for fields in list(tickets())[skipped : skipped + count]:
        with services.database.write() as session:
            ticket = save(session, TicketLine.model_validate(fields)).id
        wish = Wish(afresh=True)
        stream = services.drafter.draft(ticket, "bench", Scope.everything(), writer, wish)
        for _ in stream:
            pass
        with services.database.read() as session:
            row = session.get_one(Draft, stream.draft_id)
            calls = session.scalars(select(ModelCall).where(ModelCall.draft_id == row.id)).all()
        made.append((row, len(calls)))
        told = f"{row.status} {row.reason or row.attribution}"
        sys.stderr.write(f"{len(made)} {told} {row.seconds:.0f} s\n")
    return made


def report(made: list[tuple[Draft, int]]) -> None:
    """Print what became of the drafts."""
    asked = [row for row, calls in made if calls]
    ready = [row for row in asked if row.status == DraftStatus.READY]
    unmended = [calls == 1 and row.attribution == Attribution.MODEL for row, calls in made if calls]
    states = Counter(f"{row.status} {row.reason or ''}".strip() for row, _ in made)
    write(f"{len(made)} tickets, {len(asked)} of them put to the model; " + str(dict(states)))
    shares = {
        "of those whole: sources right at once": [
            row.attribution == Attribution.MODEL and "[" in row.text for row in ready
        ],
        "repaired by asking once more": [row.attribution == Attribution.REPAIRED for row in ready],
        "attributed afterwards": [row.attribution == Attribution.AFTERWARDS for row in ready],
        "no source in the end": ["[" not in row.text for row in ready],
        "asked once only": unmended,
    }
    for name, values in shares.items():
        # Of one reply there is no interval.
        sure = mean_interval([float(value) for value in values]) if len(values) > 1 else None
        told = f"{sure.mean:.2f} [{sure.low:.2f}-{sure.high:.2f}]" if sure else f"{sum(values)}"
        write(f"  {name:40s} {told} of {len(values)}")


def time_both(route: Model, prompts: list[Any]) -> None:
    """Send each prompt directly and through the product, in turns, its prefix cached for both."""
    first: dict[str, list[float]] = {"directly": [], "through the product": []}
    speed: dict[str, list[float]] = {"directly": [], "through the product": []}
    for number, prompt in enumerate(prompts):
        directly(route, prompt)
        ways = [("directly", directly), ("through the product", through)]
        for name, way in ways if number % 2 else reversed(ways):
            to_first, rate = way(route, prompt)
            first[name].append(to_first)
            speed[name].append(rate)
    for name, seconds in first.items():
        write(
            f"  {name:20s} first words after {1_000 * statistics.median(seconds):.0f} ms, "
            f"{statistics.median(speed[name]):.2f} tokens a second"
        )
    overhead = [
        1_000 * (ours - theirs)
        for ours, theirs in zip(first["through the product"], first["directly"], strict=True)
    ]
    rates = [
        ours / theirs
        for ours, theirs in zip(speed["through the product"], speed["directly"], strict=True)
    ]
    write(f"  overhead to the first words, median: {statistics.median(overhead):.0f} ms")
    write(f"  tokens a second, median of ours by theirs: {statistics.median(rates):.3f}")


def directly(route: Model, prompt: Any) -> tuple[float, float]:
    """Return seconds to the first words, and tokens a second after them."""
    body = {
        "model": ALIAS,
        "messages": prompt,
        "max_tokens": REPLY_TOKENS,
        "temperature": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    begun, first, tokens = time.perf_counter(), 0.0, 0
    with httpx.stream("POST", f"{route.url}/chat/completions", json=body, timeout=600) as answer:
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            choices = event.get("choices") or []
            if choices and choices[0]["delta"].get("content") and not first:
                first = time.perf_counter() - begun
            tokens = (event.get("usage") or {}).get("completion_tokens") or tokens
    return first, (tokens - 1) / (time.perf_counter() - begun - first)


def through(route: Model, prompt: Any) -> tuple[float, float]:
    """Do the same through the product's own client."""
    completion = Completion()
    begun, first = time.perf_counter(), 0.0
    for piece in LiteLlmModel(route, PATIENCE).stream(prompt, REPLY_TOKENS, completion):
        if piece and not first:
            first = time.perf_counter() - begun
    tokens = completion.usage.completion_tokens or 0
    return first, (tokens - 1) / (time.perf_counter() - begun - first)


def write(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Draft, then time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=100)
    parser.add_argument("--skip", type=int, default=0, help="so many tickets at the beginning")
    parser.add_argument("--timings", type=int, default=8)
    parser.add_argument("--threads", type=int, default=THREADS, help="of the model's server")
    parser.add_argument("--json", action="store_true", help="ask for JSON in place of markers")
    options = parser.parse_args()
    python = os.environ.get("COPILOT_LLM_PYTHON", sys.executable)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(fetch(), n_ctx=WINDOW + 512, python=python, threads=options.threads) as url,
    ):
        services = desk(Path(folder))
        route = resolve(f"openai/{ALIAS}", url=f"{url}/v1", key="none", window_tokens=WINDOW)
        route = replace(route, json_mode=options.json)
        writer = Writer(route, LiteLlmModel(route, PATIENCE))
        made = draft_all(services, writer, options.skip, options.tickets)
        report(made)
        prompts = [row.prompt for row, calls in made if calls][: options.timings]
        time_both(route, prompts)
        services.database.close()


if __name__ == "__main__":
    main()
