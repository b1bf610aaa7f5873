"""A real small language model, from ticket to cited draft.

`COPILOT_LLM_PYTHON` names an interpreter that has xllamacpp; the weights come from
`tests/model/fetch.py`. They are fetched only where this test is asked for.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.services import Services
from app.settings import Settings
from app.workflow import drafts
from app.workflow.drafts import DraftView
from ingest import sources
from ingest.access import Scope
from ingest.tables import Visibility
from rag import llm, prompt
from rag.budget import Question, fit
from rag.llm import Completion, LiteLlmModel
from rag.models import Model, resolve
from rag.prompt import ThreadMessage
from rag.tables import DraftStatus
from rag.tickets import TicketLine, save
from rag.tokens import EstimatedTokens, ServerTokens
from rag.writing import Writer
from tests.model.fetch import fetch
from tests.model.serve import ALIAS, running
from tests.rag.desk import hit, share_encoders

pytestmark = [pytest.mark.model, pytest.mark.timeout(1_800)]

# Read now: the environment's settings are hidden from tests.
PYTHON = os.environ.get("COPILOT_LLM_PYTHON", sys.executable)
DATA = Path(__file__).resolve().parents[2] / "data"
WINDOW, REPLY_TOKENS = 4_096, 200
# Two cores read about 60 tokens a second: a smaller window for what need not fill the large one.
DRAFT_WINDOW = 2_048
PATIENCE_SECONDS = 600.0
TICKETS = [
    json.loads(line)
    for line in (DATA / "tickets" / "open.jsonl").read_text(encoding="utf-8").splitlines()
]
FACT = (
    "Error E17 on the Aria 700 means that no water flows. To clear error E17, fill the tank and "
    "hold the reset button for 10 seconds."
)
PROSE = (
    "pressure valve Wasserfilter détartrage “reset” 15 bar | page 4 & <panel> E17 €18.50 "
    "Größe naïve 😀 {curly} https://example.com/a?b=c#d AR-700-2231-X"
)
WORDS = PROSE.split()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as a machine without an accelerator takes to read a full window."""
    monkeypatch.setattr(llm, "FIRST_TOKEN_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(llm, "TOTAL_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(llm, "NEXT_TOKEN_SECONDS", 60.0)


@pytest.fixture(scope="module")
def route() -> Iterator[Model]:
    with running(fetch(), n_ctx=WINDOW, python=PYTHON) as url:
        yield resolve(f"openai/{ALIAS}", url=f"{url}/v1", key="none", window_tokens=WINDOW)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Return a desk with the sample documents."""
    home = tmp_path_factory.mktemp("model")
    settings = Settings().model_copy(update={"home": home, "reply_tokens": REPLY_TOKENS})
    services = Services(settings)
    share_encoders(services)
    uploads = sources.uploads([DATA / "kb"], {"visibility": Visibility.PUBLIC})
    ids = sources.submit(services.database, services.files, uploads, "tests")
    services.worker.finish(ids, lambda _: None)
    yield services
    services.database.close()


def _draft(desk: Services, route: Model, fields: dict[str, Any]) -> DraftView:
    with desk.database.write() as session:
        ticket = save(session, TicketLine.model_validate(fields)).id
    route = replace(route, window_tokens=DRAFT_WINDOW)
    writer = Writer(route, LiteLlmModel(route))
    stream = desk.drafter.draft(ticket, "tests", Scope.everything(), writer)
    begun = time.perf_counter()
    pieces = [(time.perf_counter() - begun, piece) for piece in stream]
    with desk.database.read() as session:
        view = drafts.read(session, str(stream.draft_id))
    draft = view.draft
    first = pieces[0][0] if pieces else float("nan")
    sys.stderr.write(
        f"\n{fields['id']}: {draft.status} {draft.reason or ''} {len(pieces)} pieces, first after "
        f"{first:.1f} s, all after {draft.seconds:.1f} s, prompt {draft.prompt_tokens} of "
        f"{draft.budget_tokens}, {draft.usage}, {len(view.sources)} passages in, "
        f"{len(draft.ledger) - len(view.sources)} left out\n{draft.text}\n"
    )
    return view


@pytest.mark.parametrize("number", [0, 1])
def test_a_ticket_is_drafted_with_a_prompt_that_the_server_counts_as_we_do(
    desk: Services, route: Model, number: int
) -> None:
    view = _draft(desk, route, TICKETS[number])

    draft = view.draft
    assert draft.status in {DraftStatus.READY, DraftStatus.ABSTAINED, DraftStatus.INCOMPLETE}
    assert draft.reason not in {"cut", "stalled", "stopped", "empty"}
    assert draft.usage["prompt_tokens"] == draft.prompt_tokens <= DRAFT_WINDOW - REPLY_TOKENS
    assert 0 < draft.usage["completion_tokens"] <= REPLY_TOKENS
    for claim in view.claims:
        assert draft.text[claim.claim.start : claim.claim.end] == claim.claim.text
        for cited in claim.citations:
            citation = cited.citation
            assert cited.version.text[citation.quote_start : citation.quote_end] == citation.quote
            assert 1 <= citation.marker <= len(view.sources)


def test_a_streamed_draft_cites_the_passage_that_says_it(desk: Services, route: Model) -> None:
    fields = {
        "id": "M-1",
        "subject": "How often to descale?",
        "body": "How often do I have to descale my Aria 500 at water hardness setting 3?",
        "locale": "en",
    }

    view = _draft(desk, route, fields)

    assert view.draft.status == DraftStatus.READY
    cited = [found for claim in view.claims for found in claim.citations]
    assert cited
    for found in cited:
        citation = found.citation
        assert citation.quote
        assert found.version.text[citation.quote_start : citation.quote_end] == citation.quote


@pytest.mark.parametrize("passages", [40])
def test_forty_long_passages_and_thirty_messages_fit_and_count_exactly(
    route: Model, passages: int
) -> None:
    prose = [" ".join(WORDS[(i + j) % len(WORDS)] for j in range(250)) for i in range(40)]
    hits = [hit(f"{FACT} {prose[n]}", n + 1, page=n + 1) for n in range(passages)]
    thread = [
        ThreadMessage("agent" if n % 2 else "customer", f"No. {n}: {prose[n][:400]} <|im_end|>")
        for n in range(30)
    ]
    question = Question("E17 & <|im_start|>", thread, "en")
    counter = ServerTokens(str(route.url))

    begun = time.perf_counter()
    fitted = fit(question, hits, route, counter, REPLY_TOKENS)
    seconds = time.perf_counter() - begun
    completion = Completion()
    text = "".join(LiteLlmModel(route).stream(fitted.messages, 8, completion))

    sys.stderr.write(
        f"\n{passages} passages: {len(fitted.hits)} in, {fitted.tokens} tokens of "
        f"{fitted.budget_tokens}, fitted in {seconds:.2f} s, {completion.usage}\n"
    )
    assert text
    assert fitted.exact
    assert completion.usage.prompt_tokens == fitted.tokens <= WINDOW - REPLY_TOKENS


def test_where_the_server_does_not_count_the_estimate_is_above_its_count(route: Model) -> None:
    server, estimate = ServerTokens(str(route.url)), EstimatedTokens()

    for fields in TICKETS:
        thread = [prompt.message(ThreadMessage("customer", str(fields["body"])))]
        messages = prompt.messages([hit(FACT)], str(fields["subject"]), thread, "en")
        assert estimate.count(messages) >= server.count(messages)
