"""A ticket as it leaves for a model: without personal data where that is not to go."""

from dataclasses import dataclass

from ingest.guard import scan
from rag import prompt
from rag.mask import Masking, mask
from rag.prompt import ThreadMessage
from rag.records import Facts


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a model sees of a ticket; `masking` leads back from placeholders, None where none is."""

    subject: str
    thread: list[ThreadMessage]
    instruction: str
    masking: Masking | None


def outgoing(facts: Facts, *, masked: bool, instruction: str = "") -> Outgoing:
    """Return a ticket for a model, and what the agent asks for beside it."""
    subject, bodies = facts.subject, [body for _, body in facts.messages]
    masking = None
    if masked:
        # Cleaned first: an invisible character within a value would hide it from the mask.
        texts = [prompt.clean(text) for text in (subject, *bodies, instruction)]
        found = mask(texts, names=facts.names)
        masking, (subject, *bodies, instruction) = found.masking, found.texts
    # As they came: what is cleaned away is suspicious, too.
    thread = [
        ThreadMessage(author, body, bool(scan(written)))
        for (author, written), body in zip(facts.messages, bodies, strict=True)
    ]
    return Outgoing(subject, thread, instruction, masking)
