"""Draws the places of ten answer sentences on their pages, for people to look at.

usage: python -m tests.bench.boxes OUT_DIR
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest import places
from ingest.parse import sandbox
from ingest.parse.parsed import PageSpan, ParsedDocument
from ingest.sentences import sentence_spans

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "northwind"
CITED = re.compile(r"\[([^\]]+\.pdf)#page=(\d+)\]")
WORD = re.compile(r"\w+")
WANTED = 10
MIN_WORDS = 8
EVERY = 9  # rows apart, so that many pages and documents are seen
WIDTH_PIXELS = 900


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence of a page that holds the words of an answer."""

    file: str
    page: PageSpan
    start: int
    end: int


def main() -> None:
    """Write the pictures and print their paths with the sentences."""
    if not DATA.is_dir():
        sys.exit(f"{DATA} is absent: this benchmark needs the shared data folder.")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    documents = {
        path.name: sandbox.parse_file(path, path.name) for path in (DATA / "pdf").glob("*.pdf")
    }
    rows = [json.loads(line) for line in (DATA / "qa.jsonl").read_text().splitlines()]
    answers = [answer for row in rows[::EVERY] for answer in _answers(row["truth"], documents)]
    for number, answer in enumerate(answers[:WANTED], start=1):
        target = folder / f"{number:02}.png"
        target.write_bytes(_draw(answer))
        text = documents[answer.file].text[answer.start : answer.end]
        sys.stdout.write(
            f"{target}  {answer.file} page {answer.page.number}: {' '.join(text.split())}\n"
        )


def _answers(truth: str, documents: dict[str, ParsedDocument]) -> Iterator[Answer]:
    """Yield the sentence of a cited page that shares most words with an answer's first one."""
    cited = CITED.search(truth)
    if not cited or cited[1] not in documents:
        return
    document = documents[cited[1]]
    page = document.pages[int(cited[2]) - 1]
    text = document.text[page.start : page.end]
    wanted = set(WORD.findall(truth[: cited.start()].lower()))
    spans = [
        (len(wanted & words), start, end)
        for start, end in sentence_spans(text)
        if len(words := set(WORD.findall(text[start:end].lower()))) >= MIN_WORDS
        and len(wanted & words) > 0.7 * len(words)
    ]
    if spans:
        _, start, end = max(spans)
        yield Answer(cited[1], page, page.start + start, page.start + end)


def _draw(answer: Answer) -> bytes:
    boxes = places.boxes(answer.page.words, answer.start, answer.end)
    path = DATA / "pdf" / answer.file
    return sandbox.render_page(path, answer.file, answer.page.number, boxes, WIDTH_PIXELS)


if __name__ == "__main__":
    main()
