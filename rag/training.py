"""Training a head on solved tickets: the loss is that of choosing the documents that solved them.

Sources: a linear map between frozen embeddings, Mikolov et al., 2013 ("Exploiting similarities
among languages"); a softmax over items with weights that fade with age is the plain maximum
likelihood of what a recent ticket needs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.head import SHARPNESS, HeadWeights

Floats = NDArray[np.float32]

EPOCHS = 8
BATCH = 256
# Documents are remembered only as far as many tickets agree; the map may move more freely.
MAP_PENALTY, DOCUMENT_PENALTY, BIAS_PENALTY = 1e-3, 3e-3, 1e-4
RATE, BIAS_RATE, DENSE_RATE = 2e-3, 2e-2, 0.1
FIRST_DENSE = 10.0
SEED = 20_240_101


@dataclass(frozen=True, eq=False)
class Examples:
    """Solved tickets and documents, as arrays.

    `questions` [n, dimensions]; `solved` [n, m], rows that sum to 1; `weights` [n]; `dense` [n, m],
    the closeness of each document to each question; `means` [m, dimensions].
    """

    questions: Floats
    solved: Floats
    weights: Floats
    dense: Floats
    means: Floats
    document_ids: tuple[str, ...]

    def part(self, rows: NDArray[np.int64]) -> "Examples":
        """Return some of the tickets with all documents."""
        return Examples(
            self.questions[rows],
            self.solved[rows],
            self.weights[rows],
            self.dense[rows],
            self.means,
            self.document_ids,
        )


def train(examples: Examples) -> HeadWeights:
    """Fit a query map, a vector and a bias for each document, and the weight of closeness."""
    import torch

    questions, solved, dense, means = (
        torch.from_numpy(np.ascontiguousarray(array, np.float32))
        for array in (examples.questions, examples.solved, examples.dense, examples.means)
    )
    weights = torch.from_numpy(examples.weights / examples.weights.mean())
    count, dimensions = means.shape
    query_map = torch.zeros(dimensions, dimensions, requires_grad=True)
    documents = torch.zeros(count, dimensions, requires_grad=True)
    biases = torch.zeros(count, requires_grad=True)
    closeness = torch.tensor(FIRST_DENSE, requires_grad=True)
    groups: list[dict[str, Any]] = [
        {"params": [query_map, documents]},
        {"params": [biases], "lr": BIAS_RATE},
        {"params": [closeness], "lr": DENSE_RATE},
    ]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    order = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(questions), generator=order), BATCH):
            asked = questions[rows]
            logits = (
                closeness * dense[rows]
                + SHARPNESS * (asked + asked @ query_map) @ means.T
                + SHARPNESS * asked @ documents.T
                + biases
            )
            likelihood = (solved[rows] * torch.log_softmax(logits, 1)).sum(1)
            loss = (
                -(weights[rows] * likelihood).mean()
                + MAP_PENALTY * query_map.square().sum()
                + DOCUMENT_PENALTY * documents.square().sum()
                + BIAS_PENALTY * biases.square().sum()
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return HeadWeights(
        float(closeness.detach()),
        query_map.detach().numpy(),
        examples.document_ids,
        documents.detach().numpy(),
        biases.detach().numpy(),
    )
