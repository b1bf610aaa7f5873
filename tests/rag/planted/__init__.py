"""Sentences that bind a desk, and harmless ones, in six languages."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from ingest.parse.registry import parse
from ingest.sentences import sentence_spans

FOLDER = Path(__file__).parent
KNOWLEDGE = FOLDER.parents[2] / "data" / "kb"
TUNED, HELD_OUT, HARMLESS = "tuned", "held_out", "harmless"
MIN_WORDS = 3


def sentences(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield language, kind and text of each sentence of a file; a kind may be `HARMLESS`."""
    planted = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for language, kinds in planted.items():
        for kind, texts in kinds.items():
            yield from ((language, kind, text) for text in texts)


def of_the_sample_desk() -> list[str]:
    """Return the sentences of the sample desk's documents."""
    files = sorted(KNOWLEDGE.iterdir())
    return [
        text for file in files for text in sentences_of(parse(file.read_bytes(), file.name).text)
    ]


def sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences of a text, headings and cells left out."""
    for start, end in sentence_spans(text):
        sentence = text[start:end].strip()
        if len(sentence.split()) >= MIN_WORDS:
            yield sentence
