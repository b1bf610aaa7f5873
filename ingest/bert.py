"""A BERT encoder that computes on the tokens of a batch laid end to end, without padding.

Source of the model: Devlin et al., "BERT", NAACL 2019; of the mean over its token vectors as a
sentence's vector: Reimers & Gurevych, "Sentence-BERT", EMNLP 2019.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# What a model's configuration must say for this code to compute the same as its own.
SUPPORTED = {"model_type": "bert", "hidden_act": "gelu"}
# The exponential of a higher score, summed over a sequence, would be too large for a number.
MAX_SCORE = 80.0


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and bias, of a linear map or a normalisation."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; queries, keys and values are computed in one product."""

    attention: Affine
    attention_output: Affine
    attention_norm: Affine
    intermediate: Affine
    output: Affine
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
    def load(cls, file: str, config: Mapping[str, Any], dtype: torch.dtype, device: str) -> Self:
        """Read the weights of a `model.safetensors` file."""
        from safetensors.torch import load_file

        tensors = {
            name: tensor.to(dtype)
            for name, tensor in load_file(file, device=device).items()
            if tensor.is_floating_point()
        }
        return cls(tensors, config)

    @torch.inference_mode()
    def encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Embed token sequences; neighbours of equal length are computed fastest.

        Returns:
            float32[len(sequences), dimensions], rows of unit length.
        """
        lengths = [len(sequence) for sequence in sequences]
        states = self._embed(sequences, lengths)
        groups = list(_groups(lengths))
        for layer in self._layers:
            states = self._apply(layer, states, groups)
        means = torch.stack([part.float().mean(0) for part in torch.split(states, lengths)])
        unit: NDArray[np.float32] = functional.normalize(means, dim=1).cpu().numpy()
        return unit

    def _embed(self, sequences: Sequence[Sequence[int]], lengths: Sequence[int]) -> Tensor:
        device = self._words.device
        ids = torch.tensor([token for sequence in sequences for token in sequence], device=device)
        places = torch.cat([torch.arange(length, device=device) for length in lengths])
        return self._normalise(self._words[ids] + self._positions[places], self._norm)

    def _apply(self, layer: Layer, states: Tensor, groups: list["Group"]) -> Tensor:
        projected = _linear(states, layer.attention)
        mixed = torch.empty_like(states)
        for group in groups:
            mixed[group.start : group.end] = self._attend(projected[group.start : group.end], group)
        states = self._normalise(
            _linear(mixed, layer.attention_output) + states, layer.attention_norm
        )
        inner = functional.gelu(_linear(states, layer.intermediate))
        return self._normalise(_linear(inner, layer.output) + states, layer.output_norm)

    def _attend(self, projected: Tensor, group: "Group") -> Tensor:
        """Mix the values of each sequence: [tokens, 3 x dimensions] → [tokens, dimensions]."""
        shape = (group.count, group.length, 3, self._heads, -1)
        queries, keys, values = projected.view(shape).permute(2, 0, 3, 1, 4)
        on_processor = projected.device.type == "cpu"
        if projected.dtype == torch.bfloat16 and on_processor:
            mixed = _attend_in_bfloat16(queries, keys, values)
        else:
            mixed = functional.scaled_dot_product_attention(queries, keys, values)
        return mixed.transpose(1, 2).reshape(len(projected), self.dimensions)

    def _normalise(self, states: Tensor, norm: Affine) -> Tensor:
        size = (self.dimensions,)
        return functional.layer_norm(states, size, norm.weight, norm.bias, self._epsilon)


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring sequences of one length, and where their tokens lie in the batch."""

    start: int
    count: int
    length: int

    @property
    def end(self) -> int:
        """Return where the tokens end."""
        return self.start + self.count * self.length


def _groups(lengths: Sequence[int]) -> Iterator[Group]:
    counts = [(length, len(list(some))) for length, some in groupby(lengths)]
    starts = accumulate((length * count for length, count in counts), initial=0)
    for start, (length, count) in zip(starts, counts, strict=False):
        yield Group(start, count, length)


def _attend_in_bfloat16(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend to all of a sequence: each [count, heads, length, size].

    PyTorch's own attention and softmax take two to three times as long for short sequences on a
    processor that multiplies in bfloat16. The exponents are divided by their sum last, where there
    are fewer numbers to divide.
    """
    shape = queries.shape
    scale = shape[-1] ** -0.5
    flat = [part.reshape(-1, *shape[-2:]) for part in (queries * scale, keys, values)]
    weights = torch.bmm(flat[0], flat[1].transpose(1, 2)).clamp_(max=MAX_SCORE).exp_()
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
        joined,
        _affine(tensors, f"{name}.attention.output.dense"),
        _affine(tensors, f"{name}.attention.output.LayerNorm"),
        _affine(tensors, f"{name}.intermediate.dense"),
        _affine(tensors, f"{name}.output.dense"),
        _affine(tensors, f"{name}.output.LayerNorm"),
    )


def _affine(tensors: Mapping[str, Tensor], name: str) -> Affine:
    return Affine(tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def _linear(states: Tensor, affine: Affine) -> Tensor:
    return functional.linear(states, affine.weight, affine.bias)
