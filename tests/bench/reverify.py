"""How long a whole reply takes to be checked again after one word was changed.

usage: python -m tests.bench.reverify [EDITS]

A desk with the sample's English pages; a reply of eight sentences, none of them word for word in
its source; each edit changes one word of one sentence. Prints milliseconds of wall time.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from app import accounts
from app.roles import Role
from app.services import Services
from app.settings import Settings
from app.workflow import checking, drafts
from ingest import sources
from ingest.access import Scope
from ingest.sentences import sentence_spans
from ingest.tables import Visibility
from rag.tables import Draft
from rag.tickets import TicketLine, save

KB = Path(__file__).resolve().parents[2] / "data" / "kb"
SENTENCES, MIN_WORDS = 8, 6
# Seven words and eight sentences: each edit is another one.
WORDS = ("usually", "certainly", "always", "normally", "often", "clearly", "simply")
QUESTION = "How often do I descale my machine, and when must I change the water filter?"


def main() -> None:
    """Check a reply, then again after each edit, and print how long each took."""
    edits = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as folder:
        services = Services(Settings(home=Path(folder)))
        person, draft_id = _draft(services)
        reply = _reply(services, draft_id)
        first, again = (_milliseconds(services, person, draft_id, reply) for _ in range(2))
        after = [
            _milliseconds(services, person, draft_id, _edited(reply, number))
            for number in range(edits)
        ]
        services.database.close()
    sys.stdout.write(
        f"first {first:.0f} ms; unchanged {again:.0f} ms; {edits} edits of one word in"
        f" {SENTENCES} sentences: median {median(after):.0f} ms, worst {max(after):.0f} ms\n"
    )


def _draft(services: Services) -> tuple[str, str]:
    """Return an agent and a draft by the embedded drafter."""
    uploads = sources.uploads(sorted(KB.glob("*.md")), {"visibility": Visibility.PUBLIC})
    ids = sources.submit(services.database, services.files, uploads, "benchmark")
    services.worker.finish(ids, lambda _: None)
    line = {"id": "T-1", "subject": "Care", "body": QUESTION, "locale": "en"}
    with services.database.write() as session:
        person = accounts.add(session, "a@example.com", Role.AGENT, "x" * 20, [], "benchmark").id
        ticket = save(session, TicketLine.model_validate(line)).id
    stream = services.drafter.draft(ticket, "a@example.com", Scope.everything(), None)
    list(stream)
    return person, str(stream.draft_id)


def _reply(services: Services, draft_id: str) -> str:
    """Return sentences of the draft's passages, each in other words than there."""
    with services.database.read() as session:
        hits = drafts.sources(session, session.get_one(Draft, draft_id))
    stated = [
        f"Please note that {' '.join(hit.passage.text[start:end].split()).rstrip('. ')} [{marker}]."
        for marker, hit in enumerate(hits, start=1)
        for start, end in sentence_spans(hit.passage.text)
        if len(hit.passage.text[start:end].split()) >= MIN_WORDS
    ]
    if len(stated) < SENTENCES:
        sys.exit(f"The passages have {len(stated)} sentences only.")
    return " ".join(stated[:SENTENCES])


def _edited(reply: str, number: int) -> str:
    """Change a word of one sentence; each number is another edit."""
    sentences = reply.split("Please note that ")
    at = 1 + number % SENTENCES
    sentences[at] = f"{WORDS[number % len(WORDS)]} {sentences[at]}"
    return "Please note that ".join(sentences)


def _milliseconds(services: Services, person: str, draft_id: str, text: str) -> float:
    begun = time.perf_counter()
    checked = checking.check(services, person, draft_id, text)
    elapsed = time.perf_counter() - begun
    if len(checked.claims) != SENTENCES:
        sys.exit(f"{len(checked.claims)} statements were found in place of {SENTENCES}.")
    return 1_000 * elapsed


if __name__ == "__main__":
    main()
