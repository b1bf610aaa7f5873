"""How much personal data is masked, and how much else, on Presidio's generated English sentences.

usage: python -m tests.bench.masking [--presidio PYTHON] [--rows N]

    --presidio   an interpreter that has Presidio: its default analyzer on the same rows
    --rows       so many rows, drawn with a fixed seed; all of them otherwise

Counted as personal: the types of COUNTED. The other labelled types (towns, countries, companies,
dates, domains, professions, titles) are ignored: whether they are masked is neither right nor
wrong. A labelled span is found if masks cover every letter and digit of it, a title in front of a
name excepted, whatever they call it;
a mask is false if it overlaps no labelled span of any type. F2 weighs recall four times precision.
By word: the share of the words of counted spans that are masked, and the share of masked words, the
ignored ones left out, that stand in counted spans.
"""

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.mask import find, mask

ROWS = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "pii"
    / "presidio_generated_large.json"
)
SEED = 20
# Characters of a streamed piece: placeholders are cut by them.
PIECE = 3
COUNTED = (
    "PERSON",
    "ADDRESS",
    "CREDIT_CARD",
    "PHONE_NUMBER",
    "EMAIL_ADDRESS",
    "US_SSN",
    "IBAN_CODE",
    "US_DRIVER_LICENSE",
    "IP_ADDRESS",
)
# Presidio's default reports dates, links and nationalities too; nobody would mask these in tickets.
PRESIDIO_LEFT_OUT = ("DATE_TIME", "URL", "NRP")
_WORD = re.compile(r"\w+")
_TITLE = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text and what it is."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence with its labelled spans."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The masks in a sentence, and the time that finding them took."""

    masks: tuple[Span, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Right ones of those asked for, and right ones of those given."""

    recall: float
    precision: float

    @property
    def f2(self) -> float:
        """Return the mean in which recall counts four times as much."""
        return 5 * self.precision * self.recall / (4 * self.precision + self.recall)

    def __str__(self) -> str:
        return f"recall {self.recall:.3f}   precision {self.precision:.3f}   F2 {self.f2:.3f}"


def main() -> None:
    """Measure, and print a report for each masker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--presidio")
    parser.add_argument("--rows", type=int)
    options = parser.parse_args()
    rows = read(ROWS, options.rows)
    _print(report("Ours", rows, [ours(row.text) for row in rows]))
    back = sum(comes_back(row.text) for row in rows)
    _print([f"  {back} of {len(rows)} come back as they were when a model repeats them"])
    if options.presidio:
        results = presidio(options.presidio, [row.text for row in rows])
        _print(report("Presidio, all it reports", rows, results))
        fewer = [_without(result, PRESIDIO_LEFT_OUT) for result in results]
        _print(report(f"Presidio without {', '.join(PRESIDIO_LEFT_OUT)}", rows, fewer))


def read(path: Path, count: int | None) -> list[Row]:
    """Return the rows of a file, or so many of them."""
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    if count is not None:
        entries = random.Random(SEED).sample(entries, min(count, len(entries)))
    return [Row(entry["full_text"], tuple(map(_span, entry["spans"]))) for entry in entries]


def ours(text: str) -> Result:
    """Mask a text as a thread of its own."""
    begun = time.perf_counter()
    finds = find([text])[0]
    seconds = time.perf_counter() - begun
    return Result(tuple(Span(one.start, one.end, one.kind) for one in finds), seconds)


def comes_back(text: str) -> bool:
    """Tell whether a reply that repeats the masked text, in small pieces, has its values again."""
    masked = mask([text])
    said = masked.texts[0]
    unknown: list[str] = []
    pieces = (said[at : at + PIECE] for at in range(0, len(said), PIECE))
    return "".join(masked.masking.unmask_pieces(pieces, unknown)) == text and not unknown


def presidio(python: str, texts: Sequence[str]) -> list[Result]:
    """Let another interpreter find what it finds."""
    script = Path(__file__).with_name("peers") / "presidio.py"
    done = subprocess.run(
        [python, script], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    return [
        Result(tuple(Span(*span) for span in found["spans"]), found["seconds"])
        for found in json.loads(done.stdout)
    ]


def report(title: str, rows: Sequence[Row], results: Sequence[Result]) -> list[str]:
    """Return the lines about one masker."""
    milliseconds = [result.seconds * 1000 for result in results]
    lines = [
        f"{title}, {len(rows)} texts",
        f"  spans    {by_span(rows, results)}",
        f"  words    {by_word(rows, results)}",
        f"  {statistics.fmean(milliseconds):.2f} ms a text, median"
        f" {statistics.median(milliseconds):.2f}",
    ]
    for type_ in COUNTED:
        spans = [(row, result, span) for row, result, span in _spans(rows, results, (type_,))]
        if spans:
            found = sum(_is_covered(*case) for case in spans)
            lines.append(f"    {type_:<18} {found / len(spans):.3f} of {len(spans)}")
    return lines


def by_span(rows: Sequence[Row], results: Sequence[Result]) -> Rates:
    """Rate labelled spans found, and masks that overlap one."""
    spans = _spans(rows, results, COUNTED)
    found = sum(_is_covered(row, result, span) for row, result, span in spans)
    masks = [
        (row, mask)
        for row, result in zip(rows, results, strict=True)
        for mask in _merged(result.masks)
    ]
    right = sum(any(_overlap(mask, span) for span in row.spans) for row, mask in masks)
    return Rates(found / len(spans), right / len(masks))


def by_word(rows: Sequence[Row], results: Sequence[Result]) -> Rates:
    """Rate words: those of counted spans, and those masked; words of ignored spans are left out."""
    personal = masked = both = 0
    for row, result in zip(rows, results, strict=True):
        counted = [span for span in row.spans if span.type in COUNTED]
        ignored = [span for span in row.spans if span.type not in COUNTED]
        for match in _WORD.finditer(row.text):
            word = Span(match.start(), match.end(), "")
            is_personal = any(_overlap(word, span) for span in counted)
            if not is_personal and any(_overlap(word, span) for span in ignored):
                continue
            is_masked = any(_overlap(word, mask) for mask in result.masks)
            personal += is_personal
            masked += is_masked
            both += is_personal and is_masked
    return Rates(both / personal, both / masked)


def _spans(
    rows: Sequence[Row], results: Sequence[Result], types: Sequence[str]
) -> list[tuple[Row, Result, Span]]:
    return [
        (row, result, span)
        for row, result in zip(rows, results, strict=True)
        for span in row.spans
        if span.type in types
    ]


def _is_covered(row: Row, result: Result, span: Span) -> bool:
    title = _TITLE.match(row.text, span.start)
    return all(
        any(mask.start <= at < mask.end for mask in result.masks)
        for at in range(title.end() if title else span.start, span.end)
        if row.text[at].isalnum()
    )


def _merged(masks: Iterable[Span]) -> list[Span]:
    """Return masks without those inside others: some maskers report one value twice."""
    merged: list[Span] = []
    for one in sorted(masks, key=lambda one: (one.start, -one.end)):
        if not merged or one.end > merged[-1].end:
            merged.append(one)
    return merged


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _without(result: Result, types: Sequence[str]) -> Result:
    return Result(tuple(mask for mask in result.masks if mask.type not in types), result.seconds)


def _span(entry: dict[str, Any]) -> Span:
    return Span(entry["start_position"], entry["end_position"], entry["entity_type"])


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
