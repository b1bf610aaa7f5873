"""How many planted commitments are flagged, and how many other sentences are.

usage: python -m tests.bench.commitments

The planted sentences are ours, in six languages: half of them the rules were written with, the
other half was written before the rules and never looked at for them. False alarms are counted on
our own harmless sentences, on all sentences of the sample desk's documents, and on those of 688
articles of a real help centre, which speaks of its product as "we".
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from ingest.parse.registry import parse
from rag.commitments import kind_of
from rag.tables import ClaimKind
from tests.bench.sumo import SOURCE
from tests.rag.planted import (
    HARMLESS,
    HELD_OUT,
    TUNED,
    of_the_sample_desk,
    sentences,
    sentences_of,
)


def main() -> None:
    """Print the flagged share of each set."""
    both = [(name, row) for name in (TUNED, HELD_OUT) for row in sentences(name)]
    _write("planted commitments")
    for name in (TUNED, HELD_OUT):
        __write(name, (text for of, (_, kind, text) in both if of == name and kind != HARMLESS))
    __write("together", (text for _, (_, kind, text) in both if kind != HARMLESS))
    by_kind = Counter(kind for _, (_, kind, _) in both if kind != HARMLESS)
    right = Counter(kind for _, (_, kind, text) in both if kind_of(text) == kind)
    kinds = ", ".join(f"{kind} {right[kind]}/{count}" for kind, count in by_kind.items())
    _write(f"  of the kind that was meant: {kinds}")
    _write("false alarms")
    for name in (TUNED, HELD_OUT):
        __write(
            f"harmless, {name}", (text for of, (_, k, text) in both if of == name and k == HARMLESS)
        )
    __write("sample desk's documents", of_the_sample_desk())
    if (SOURCE / "kb.jsonl").is_file():
        __write("688 help articles", _articles())
    else:
        _write(f"  the help centre's data are not at {SOURCE}: skipped")


def __write(name: str, texts: Iterable[str]) -> None:
    flags = [kind_of(text) != ClaimKind.FACT for text in texts]
    _write(f"  {name:28} {sum(flags):5} of {len(flags):6} flagged  {sum(flags) / len(flags):6.1%}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _articles() -> Iterator[str]:
    with (SOURCE / "kb.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            page = f"<html><body>{json.loads(line)['html']}</body></html>"
            yield from sentences_of(parse(page.encode(), "article.html").text)


if __name__ == "__main__":
    main()
