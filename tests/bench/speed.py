"""What the processor can compute at best, and what a token of the embedding model costs it."""

import json
import time
from dataclasses import dataclass

import torch

from ingest.backbone import fast_dtype
from ingest.weights import Weights

SIZE = 2_048
REPEATS = 20
FORMULA = """\
Operations a token = layers x (8 hidden^2 + 4 hidden intermediate + 4 length hidden): the four
projections of attention, the two feed-forward matrices, then scores and mixing over the length of
the passage; a multiplication and an addition are two operations.\
"""


@dataclass(frozen=True, slots=True)
class Processor:
    """The best rates of matrix products by precision, and the precision of our vectors."""

    peaks: dict[str, float]
    fast: str

    def best_of(self, other: "Processor") -> "Processor":
        """Return the better rates of two measurements: others may have computed meanwhile."""
        peaks = {name: max(rate, other.peaks[name]) for name, rate in self.peaks.items()}
        return Processor(peaks, self.fast)


def measure() -> Processor:
    """Measure the processor as it is now."""
    peaks = {name: matrix_peak(getattr(torch, name)) for name in ("float32", "bfloat16")}
    return Processor(peaks, str(fast_dtype()).removeprefix("torch."))


def flops_per_token(length: float) -> float:
    """Return the operations of the packaged encoder for each token of texts of a mean length."""
    config = json.loads((Weights().folder / "config.json").read_text(encoding="utf-8"))
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    layer = 8 * hidden**2 + 4 * hidden * inner + 4 * length * hidden
    return float(config["num_hidden_layers"] * layer)


def matrix_peak(dtype: torch.dtype) -> float:
    """Return the best rate of products of square matrices, in operations a second."""
    left, right = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        torch.mm(left, right)
        seconds.append(time.perf_counter() - begun)
    return 2 * SIZE**3 / min(seconds)
