"""What the product makes of answers that Mixtral-8x7B itself gave, right ones and invented ones.

NoMIRACL asked the model whether ten passages answer a question, all of them near it: half of the
questions have an answer there, the others none. Its recorded answers go through the product: first
the probability that the passages answer, under which no model is asked; then the parser, for which
a reply that says the agreed phrase and names no passage is a refusal. The phrases of that prompt
("I don't know") stand for ours. What comes through is counted by whether it names a passage; that
prompt did not ask for any, and a reply without is repaired or shown as uncited.

The curve of the probability was fitted on these questions and two other sets, which flatters it;
two numbers were fitted. The prompt was another than ours, so the model's share of inventions says
what it is inclined to, not what it does in the product.

Data: project-miracl/nomiracl, English, Apache-2.0; shared/data/README.md.

usage: python -m tests.bench.replay [--limit N]

    --limit   so many questions of each half, from the start of the file; all 250 otherwise
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.settings import Settings
from rag import answerable, pipeline
from rag.cite import markers_in, normalise
from rag.intervals import mean_interval
from rag.prompt import NO_ANSWER
from tests.bench.abstention_sets import DATA
from tests.rag.desk import hit, passage_encoder, query_encoder

FOLDER = DATA / "nomiracl_en"
LIMIT = 250
# What the model was told to say, and the ways in which it did.
_REFUSES = re.compile(r"I don't know|answer is not present", re.IGNORECASE)
_AFFIRMS = re.compile(r"\banswer is present\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded answer: what the model said, and what the product would have done with it.

    `answers` is whether the model said that an answer is there, `refused` whether the parser took
    the reply for a refusal, `probability` what the product says before it asks a model.
    """

    answers: bool
    refused: bool
    names_passage: bool
    probability: float


def main() -> None:
    """Replay both halves and print what was stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=LIMIT)
    limit = parser.parse_args().limit
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is absent: this benchmark needs the shared data folder.")
    threshold = Settings().abstain_below
    sys.stdout.write(f"Recorded answers of Mixtral-8x7B; no draft below {threshold}\n")
    for name, title, said in (
        ("non_relevant", "No passage answers", "said wrongly that an answer is present"),
        ("relevant", "A passage answers", "said rightly that an answer is present"),
    ):
        cases = list(replay(name, limit))
        sys.stdout.write("\n".join([f"\n{title}", *report(cases, said, threshold), ""]))
        sys.stdout.flush()


def replay(name: str, limit: int) -> Iterator[Replayed]:
    """Yield what becomes of the answers of one file."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[:limit]
    rows = [json.loads(line) for line in lines]
    texts = [text for row in rows for text in row["passages"]]
    vectors = iter(passage_encoder().encode(texts, lambda _: None))
    for row in rows:
        yield _replayed(row, [next(vectors) for _ in row["passages"]])


def report(cases: Sequence[Replayed], said: str, threshold: float) -> list[str]:
    """Return the lines about one half."""
    answered = [case for case in cases if case.answers]

    def improbable(case: Replayed) -> bool:
        return case.probability < threshold

    def stopped(case: Replayed) -> bool:
        return improbable(case) or case.refused

    return [
        _line(f"Mixtral {said}", cases, lambda case: case.answers),
        _line("  of these stopped by the probability", answered, improbable),
        _line("  of these stopped by the parser", answered, lambda case: case.refused),
        _line("  of these stopped in all", answered, stopped),
        _line("comes through", cases, lambda case: case.answers and not stopped(case)),
        _line(
            "comes through and names a passage",
            cases,
            lambda case: case.answers and not stopped(case) and case.names_passage,
        ),
        _line("no model asked, whatever it would have said", cases, improbable),
    ]


def _replayed(row: dict[str, Any], vectors: Sequence[Any]) -> Replayed:
    question, reply = row["question"], row["mixtral"]
    asked = query_encoder().encode(question)
    scored = zip((float(vector @ asked) for vector in vectors), row["passages"], strict=True)
    hits = [
        hit(text, rank, score=score)
        for rank, (score, text) in enumerate(sorted(scored, reverse=True), start=1)
    ]
    ours = _REFUSES.sub(NO_ANSWER, reply)
    return Replayed(
        answers=bool(_AFFIRMS.search(reply)) or not _REFUSES.search(reply),
        refused=pipeline.declines(ours),
        names_passage=bool(markers_in(normalise(reply, len(hits)))),
        probability=answerable.probability(question, hits, encoder=query_encoder()),
    )


def _line(name: str, cases: Sequence[Replayed], is_counted: Callable[[Replayed], bool]) -> str:
    counted = [is_counted(case) for case in cases]
    head = f"  {name:<50}{sum(counted):>4} of {len(cases):<4}"
    if not counted:
        return head
    low, high = _bounds(counted)
    return f"{head} {sum(counted) / len(counted):6.1%}   95%: {low:.1%} to {high:.1%}"


def _bounds(counted: Sequence[bool]) -> tuple[float, float]:
    # Where all are alike a bootstrap knows no doubt; then three in so many may be otherwise.
    # Source: Hanley & Lippman-Hand, JAMA 1983.
    doubt = min(1.0, 3 / len(counted))
    if not any(counted):
        return 0.0, doubt
    if all(counted):
        return 1 - doubt, 1.0
    share = mean_interval(counted)
    return max(share.low, 0.0), min(share.high, 1.0)


if __name__ == "__main__":
    main()
