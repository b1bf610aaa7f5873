"""Queries → vectors, by a traced copy of the encoder that loads in a fraction of the time."""

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest.errors import EncoderError
from ingest.weights import Weights

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

MAX_TOKENS = 256
MIN_COSINE = 0.9999
MIN_COSINE_REDUCED = 0.999
_SAMPLES = (
    "E17",
    "How do I descale the machine when the water is very hard?",
    "Ma machine affiche une erreur depuis ce matin. " * 30,
)


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load a model's tokenizer without the padding and truncation stored with it."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_offsets(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the start offset of every token of a text."""
    return [start for start, _ in tokenizer.encode(text, add_special_tokens=False).offsets]


class QueryEncoder:
    """Embeds single texts; safe to share between threads."""

    def __init__(self, weights: Weights, exports: Path) -> None:
        self._weights = weights
        self._exports = exports
        self._lock = threading.Lock()

    @staticmethod
    def exported(exports: Path, fingerprint: str) -> bool:
        """Tell whether the traced copy is there."""
        return _export_file(exports, fingerprint).is_file()

    @property
    def fingerprint(self) -> str:
        """Name the model: the same as that of the passages' encoder."""
        return self._weights.fingerprint

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the encoder's tokenizer, untruncated."""
        return load_tokenizer(self._weights.folder)

    def encode(self, text: str) -> NDArray[np.float32]:
        """Embed one text, cut to the model's window: a ticket's matter is near its start.

        Returns:
            float32[dimensions] of unit length.
        """
        unit: NDArray[np.float32] = self.encode_many([text])[0]
        return unit

    def encode_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, each cut to the model's window.

        Returns:
            float32[len(texts), dimensions], rows of unit length.
        """
        import torch

        rows = []
        with self._lock, torch.inference_mode():
            for text in texts:
                ids = self.tokenizer.encode(text).ids
                if len(ids) > MAX_TOKENS:
                    ids = [*ids[: MAX_TOKENS - 1], ids[-1]]
                tensor = torch.tensor([ids])
                rows.append(self._module(tensor, torch.ones_like(tensor))[0].numpy())
        return np.stack(rows)

    @cached_property
    def _module(self) -> Any:
        file = _export_file(self._exports, self.fingerprint)
        if not file.is_file():
            _export_in_child(self._weights, self._exports)
        return _load(file)


def hush() -> None:
    """Keep progress bars and advice of the model libraries out of our output."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


def fast_dtype() -> "torch.dtype":
    """Return bfloat16 where the processor computes in it, three times as fast; else float32."""
    import torch

    fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.bfloat16 if fast else torch.float32


def export(weights: Weights, exports: Path) -> None:
    """Trace the encoder, check the copy against the original in float32, and publish it.

    Raises:
        EncoderError: The copy does not give the same vectors.
    """
    hush()
    import torch

    ids = torch.randint(1_000, 2_000, (2, 17))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with torch.no_grad(), warnings.catch_warnings():
        # Tracing warns of branches that mean pooling of one text does not take; the cosine decides.
        warnings.simplefilter("ignore")
        module = _mean_pooled(_original(weights, fast_dtype()))
        traced = torch.jit.freeze(torch.jit.trace(module, (ids, mask)))  # type: ignore[no-untyped-call]
    exports.mkdir(parents=True, exist_ok=True)
    file = _export_file(exports, weights.fingerprint)
    temporary = file.with_suffix(f".{os.getpid()}")
    torch.jit.save(traced, str(temporary))
    copy = QueryEncoder(weights, exports)
    copy.__dict__["_module"] = _load(temporary)
    expected = _original(weights, torch.float32).encode(list(_SAMPLES), normalize_embeddings=True)
    cosine = float((copy.encode_many(_SAMPLES) * expected).sum(axis=1).min())
    if cosine < (MIN_COSINE if fast_dtype() == torch.float32 else MIN_COSINE_REDUCED):
        temporary.unlink()
        raise EncoderError(model=weights.name, reason=f"its copy differs (cosine {cosine:.5f})")
    temporary.replace(file)


def _original(weights: Weights, dtype: "torch.dtype") -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    # Eager attention: the fused kind takes a branch at tracing time that depends on the input.
    return SentenceTransformer(
        str(weights.folder),
        device="cpu",
        model_kwargs={"attn_implementation": "eager", "dtype": dtype},
        local_files_only=True,
    )


def _mean_pooled(model: "SentenceTransformer") -> Any:
    import torch

    class MeanPooled(torch.nn.Module):
        """Token vectors → one unit vector, the pooling that MiniLM was trained with."""

        def __init__(self, backbone: torch.nn.Module) -> None:
            super().__init__()
            self.backbone = backbone

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.backbone(input_ids=ids, attention_mask=mask, return_dict=False)[0]
            tokens = states.float()
            weight = mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    return MeanPooled(cast("torch.nn.Module", model[0].model)).eval()


def _load(file: Path) -> Any:
    import torch

    return torch.jit.load(str(file))  # type: ignore[no-untyped-call]


def _export_file(exports: Path, fingerprint: str) -> Path:
    # By precision, for a home may move to a machine that computes in another.
    return exports / f"{fingerprint}.{str(fast_dtype()).removeprefix('torch.')}.pt"


def _export_in_child(weights: Weights, exports: Path) -> None:
    # In a child: this process is to stay small, and sentence-transformers is not.
    code = (
        "from pathlib import Path; from ingest.query_encoder import export;"
        "from ingest.weights import Weights;"
        f"export(Weights({weights.name!r}), Path({str(exports)!r}))"
    )
    child = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    if child.returncode != 0:
        raise EncoderError(model=weights.name, reason="its query copy could not be made")
