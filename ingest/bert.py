"""A BERT encoder that computes on the tokens of a batch laid end to end, nearly without padding.

Source of the model: Devlin et al., "BERT", NAACL 2019; of the mean over its token vectors as a
sentence's vector: Reimers & Gurevych, "Sentence-BERT", EMNLP 2019.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# What a model's configuration must say for this code to compute the same as its own.
SUPPORTED = {"model_type": "bert", "hidden_act": "gelu"}
# The exponential of a higher score, summed over a sequence, would be too large for a number.
MAX_SCORE = 80.0
# Lengths are rounded up to multiples of this for attention; tokens to a multiple of the second
# number, or to so many steps within a power of two.
STEP = 16
MIN_ROWS = 64
ROW_STEPS = 32


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and bias, of a linear map or a normalisation."""

    weight: Tensor
    bias: Tensor


class Linear:
    """A linear map; in bfloat16 its weight is laid out once as the processor reads it.

    PyTorch offers that and the activation within the product only to code that its compiler
    writes, hence by a private name; together they save a twentieth of the time.
    """

    def __init__(self, affine: Affine) -> None:
        weight = affine.weight
        self._bias = affine.bias
        self._is_packed = weight.dtype == torch.bfloat16 and weight.device.type == "cpu"
        self._weight = _mkldnn("_reorder_linear_weight")(weight) if self._is_packed else weight

    def __call__(self, states: Tensor, activation: Literal["none", "gelu"] = "none") -> Tensor:
        """Map rows of states, and apply the activation."""
        if self._is_packed:
            product = _mkldnn("_linear_pointwise")
            mapped: Tensor = product(states, self._weight, self._bias, activation, [], "none")
            return mapped
        mapped = functional.linear(states, self._weight, self._bias)
        return functional.gelu(mapped) if activation == "gelu" else mapped


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; queries, keys and values are computed in one product."""

    attention: Linear
    attention_output: Linear
    attention_norm: Affine
    intermediate: Linear
    output: Linear
    output_norm: Affine


class Bert:
    """Token ids → unit vectors; safe to share between threads."""

    def __init__(self, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
        self._heads: int = config["num_attention_heads"]
        self._epsilon: float = config["layer_norm_eps"]
        self.dimensions: int = config["hidden_size"]
        self._words = tensors["embeddings.word_embeddings.weight"]
        kind = tensors["embeddings.token_type_embeddings.weight"][0]
        self._positions = tensors["embeddings.position_embeddings.weight"] + kind
        self._norm = _affine(tensors, "embeddings.LayerNorm")
        count: int = config["num_hidden_layers"]
        self._layers = [_layer(tensors, f"encoder.layer.{number}") for number in range(count)]

    @classmethod
    def supports(cls, config: Mapping[str, Any]) -> bool:
        """Tell whether a model of this configuration can be computed here."""
        absolute = config.get("position_embedding_type", "absolute") == "absolute"
        return absolute and all(config.get(name) == value for name, value in SUPPORTED.items())

    @classmethod
    def load(
        cls, files: Sequence[str], config: Mapping[str, Any], dtype: torch.dtype, device: str
    ) -> Self:
        """Read the weights of a `model.safetensors` file; a later file's replace an earlier's."""
        tensors = {
            name: tensor.to(dtype)
            for file in files
            for name, tensor in read_tensors(file, device).items()
            if tensor.is_floating_point()
        }
        return cls(tensors, config)

    @torch.inference_mode()
    def encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Embed token sequences; neighbours of similar length are computed together.

        Returns:
            float32[len(sequences), dimensions], rows of unit length.
        """
        batch = Batch.of([len(sequence) for sequence in sequences], self._words.device)
        states = self._embed(sequences, batch)
        for layer in self._layers:
            states = self._apply(layer, states, batch)
        parts = torch.split(states[: batch.tokens], batch.lengths)
        means = torch.stack([part.float().mean(0) for part in parts])
        unit: NDArray[np.float32] = functional.normalize(means, dim=1).cpu().numpy()
        return unit

    def _embed(self, sequences: Sequence[Sequence[int]], batch: "Batch") -> Tensor:
        rest = [0] * (batch.rows - batch.tokens)
        ids = [token for sequence in sequences for token in sequence]
        places = [place for length in batch.lengths for place in range(length)]
        device = self._words.device
        words = self._words[torch.tensor(ids + rest, device=device)]
        return self._normalise(
            words + self._positions[torch.tensor(places + rest, device=device)], self._norm
        )

    def _apply(self, layer: Layer, states: Tensor, batch: "Batch") -> Tensor:
        projected = layer.attention(states)
        if batch.is_single:
            mixed = self._attend(projected, batch.groups[0])
        else:
            mixed = torch.zeros_like(states)
            for group in batch.groups:
                mixed[group.start : group.end] = self._attend(projected[group.rows], group)[
                    group.real
                ]
        states = self._normalise(layer.attention_output(mixed) + states, layer.attention_norm)
        inner = layer.intermediate(states, "gelu")
        return self._normalise(layer.output(inner) + states, layer.output_norm)

    def _attend(self, projected: Tensor, group: "Group") -> Tensor:
        """Mix the values of each sequence: [rows, 3 x dimensions] → [rows, dimensions]."""
        shape = (group.count, group.length, 3, self._heads, -1)
        queries, keys, values = projected.view(shape).permute(2, 0, 3, 1, 4)
        if projected.dtype == torch.bfloat16 and projected.device.type == "cpu":
            mixed = _attend_in_bfloat16(queries, keys, values, group.mask)
        else:
            mixed = functional.scaled_dot_product_attention(queries, keys, values, group.mask)
        return mixed.transpose(1, 2).reshape(-1, self.dimensions)

    def _normalise(self, states: Tensor, norm: Affine) -> Tensor:
        size = (self.dimensions,)
        return functional.layer_norm(states, size, norm.weight, norm.bias, self._epsilon)


