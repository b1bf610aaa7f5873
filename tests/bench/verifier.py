"""How well claims are verified: on labelled pairs, on planted errors, and how fast.

    python -m tests.bench.verifier [--rows N]

Pairs are read from `shared/data/claims` beside the repository; `measure_only.jsonl` was never
trained on, nor was anything tuned to it. Errors are planted into sentences of the sample desk's
documents that the embedded drafter could quote, ten sentences a reply.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from ingest.parse import registry
from ingest.sentences import sentence_spans
from ingest.weights import Weights
from rag.calibration import expected_calibration_error, roc_area
from rag.cite import bare_text
from rag.groundedness import Groundedness
from rag.planting import Error, names_in, plant, reword
from rag.tables import Label
from rag.verify import Pair, Verifier

CLAIMS = Path(__file__).resolve().parents[3] / "shared" / "data" / "claims"
DOCUMENTS = Path(__file__).resolve().parents[2] / "data" / "kb"
REPLIES, SENTENCES_OF_A_REPLY = 1_000, 5
WINDOW_SENTENCES = 8
SEED = 7
EDITS = ("soon", "now", "here", "then", "gladly", "indeed", "too", "still", "again", "today")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="only so many of each file of pairs")
    rows = parser.parse_args().rows
    verifier = Verifier(Groundedness(Weights()))
    for name in ("dev", "measure_only"):
        _labelled(verifier, CLAIMS / f"{name}.jsonl", rows)
    _planted(verifier)
    _speed()


def _labelled(verifier: Verifier, file: Path, limit: int | None) -> None:
    if not file.is_file():
        sys.stdout.write(f"{file.name}: not measured, there is no {file}\n")
        return
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][:limit]
    pairs = [(bare_text(row["claim"]), row["evidence"]) for row in rows]
    truths = [bool(row["supported"]) for row in rows]
    begun = time.perf_counter()
    found = verifier.judge(pairs)
    seconds = time.perf_counter() - begun
    probabilities = [finding.probability for finding in found]
    each = 1000 * seconds / len(rows)
    sys.stdout.write(f"\n{file.stem}: {len(rows)} pairs, {each:.1f} ms each\n")
    _figures("all", probabilities, truths)
    by_source = defaultdict(list)
    for at, row in enumerate(rows):
        by_source[row["source"]].append(at)
    for source, places in sorted(by_source.items()):
        _figures(source, [probabilities[at] for at in places], [truths[at] for at in places])


def _figures(name: str, probabilities: Sequence[float], truths: Sequence[bool]) -> None:
    if len(set(truths)) < 2:
        # Few rows were wanted: nothing can be told apart.
        return
    said = [probability >= 0.5 for probability in probabilities]
    chance = np.random.default_rng(SEED)
    draws = [chance.integers(0, len(said), len(said)) for _ in range(400)]
    scores = [_macro([said[at] for at in draw], [truths[at] for at in draw]) for draw in draws]
    low, high = np.quantile(scores, [0.025, 0.975])
    error = expected_calibration_error(probabilities, truths)
    area = roc_area(probabilities, truths)
    sys.stdout.write(
        f"  {name:34} macro-F1 {_macro(said, truths):.3f} [{low:.3f}, {high:.3f}]"
        f"  calibration error {error:.3f}  ROC area {area:.3f}  n {len(said)}\n"
    )


def _macro(said: Sequence[bool], truths: Sequence[bool]) -> float:
    return float(f1_score(truths, said, average="macro", zero_division=0))


@dataclass(frozen=True, slots=True)
class Reply:
    """Claims with their evidence, of which one has an error or none has."""

    pairs: list[Pair]
    error: Error | None
    wrong: int


def _planted(verifier: Verifier) -> None:
    """Plant one error in each of a thousand replies, and count what is caught, and what else is."""
    chance = random.Random(SEED)
    passages = list(_passages())
    replies = [reply for _ in range(REPLIES) if (reply := _reply(passages, chance))]
    caught, planted, flagged = Counter[str](), Counter[str](), 0
    untouched = 0
    doubtful: list[bool] = []
    for reply in replies:
        found = verifier.judge(reply.pairs)
        doubted = [finding.label != Label.SUPPORTED for finding in found]
        untouched += len(doubted) - 1
        flagged += sum(doubt for at, doubt in enumerate(doubted) if at != reply.wrong)
        planted[str(reply.error)] += 1
        caught[str(reply.error)] += doubted[reply.wrong]
        # As it is, and with the sentence that is wrong left out.
        doubtful += [any(doubted), any(doubted[: reply.wrong] + doubted[reply.wrong + 1 :])]
    sys.stdout.write(f"\n{len(replies)} replies with one planted error each\n")
    for error in Error:
        if planted[error]:
            share = caught[error] / planted[error]
            sys.stdout.write(f"  {error:10} caught {share:.3f} of {planted[error]}\n")
    whole = f1_score([True, False] * len(replies), doubtful)
    sys.stdout.write(f"  F1 of whole replies, with their error and without it: {whole:.3f}\n")
    sys.stdout.write(
        f"  false alarms {flagged / untouched:.4f} of {untouched} untouched sentences\n"
    )


def _passages() -> Iterator[list[str]]:
    for file in sorted(DOCUMENTS.iterdir()):
        text = registry.parse(file.read_bytes(), file.name).text
        spans = sentence_spans(text)
        sentences = [" ".join(text[start:end].split()) for start, end in spans]
        for begin in range(0, len(sentences) - WINDOW_SENTENCES, WINDOW_SENTENCES):
            yield sentences[begin : begin + WINDOW_SENTENCES]


def _reply(passages: Sequence[list[str]], chance: random.Random) -> Reply | None:
    chosen = chance.sample(passages, SENTENCES_OF_A_REPLY)
    pairs, quotable = [], []
    for sentences in chosen:
        whole = [each for each in sentences if len(each.split()) >= 5 and each.endswith(".")]
        if not whole:
            continue
        sentence = chance.choice(whole)
        quotable.append(sentence)
        pairs.append((reword(sentence, chance), "\n".join(sentences)))
    errors = list(Error)
    chance.shuffle(errors)
    for error in errors:
        for at in chance.sample(range(len(pairs)), len(pairs)):
            planted = plant(quotable[at], error, chance, names_in(pairs[at][1]))
            if planted is not None:
                pairs[at] = (planted.text, pairs[at][1])
                return Reply(pairs, error, at)
    return None


def _speed() -> None:
    """Time one claim, and a reply of ten after one of its words was changed."""
    chance = random.Random(SEED)
    passages = [" ".join(sentences) for sentences in _passages()][:60]
    # Said in a way that the words alone do not settle.
    claims = [f"We can say that {chance.choice(text.split('. ')).lower()}" for text in passages]
    verifier = Verifier(Groundedness(Weights()))
    pairs = list(zip(claims, passages, strict=True))
    asked = [
        pair
        for pair, found in zip(pairs, verifier.judge(pairs), strict=True)
        if found.reasons[0].code in {"probable", "doubtful"}
    ]
    # Another one, which remembers nothing.
    verifier = Verifier(Groundedness(Weights()))
    verifier.judge([("Warm up.", "The machine warms up.")])
    times = []
    for pair in asked:
        begun = time.perf_counter()
        verifier.judge([pair])
        times.append(1000 * (time.perf_counter() - begun))
    sys.stdout.write(
        f"\none claim: {np.median(times):.1f} ms (95 of 100: {np.quantile(times, 0.95):.1f})\n"
    )
    reply = asked[:10]
    verifier.judge(reply)
    times = []
    for number in range(len(EDITS)):
        reply[3] = (f"{asked[3][0]} {EDITS[number]}", asked[3][1])
        begun = time.perf_counter()
        verifier.judge(reply)
        times.append(1000 * (time.perf_counter() - begun))
    sys.stdout.write(f"a reply of ten after one word: {np.median(times):.1f} ms\n")


if __name__ == "__main__":
    main()
