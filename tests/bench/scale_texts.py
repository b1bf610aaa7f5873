"""Made-up documents and their vectors: real words as often as they are in real articles."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from app.settings import PROJECT
from ingest.embed import Vectors
from ingest.lexical.terms import WORD
from ingest.sources import Upload
from tests.bench.sumo import SOURCE

SEED = 7
DIMENSIONS = 384
WORDS_A_PASSAGE = 115
WORDS_A_SENTENCE = 14
LABELS = ("alpha", "beta", "gamma", "delta")
TAG = re.compile(r"<[^>]*>")


class Vocabulary:
    """Words with their frequencies in real articles, drawn with a seed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.counts = Counter(word for each in texts for word in WORD.findall(each.lower()))
        frequencies = np.array([*self.counts.values()], dtype=np.float64)
        self._words = np.array([*self.counts])
        self._shares = np.cumsum(frequencies) / frequencies.sum()
        self._random = np.random.default_rng(SEED)

    def draw(self, count: int) -> list[str]:
        """Return words, common ones more often."""
        places = np.searchsorted(self._shares, self._random.random(count))
        return cast("list[str]", self._words[places].tolist())


class WordVectors:
    """Embeds a text as the sum of its words' random vectors, rare words weighing more."""

    fingerprint = "words-of-the-benchmark"

    def __init__(self, counts: Counter[str]) -> None:
        self._row = {word: row for row, word in enumerate(counts)}
        weights = 1 / np.sqrt(np.array([*counts.values()], dtype=np.float32))
        vectors = np.random.default_rng(SEED).standard_normal((len(counts), DIMENSIONS))
        self._vectors = vectors.astype(np.float32) * weights[:, None]
        self.seconds = 0.0

    def encode(self, texts: Sequence[str], on_progress: Callable[[Sequence[int]], None]) -> Vectors:
        """Embed texts."""
        begin = time.perf_counter()
        vectors = np.stack([self.embed(each) for each in texts])
        self.seconds += time.perf_counter() - begin
        on_progress(range(len(texts)))
        return vectors

    def embed(self, one: str) -> NDArray[np.float32]:
        """Return float32[DIMENSIONS] of unit length."""
        words = WORD.findall(one.lower())
        rows = [self._row[word] for word in words if word in self._row] or [0]
        total = self._vectors[rows].sum(axis=0)
        return cast("NDArray[np.float32]", total / np.linalg.norm(total))


def upload(vocabulary: Vocabulary, number: int, passages: int) -> Upload:
    """Make up a document; every third is restricted, to one label of four."""
    title = " ".join(vocabulary.draw(5))
    sections = "\n\n".join(_section(vocabulary) for _ in range(passages))
    details = {
        "visibility": ("public", "internal", "restricted")[number % 3],
        "labels": [LABELS[number // 3 % len(LABELS)]],
    }
    name = f"document-{number}.md"
    return Upload(name, name, f"# {title} K{number:05}\n\n{sections}\n".encode(), details)


def _section(vocabulary: Vocabulary) -> str:
    words = vocabulary.draw(WORDS_A_PASSAGE)
    sentences = [
        " ".join(words[begin : begin + WORDS_A_SENTENCE]).capitalize() + "."
        for begin in range(0, len(words), WORDS_A_SENTENCE)
    ]
    return f"## {' '.join(vocabulary.draw(3))}\n\n{' '.join(sentences)}"


def articles() -> Iterator[str]:
    """Yield the texts whose words are used: the shared help articles, or the sample desk's."""
    export = SOURCE / "kb.jsonl"
    if export.is_file():
        for line in export.read_text(encoding="utf-8").splitlines():
            yield TAG.sub(" ", json.loads(line)["html"])
        return
    for path in sorted((PROJECT / "data" / "kb").rglob("*.md")):
        yield path.read_text(encoding="utf-8")


def questions(vocabulary: Vocabulary, count: int) -> list[str]:
    """Return real tickets, or made-up ones where there are none."""
    tickets = SOURCE / "tickets_dev.jsonl"
    if not tickets.is_file():
        return [" ".join(vocabulary.draw(80)) for _ in range(count)]
    lines = tickets.read_text(encoding="utf-8").splitlines()[:count]
    rows = [json.loads(line) for line in lines]
    return [f"{row['subject']}\n{row['body']}" for row in rows]
