"""Trains an embedding model on questions and the passages that answered them.

Each question is drawn nearer to its own passage than to those of the other questions in its batch:
Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest import backbone
from ingest.errors import EncoderError
from ingest.query_encoder import load_tokenizer, token_ids
from ingest.weights import Weights

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"
# Cosines are multiplied by this: between -1 and 1 they would hardly tell the passages apart.
SCALE = 20.0
WARM_UP = 0.1
WEIGHT_DECAY = 0.01
MAX_GRADIENT = 1.0
# So many batches are filled together, so that questions of one length share a batch.
WINDOW = 16
# Lengths are rounded up to multiples of this.
STEP = 32
# Exports of the same weights for other runtimes, which the training would make untrue.
STALE = ("*.safetensors", "*.bin", "*.h5", "*.ot", "*.msgpack", "onnx", "openvino")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a passage that answers it, and the passage's document.

    No passage of a document in `answers` counts as a wrong one for the question.
    """

    question: str
    passage: str
    document: str
    answers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the same pairs, recipe and processor give the same weights."""

    epochs: int = 3
    batch_pairs: int = 32
    learning_rate: float = 5e-5
    seed: int = 0


def train(
    base: Weights,
    pairs: Sequence[Pair],
    folder: Path,
    recipe: Recipe,
    watch: Callable[[int, int], None],
) -> None:
    """Write into a new folder what the base model becomes, laid out as the base is.

    `watch` is told (done, total) in pairs before every step; what it raises ends the training
    before anything is written.

    Raises:
        EncoderError: The base is not a BERT with mean pooling.
    """
    import torch

    from ingest.bert import Bert

    if not isinstance(backbone.load(base), Bert):
        raise EncoderError(model=base.name, reason="only a BERT with mean pooling can be trained")
    # What is drawn here must neither depend on what was drawn before nor change what follows.
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = _load(base)
        _fit(model, _Inputs(base, pairs, model.device), recipe, watch)
    shutil.copytree(base.folder, folder, ignore=shutil.ignore_patterns(*STALE))
    _save(model, folder)


class _Inputs:
    """Pairs as the model takes them."""

    def __init__(self, base: Weights, pairs: Sequence[Pair], device: "torch.device") -> None:
        tokenizer = load_tokenizer(base.folder)
        self._questions = token_ids(tokenizer, [pair.question for pair in pairs])
        self._passages = token_ids(tokenizer, [pair.passage for pair in pairs])
        self._pairs = pairs
        self._device = device

    def batches(self, size: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
        """Deal all pairs into batches, by chance, with questions of like length together."""
        lengths = np.array([len(ids) for ids in self._questions])
        order = generator.permutation(len(lengths))
        batches: list[NDArray[np.int64]] = []
        for begin in range(0, len(order), size * WINDOW):
            some = order[begin : begin + size * WINDOW]
            some = some[np.argsort(lengths[some], kind="stable")]
            batches += [some[start : start + size] for start in range(0, len(some), size)]
        return [batches[index] for index in generator.permutation(len(batches))]

    def tensors(self, batch: NDArray[np.int64]) -> list[tuple["torch.Tensor", "torch.Tensor"]]:
        """Return token ids and mask of the questions, then of the passages."""
        sides = [[side[index] for index in batch] for side in (self._questions, self._passages)]
        return [_padded(side, self._device) for side in sides]

    def wrong(self, batch: NDArray[np.int64]) -> "torch.Tensor":
        """Return bool[pairs, pairs]: which passages each question must keep away from."""
        import torch

        some = [self._pairs[index] for index in batch]
        rows = [[other.document not in pair.answers for other in some] for pair in some]
        return torch.tensor(rows, device=self._device)


def _fit(model: Any, inputs: _Inputs, recipe: Recipe, watch: Callable[[int, int], None]) -> None:
    """Go through all pairs, epoch after epoch; the rate rises at first, then falls to nothing."""
    import torch

    generator = np.random.default_rng(recipe.seed)
    epochs = [inputs.batches(recipe.batch_pairs, generator) for _ in range(recipe.epochs)]
    batches = [batch for epoch in epochs for batch in epoch]
    total = sum(map(len, batches))
    rising = max(1, math.ceil(WARM_UP * len(batches)))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / rising, (len(batches) - step) / len(batches)),
    )
    done = 0
    for batch in batches:
        watch(done, total)
        loss = _loss(model, inputs, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT)
        optimizer.step()
        schedule.step()
        done += len(batch)
    watch(done, total)


def _loss(model: Any, inputs: _Inputs, batch: NDArray[np.int64]) -> "torch.Tensor":
    import torch

    dtype = backbone.fast_dtype()
    with torch.autocast(model.device.type, dtype, enabled=dtype == torch.bfloat16):
        questions, passages = (_embed(model, *side) for side in inputs.tensors(batch))
    scores = SCALE * questions @ passages.T
    own = torch.eye(len(batch), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(~(inputs.wrong(batch) | own), -math.inf)
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(batch), device=scores.device))


def _embed(model: Any, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
    """Return float32[texts, dimensions], rows of unit length: the mean over a text's tokens."""
    import torch

    states = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    sums = (states * mask[:, :, None]).sum(1)
    return torch.nn.functional.normalize(sums, dim=1)


def _padded(
    sequences: Sequence[Sequence[int]], device: "torch.device"
) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    # Few different lengths: PyTorch keeps code and memory for each it has met.
    longest = -(-max(map(len, sequences)) // STEP) * STEP
    ids = [[*some, *[0] * (longest - len(some))] for some in sequences]
    mask = [[1] * len(some) + [0] * (longest - len(some)) for some in sequences]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _load(base: Weights) -> Any:
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    model = AutoModel.from_pretrained(
        str(base.folder),
        dtype=torch.float32,
        local_files_only=True,
        use_safetensors=True,
        # With it the scores of all pairs of tokens are kept: twice the memory, twice the time.
        attention_probs_dropout_prob=0.0,
    )
    # What each layer computed is computed again on the way back: a seventh more time, half the
    # memory.
    model.activation_checkpointing_enable()
    return model.to(backbone.fast_device()).train()


def _save(model: Any, folder: Path) -> None:
    """Write the weights alone: the library would write the configuration in words of its own."""
    apart = folder / "saved"
    model.save_pretrained(apart)
    (apart / WEIGHTS).replace(folder / WEIGHTS)
    shutil.rmtree(apart)
