"""Training a head on solved tickets: the loss is that of choosing the documents that solved them.

Sources: a linear map between frozen embeddings, Mikolov et al., 2013 ("Exploiting similarities
among languages"); a softmax over items with weights that fade with age is the plain maximum
likelihood of what a recent ticket needs. Spelling has a softmax of its own: trained together with
the rest it learnt only what that had left, and helped languages without history little.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.head import SHARPNESS, SPELLING_SHARPNESS, HeadWeights
from rag.spelling import Spelling

Floats = NDArray[np.float32]

EPOCHS = 8
BATCH = 256
# Documents are remembered only as far as many tickets agree; the map may move more freely.
MAP_PENALTY, DOCUMENT_PENALTY, BIAS_PENALTY = 1e-3, 3e-3, 1e-4
RATE, BIAS_RATE, DENSE_RATE = 2e-3, 2e-2, 0.1
FIRST_DENSE = 10.0
SEED = 20_240_101
SPELLING_STEPS, SPELLING_RATE, SPELLING_PENALTY = 150, 0.05, 2e-5


@dataclass(frozen=True, eq=False)
class Examples:
    """Solved tickets and documents, as arrays.

    `questions` [n, dimensions]; `solved` [n, m], rows that sum to 1; `weights` [n]; `dense` [n, m],
    the closeness of each document to each question; `means` [m, dimensions]; `spellings` [n,
    spelling dimensions].
    """

    questions: Floats
    spellings: Floats
    solved: Floats
    weights: Floats
    dense: Floats
    means: Floats
    document_ids: tuple[str, ...]

    def part(self, rows: NDArray[np.int64]) -> "Examples":
        """Return some of the tickets with all documents."""
        return Examples(
            self.questions[rows],
            self.spellings[rows],
            self.solved[rows],
            self.weights[rows],
            self.dense[rows],
            self.means,
            self.document_ids,
        )


def train(examples: Examples, spelling: Spelling) -> HeadWeights:
    """Fit all weights of a head; the examples' spellings are in the given space."""
    dense, query_map, documents, biases = _by_meaning(examples)
    return HeadWeights(
        dense,
        query_map,
        examples.document_ids,
        documents,
        biases,
        spelling,
        *_by_spelling(examples),
    )


def _by_meaning(examples: Examples) -> tuple[float, Floats, Floats, Floats]:
    """Fit the weight of closeness, a query map, a vector and a bias for each document."""
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
    return (
        float(closeness.detach()),
        query_map.detach().numpy(),
        documents.detach().numpy(),
        biases.detach().numpy(),
    )


def _by_spelling(examples: Examples) -> tuple[Floats, Floats]:
    """Fit a vector and a bias for each document over the spelling of tickets."""
    import torch

    spellings, solved = torch.from_numpy(examples.spellings), torch.from_numpy(examples.solved)
    weights = torch.from_numpy(examples.weights / examples.weights.mean())
    documents = torch.zeros(solved.shape[1], spellings.shape[1], requires_grad=True)
    biases = torch.zeros(solved.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([documents, biases], lr=SPELLING_RATE)
    for _ in range(SPELLING_STEPS):
        logits = SPELLING_SHARPNESS * spellings @ documents.T + biases
        likelihood = (solved * torch.log_softmax(logits, 1)).sum(1)
        loss = -(weights * likelihood).mean() + SPELLING_PENALTY * documents.square().sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return documents.detach().numpy(), biases.detach().numpy()
