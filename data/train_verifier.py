"""Trains the verifier: does an evidence support a claim? data/README.md names what it learns from.

    python data/train_verifier.py CLAIMS DOCUMENTS... [--epochs 3] [--threads N]

CLAIMS is a folder with `train.jsonl` (claim, evidence, supported, source). DOCUMENTS are `.jsonl`
files of texts (`text` or `html`) or folders of documents; true and false sentences are made from
them. Writes data/verifier.safetensors and data/verifier.json. Starts from the packaged encoder,
whose embeddings of words stay as they are. Uses a GPU where there is one.
"""

import argparse
import hashlib
import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel

from ingest import backbone
from ingest.parse import registry
from ingest.query_encoder import load_tokenizer
from ingest.sentences import sentence_spans
from ingest.weights import Weights
from rag.cite import bare_text
from rag.groundedness import CARD, SCALE, WEIGHTS, Groundedness, pair_ids, read_card
from rag.planting import Error, names_in, plant, reword

SEED = 20_261
BATCH = 32
RATE = 1e-4
WARM_UP = 0.06
SMOOTHING = 0.04
# Rows most like a sentence of a reply and the passage it cites weigh more.
LIKE_OURS, WEIGHT_LIKE_OURS = "attributionbench:", 4.0
# Of the largest source, with short evidence about one subject, a part is enough.
MOST_OF_ONE_SOURCE = 3_500
# Of a much longer evidence the model sees too little to learn from.
MAX_WORDS_OF_EVIDENCE = 480
# Held back to turn scores into probabilities.
HELD_BACK_LIKE_OURS, HELD_BACK = 0.25, 0.04
# What they count when the curve is fitted, all together.
SHARE_LIKE_OURS = 0.8
DERIVED_SENTENCES, SENTENCES_OF_A_TEXT = 3_600, 6
WINDOW_SENTENCES = 7
MIN_WORDS, MAX_WORDS = 6, 40
_LIST_MARK = re.compile(r"^(?:\d{1,2}[.)]|[-*•])\s+")


@dataclass(frozen=True, slots=True)
class Row:
    """A claim with evidence that supports it or does not."""

    claim: str
    evidence: str
    supported: bool
    source: str
    weight: float = 1.0


