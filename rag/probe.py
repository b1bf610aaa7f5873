"""Asks a route for a single token, to see whether it works."""

import time
from dataclasses import dataclass

from rag.errors import RagError
from rag.llm import ChatModel, Completion
from rag.tokens import ChatMessageDict

QUESTION: ChatMessageDict = {"role": "user", "content": "Say yes."}


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking; `error` is None where the route answered, `hint` what to do else."""

    seconds: float
    error: str | None
    hint: str = ""


def probe(chat: ChatModel) -> Probe:
    """Ask for one token; nothing of the desk is sent."""
    begun = time.monotonic()
    completion = Completion()
    error, hint = None, ""
    try:
        for _ in chat.stream([QUESTION], 1, completion):
            pass
    except RagError as failure:
        error, hint = failure.describe()
    else:
        # One token is "length", and some models spend it on nothing that shows.
        if completion.incomplete not in {None, "length", "empty"}:
            error = f"The answer broke off ({completion.incomplete})."
    return Probe(round(time.monotonic() - begun, 3), error, hint)