def read_tensors(file: str, device: str) -> dict[str, Tensor]:
    """Read a file of tensors."""
    from safetensors.torch import load_file

    return load_file(file, device=device)


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring sequences of similar length, laid out in rows of `length`."""

    start: int
    end: int
    count: int
    length: int
    rows: Tensor  # int[count x length]: where in the batch each token is; any row for the rest
    real: Tensor  # int[tokens]: which of these are tokens
    mask: Tensor  # bool[count, 1, 1, length]: which keys are tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences end to end.

    There are few different sizes: PyTorch keeps code and memory for each it has met.
    """

    lengths: list[int]
    tokens: int
    rows: int
    groups: list[Group]

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> Self:
        """Lay sequences of these lengths out."""
        tokens = sum(lengths)
        groups = list(_groups(lengths, device))
        if len(lengths) == 1:
            return cls(list(lengths), tokens, groups[0].length, groups)
        power = max(MIN_ROWS, 1 << (tokens - 1).bit_length())
        step = max(MIN_ROWS, power // ROW_STEPS)
        rows = -(-tokens // step) * step
        return cls(list(lengths), tokens, rows, groups)

    @property
    def is_single(self) -> bool:
        """Tell whether it is one sequence, which lies as attention wants it."""
        return len(self.lengths) == 1


def _groups(lengths: Sequence[int], device: torch.device) -> Iterator[Group]:
    start = 0
    for length, some in groupby(lengths, key=lambda length: -(-length // STEP) * STEP):
        sizes = torch.tensor(list(some))
        offsets = start + torch.cumsum(sizes, 0) - sizes
        places = torch.arange(length)
        mask = places < sizes[:, None]
        rows = torch.where(mask, offsets[:, None] + places, start)
        end = start + int(sizes.sum())
        real = mask.flatten().nonzero()[:, 0]
        shaped = mask[:, None, None, :]
        tensors = (tensor.to(device) for tensor in (rows.flatten(), real, shaped))
        yield Group(start, end, len(sizes), length, *tensors)
        start = end


def _attend_in_bfloat16(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Attend to all tokens of a sequence: each [count, heads, length, size].

    PyTorch's own attention and softmax take two to three times as long for short sequences on a
    processor that multiplies in bfloat16. The exponents are divided by their sum last, where there
    are fewer numbers to divide.
    """
    shape = queries.shape
    scale = shape[-1] ** -0.5
    flat = [part.reshape(-1, *shape[-2:]) for part in (queries * scale, keys, values)]
    weights = torch.bmm(flat[0], flat[1].transpose(1, 2)).clamp_(max=MAX_SCORE).exp_()
    weights.view(*shape[:3], -1).mul_(mask.to(weights.dtype))
    mixed = torch.bmm(weights, flat[2]) / weights.sum(-1, keepdim=True)
    return mixed.view(shape)


def _layer(tensors: Mapping[str, Tensor], name: str) -> Layer:
    parts = [
        _affine(tensors, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
    ]
    joined = Affine(
        torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
    )
    return Layer(
        Linear(joined),
        Linear(_affine(tensors, f"{name}.attention.output.dense")),
        _affine(tensors, f"{name}.attention.output.LayerNorm"),
        Linear(_affine(tensors, f"{name}.intermediate.dense")),
        Linear(_affine(tensors, f"{name}.output.dense")),
        _affine(tensors, f"{name}.output.LayerNorm"),
    )


def _affine(tensors: Mapping[str, Tensor], name: str) -> Affine:
    return Affine(tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def _mkldnn(name: str) -> Callable[..., Any]:
    operation: Callable[..., Any] = getattr(torch.ops.mkldnn, name)
    return operation
