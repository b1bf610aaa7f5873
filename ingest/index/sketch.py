"""Vectors in eight bits beside the exact ones: a quarter of the memory to read for each question.

The error of a sketch is known row by row. Rows that it cannot rule out are compared exactly, so
that what is found is what a scan of the exact vectors finds.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LARGEST = 127
BATCH = 8_192
# What is lost in adding up, beyond what is lost in the bytes.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Scores of rows, each off by at most its error."""

    scores: Floats
    errors: Floats

    def plus(self, share: float, other: "Estimate") -> "Estimate":
        """Return the scores with a share of others added."""
        return Estimate(
            self.scores + np.float32(share) * other.scores,
            self.errors + np.float32(share) * other.errors,
        )

    def leaders(self, count: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """Return the rows that may be among the best, in no order; the best are among them."""
        rows = np.arange(len(self.scores)) if allowed is None else np.flatnonzero(allowed)
        if count >= len(rows):
            return rows
        scores, errors = self.scores, self.errors
        if allowed is not None:
            scores, errors = scores[rows], errors[rows]
        surely = np.partition(scores - errors, len(rows) - count)[len(rows) - count]
        leading: NDArray[np.intp] = rows[scores + errors >= surely]
        return leading


class Sketch:
    """Rows of at most unit length as bytes, and how far each is from what it stands for."""

    def __init__(self, vectors: NDArray[np.float16] | Floats) -> None:
        """Sketch float[rows, dimensions]."""
        self._bytes = np.empty(vectors.shape, np.int8)
        self._steps = np.empty(len(vectors), np.float32)
        self._errors = np.empty(len(vectors), np.float32)
        for begin in range(0, len(vectors), BATCH):
            some = slice(begin, begin + BATCH)
            self._bytes[some], self._steps[some], self._errors[some] = _as_bytes(
                vectors[some].astype(np.float32)
            )

    def estimate(self, vector: Floats) -> Estimate:
        """Compare all rows with a vector of at most unit length."""
        column, step, error = _as_bytes(vector[None])
        scores = _products(self._bytes, column[0]) * (self._steps * step)
        # |x·v - x'·v'| <= |x - x'| |v'| + |x| |v - v'|
        errors = self._errors * (1 + error) + (error + np.float32(ROUNDING))
        return Estimate(scores, errors)


def widened(halves: NDArray[np.float16]) -> Floats:
    """Return float16 as float32, several times faster than NumPy does."""
    import torch

    wide: Floats = torch.from_numpy(np.ascontiguousarray(halves)).float().numpy()
    return wide


def _products(rows: NDArray[np.int8], column: NDArray[np.int8]) -> Floats:
    import torch

    left, right = torch.from_numpy(rows), torch.from_numpy(column)[:, None]
    if _adds_up_exactly():
        product = torch._int_mm(left, right).float()  # noqa: SLF001 (it has no other name)
    else:
        product = left.float() @ right.float()
    column_of_floats: Floats = product[:, 0].numpy()
    return column_of_floats


@cache
def _adds_up_exactly() -> bool:
    """Tell whether the processor adds up products of bytes in 32 bits: older ones use 16."""
    import torch

    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_vnni", "avx_vnni"))


def _as_bytes(vectors: Floats) -> tuple[NDArray[np.int8], Floats, Floats]:
    """Return bytes, what one step is worth in each row, and the length of what is lost."""
    steps = np.abs(vectors).max(axis=1, initial=0.0) / LARGEST
    steps = np.where(steps > 0, steps, 1.0).astype(np.float32)
    codes = np.rint(vectors / steps[:, None])
    lost = np.linalg.norm(vectors - codes * steps[:, None], axis=1).astype(np.float32)
    return codes.astype(np.int8), steps, lost
