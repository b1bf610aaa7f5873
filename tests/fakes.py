"""Stand-ins for the two models: they implement our protocols, offline and in microseconds."""

import hashlib
import re
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from ingest.embed import Vectors
from ingest.query_encoder import QueryEncoder
from rag.errors import RagError
from rag.groundedness import Groundedness
from rag.llm import NO_EXTRAS, Completion
from rag.overlap import overlap
from rag.provider import Usage
from rag.tokens import Messages

DIMENSIONS = 64


class HashEmbedder:
    """Hashes words into a vector: texts with words in common have a high cosine.

    Embeds passages (texts and a callback) and queries (one text); `batches` remembers the former.
    """

    def __init__(self, fingerprint: str = "hashed-words") -> None:
        self._fingerprint = fingerprint
        self.batches: list[list[str]] = []

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def embedded(self) -> list[str]:
        """Return every text that was embedded as a passage."""
        return [text for batch in self.batches for text in batch]

    @overload
    def encode(self, texts: str) -> Vectors: ...

    @overload
    def encode(
        self, texts: Sequence[str], on_progress: Callable[[Sequence[int]], None]
    ) -> Vectors: ...

    def encode(
        self, texts: str | Sequence[str], on_progress: Callable[[Sequence[int]], None] | None = None
    ) -> Vectors:
        if isinstance(texts, str):
            return embed(texts)
        self.batches.append(list(texts))
        if on_progress is not None:
            on_progress(range(len(texts)))
        return self.encode_many(texts)

    def encode_many(self, texts: Sequence[str]) -> Vectors:
        return np.stack([embed(text) for text in texts])

    def as_query_encoder(self) -> QueryEncoder:
        """Return itself under the type that searching asks for."""
        return cast("QueryEncoder", self)


def embed(text: str) -> Vectors:
    """Return float32[DIMENSIONS] of unit length."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        vector[digest[0] % DIMENSIONS] += 1 if digest[1] % 2 else -1
        vector[digest[2] % DIMENSIONS] += 1 if digest[3] % 2 else -1
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        vector[0] = length = 1.0
    unit: Vectors = vector / np.float32(length)
    return unit


@dataclass
class Reply:
    """What the scripted model says: pieces, then how it ends, or an error instead."""

    pieces: Sequence[str] = ()
    incomplete: str | None = None
    error: RagError | None = None
    usage: Usage = field(default_factory=lambda: Usage(100, 20))


class ScriptedChat:
    """A chat model with a queue of replies and a history of prompts."""

    def __init__(self, *replies: Reply | str) -> None:
        self.history: list[list[tuple[str, str]]] = []
        self._replies: deque[Reply] = deque()
        for reply in replies:
            self.enqueue(reply)

    def enqueue(self, reply: Reply | str) -> None:
        """Add a reply to the queue; a string is said word by word."""
        if isinstance(reply, str):
            reply = Reply(re.findall(r"\S+\s*|\s+", reply))
        self._replies.append(reply)

    def stream(
        self,
        messages: Messages,
        max_tokens: int,
        completion: Completion,
        extras: Mapping[str, Any] = NO_EXTRAS,
    ) -> Generator[str, None, None]:
        self.history.append([(message["role"], message["content"]) for message in messages])
        reply = self._replies.popleft()
        if reply.error is not None:
            raise reply.error
        yield from reply.pieces
        completion.incomplete = reply.incomplete
        completion.usage = reply.usage


class WordGroundedness(Groundedness):
    """Finds a claim supported by whatever has most of its words; `asked` remembers the pairs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        self.asked += pairs
        return np.array([0.9 if overlap(*pair).words >= 0.8 else 0.1 for pair in pairs])
