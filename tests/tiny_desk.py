"""A desk with a tiny encoder that knows nothing yet, and solved tickets from which it can learn."""

import json
import shutil
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from sqlalchemy.orm import Session

from app.commands.tuning import tune
from app.encoders import Encoders, of
from app.services import Services
from app.settings import Settings
from ingest import jobs, sources, vectors
from ingest.db import now
from ingest.pipeline import ingest_documents, rebuild_index
from ingest.sources import Upload
from ingest.store import document_id
from ingest.tables import Visibility
from ingest.tuner import Recipe
from ingest.weights import Weights
from rag.tables import Case, CaseOrigin, Ticket, TicketDocument, TicketStatus
from tests.failure.desks import Death

MODULES = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
# What customers write, and the words of the page that helps them: they have none in common.
TOPICS = {
    "kettle boils over": "Descale the heater with citric acid.",
    "screen stays dark": "Replace the fuse behind the panel.",
    "parcel never came": "Ask the courier for proof of delivery.",
    "invoice shows twice": "Accounting cancels one booking.",
    "password is rejected": "Reset credentials by e-mail link.",
    "milk tastes sour": "Rinse the frother tube daily.",
    "grinder screams loudly": "Remove stones between the burrs.",
    "lamp blinks orange": "Empty the drip tray.",
}
TICKETS_EACH = 12
RECIPE = Recipe(epochs=10, batch_pairs=16, learning_rate=2e-3)


class TinyDesk(Services):
    """Services that work with the encoder that serves."""

    @cached_property
    def encoders(self) -> Encoders:
        return of(self)

    @cached_property
    def weights(self) -> Weights:
        return self.encoders.weights


def write_encoder(folder: Path, *, pooling: str = "pooling_mode_mean_tokens") -> Weights:
    """Write a BERT of 2 layers and 32 dimensions with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=30_522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertModel(config).save_pretrained(folder)
    shutil.copy(Weights().folder / "tokenizer.json", folder)
    modules = [
        {"name": kind, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for path, kind in MODULES
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooled = {"word_embedding_dimension": 32, pooling: True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooled))
    return Weights(str(folder))


def open_desk(home: Path, encoder: Path) -> TinyDesk:
    """Open the desk of a home folder."""
    return TinyDesk(Settings().model_copy(update={"home": home, "embedding_model": str(encoder)}))


def furnish(desk: Services) -> None:
    """Publish a page on each topic, and add solved tickets about all of them, one a day."""
    for source, text in enumerate(TOPICS.values()):
        publish(desk, f"page-{source}", text)
    rebuild_index(desk.ingestion)
    begin = now() - timedelta(days=400)
    topics = list(TOPICS)
    with desk.database.write() as session:
        for number in range(TICKETS_EACH * len(topics)):
            topic = number % len(topics)
            moment = begin + timedelta(days=number)
            _add_case(session, f"T-{number}", f"{topics[topic]} number {number}", moment)
            document = document_id(f"page-{topic}")
            session.add(TicketDocument(ticket_id=f"T-{number}", document_id=document))


def _add_case(session: Session, name: str, question: str, moment: datetime) -> None:
    status = TicketStatus.SOLVED
    session.add(Ticket(id=name, subject="", language="en", status=status, created_at=moment))
    session.flush()
    session.add(
        Case(
            ticket_id=name,
            origin=CaseOrigin.IMPORTED,
            question=question,
            content_hash=vectors.content_hash(question),
            solved_at=moment,
        )
    )
    session.flush()


def publish(desk: Services, source: str, text: str) -> None:
    """Take one public page in."""
    details = {"visibility": Visibility.PUBLIC, "owner": "Olu"}
    upload = Upload(source, f"{source}.md", text.encode(), details)
    sources.submit(desk.database, desk.files, [upload], "tests")
    ingest_documents(desk.ingestion, jobs.claim(desk.database, "tests", 1))


def watch(_what: str, _done: int, _total: int) -> None:
    """Let everything go on."""


def learn_all_the_way(home: Path, encoder: Path, death: Death | None) -> None:
    """Train the encoder of a desk, unless death comes first."""
    desk = open_desk(home, encoder)
    if death is not None:
        death.arm()
    tune(desk, watch, RECIPE)