def main() -> None:
    """Train, calibrate and write."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    rows = list(_claims(options.claims / "train.jsonl", chance))
    chance.shuffle(rows)
    held_back, rows = _split(rows, chance)
    derived = list(_derived(options.documents, chance))
    print(f"{len(rows)} rows, {len(derived)} made from documents, {len(held_back)} held back")
    if not options.curve_only:
        _write(*_train([*rows, *derived], options.epochs, chance))
    figures = {
        "made": time.strftime("%Y-%m-%d"),
        "rows": len(rows),
        "derived_rows": len(derived),
        "held_back_rows": len(held_back),
        "epochs": options.epochs,
        "seed": SEED,
    }
    _write_card(figures)
    _write_card(figures | _calibrate(held_back))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("claims", type=Path)
    parser.add_argument("documents", type=Path, nargs="*")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--curve-only", action="store_true", help="keep the weights")
    return parser.parse_args()


def _claims(file: Path, chance: random.Random) -> Iterator[Row]:
    by_source: dict[str, list[Row]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        weight = WEIGHT_LIKE_OURS if row["source"].startswith(LIKE_OURS) else 1.0
        one = Row(bare_text(row["claim"]), row["evidence"], row["supported"], row["source"], weight)
        if weight > 1 or len(one.evidence.split()) <= MAX_WORDS_OF_EVIDENCE:
            by_source.setdefault(one.source, []).append(one)
    for source in sorted(by_source):
        some = by_source[source]
        chance.shuffle(some)
        yield from some[:MOST_OF_ONE_SOURCE]


def _split(rows: Sequence[Row], chance: random.Random) -> tuple[list[Row], list[Row]]:
    held_back: list[Row] = []
    rest: list[Row] = []
    for row in rows:
        share = HELD_BACK_LIKE_OURS if row.source.startswith(LIKE_OURS) else HELD_BACK
        (held_back if chance.random() < share else rest).append(row)
    return held_back, rest


def _derived(documents: Sequence[Path], chance: random.Random) -> Iterator[Row]:
    """Make true and false claims from sentences of documents, as many of each path."""
    for path in documents:
        texts = list(_texts(path))
        chance.shuffle(texts)
        each = max(SENTENCES_OF_A_TEXT, DERIVED_SENTENCES // len(documents) // len(texts))
        made = 0
        for text in texts:
            if made >= DERIVED_SENTENCES // len(documents):
                break
            spans = sentence_spans(text)
            sentences = [_LIST_MARK.sub("", " ".join(text[a:b].split())) for a, b in spans]
            whole = [at for at, sentence in enumerate(sentences) if _states(sentence)]
            names = names_in(text)
            for at in chance.sample(whole, min(len(whole), each)):
                made += 1
                yield from _variants(sentences, at, names, chance)


def _variants(
    sentences: Sequence[str], at: int, names: Sequence[str], chance: random.Random
) -> Iterator[Row]:
    """Yield a sentence as it is or reworded, with an error in it, and beside the wrong window."""
    start = max(0, at - chance.randrange(WINDOW_SENTENCES))
    window = " ".join(sentences[start : start + WINDOW_SENTENCES])
    sentence = sentences[at]
    said = reword(sentence, chance)
    yield Row(said, window, supported=True, source="derived:true")
    others = [Error.NEGATION, Error.ENTITY]
    chance.shuffle(others)
    # Few sentences have a number, and no error is worse.
    for error in (Error.NUMBER, Error.DATE, *others):
        planted = plant(chance.choice([sentence, said]), error, chance, names)
        if planted is not None:
            yield Row(planted.text, window, supported=False, source=f"derived:{error}")
            break
    elsewhere = [*sentences[:start], *sentences[start + WINDOW_SENTENCES :]]
    if len(elsewhere) >= WINDOW_SENTENCES and sentence not in elsewhere and chance.random() < 0.4:
        begin = chance.randrange(len(elsewhere) - WINDOW_SENTENCES + 1)
        other = " ".join(elsewhere[begin : begin + WINDOW_SENTENCES])
        yield Row(said, other, supported=False, source="derived:elsewhere")


def _states(sentence: str) -> bool:
    return MIN_WORDS <= len(sentence.split()) <= MAX_WORDS and sentence.endswith(".")


def _texts(path: Path) -> Iterator[str]:
    if path.is_dir():
        for file in sorted(path.iterdir()):
            yield registry.parse(file.read_bytes(), file.name).text
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("html"):
            yield registry.parse(row["html"].encode(), "page.html").text
        else:
            yield row["text"]


def _train(
    rows: Sequence[Row], epochs: int, chance: random.Random
) -> tuple[Any, torch.Tensor, torch.Tensor]:
    weights = Weights()
    tokenizer = load_tokenizer(weights.folder)
    ids = [pair_ids(tokenizer, row.claim, row.evidence) for row in rows]
    model = AutoModel.from_pretrained(
        str(weights.folder),
        dtype=torch.float32,
        local_files_only=True,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.05,
    ).to(backbone.fast_device())
    model.train()
    model.embeddings.requires_grad_(requires_grad=False)
    direction = torch.nn.Parameter(torch.randn(384, device=model.device) * 0.02)
    bias = torch.nn.Parameter(torch.zeros(1, device=model.device))
    learnt = [*(each for each in model.parameters() if each.requires_grad), direction, bias]
    optimizer = torch.optim.AdamW(learnt, lr=RATE, weight_decay=0.01)
    batches = [batch for _ in range(epochs) for batch in _batches(ids, chance)]
    print(f"{epochs * sum(map(len, ids)):,} tokens in {len(batches)} steps", flush=True)
    begun, losses = time.perf_counter(), []
    for step, batch in enumerate(batches):
        rising = (step + 1) / (WARM_UP * len(batches))
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(rising, (len(batches) - step) / len(batches))
        logits = _logits(model, [ids[at] for at in batch], direction, bias)
        truths = torch.tensor([float(rows[at].supported) for at in batch], device=model.device)
        truths = truths * (1 - 2 * SMOOTHING) + SMOOTHING
        weigh = torch.tensor([rows[at].weight for at in batch], device=model.device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truths, weigh)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 50 == 0:
            seconds = time.perf_counter() - begun
            mean = float(np.mean(losses[-50:]))
            print(f"{step}/{len(batches)} loss {mean:.3f} {seconds:.0f} s", flush=True)
    return model, direction.detach(), bias.detach()


def _batches(ids: Sequence[Sequence[int]], chance: random.Random) -> list[list[int]]:
    """Deal rows into batches by chance, with rows of like length together."""
    order = list(range(len(ids)))
    chance.shuffle(order)
    batches = []
    for begin in range(0, len(order), BATCH * 16):
        some = sorted(order[begin : begin + BATCH * 16], key=lambda at: len(ids[at]))
        batches += [some[start : start + BATCH] for start in range(0, len(some), BATCH)]
    chance.shuffle(batches)
    return batches


def _logits(
    model: Any, some: Sequence[Sequence[int]], direction: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    longest = -(-max(map(len, some)) // 16) * 16
    ids = torch.tensor([[*one, *[0] * (longest - len(one))] for one in some])
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in some])
    ids, mask = ids.to(model.device), mask.to(model.device)
    dtype = backbone.fast_dtype()
    with torch.autocast(model.device.type, dtype, enabled=dtype == torch.bfloat16):
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    unit = torch.nn.functional.normalize((states * mask[:, :, None]).sum(1), dim=1)
    return SCALE * unit @ direction + bias


def _write(model: Any, direction: torch.Tensor, bias: torch.Tensor) -> None:
    layers = {
        name: tensor.to(torch.bfloat16).cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if name.startswith("encoder.")
    }
    head = {"direction": direction.float().cpu(), "bias": bias.float().cpu()}
    save_file({**layers, **head}, str(WEIGHTS))


def _calibrate(held_back: Sequence[Row]) -> dict[str, Any]:
    """Fit the logistic curve from score and overlap to a probability."""
    features = Groundedness(Weights()).features([(row.claim, row.evidence) for row in held_back])
    truths = np.array([row.supported for row in held_back])
    ours = np.array([row.source.startswith(LIKE_OURS) for row in held_back])
    shares = SHARE_LIKE_OURS, 1 - SHARE_LIKE_OURS
    weigh = np.where(ours, shares[0] / max(ours.sum(), 1), shares[1] / max((~ours).sum(), 1))
    curve = LogisticRegression(C=1.0).fit(features, truths, sample_weight=weigh * len(truths))
    return {"coefficients": curve.coef_[0].tolist(), "intercept": float(curve.intercept_[0])}


def _write_card(figures: Mapping[str, Any]) -> None:
    with WEIGHTS.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    # Read when the weights are loaded, so it stands there before the curve is known.
    card = {"sha256": digest, "coefficients": [], "intercept": 0.0, **figures}
    CARD.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    read_card.cache_clear()


if __name__ == "__main__":
    main()
