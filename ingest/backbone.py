"""The embedding model as it computes here: which code, in which precision, on which device."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.weights import Weights

if TYPE_CHECKING:
    import torch


Vector = NDArray[np.float32]


class Backbone(Protocol):
    """Token ids → unit vectors."""

    dimensions: int

    def encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Embed token sequences.

        Returns:
            float32[len(sequences), dimensions], rows of unit length.
        """


def load(weights: Weights) -> Backbone:
    """Load a model: a BERT with mean pooling by our own code, any other as its makers do.

    Ours needs no padding and starts in a second; sentence-transformers takes seven.
    """
    from ingest.bert import Bert

    config = _json(weights.folder / "config.json")
    if Bert.supports(config) and _is_mean_pooled(weights.folder):
        file = weights.folder / "model.safetensors"
        return Bert.load([str(file)], config, fast_dtype(), fast_device())
    return _SentenceTransformerBackbone(weights.folder)


def load_changed(weights: Weights, changed: Path) -> "tuple[Backbone, dict[str, Vector]]":
    """Load a BERT of which a file replaces some layers.

    Returns:
        The model, and what else the file holds: float32 arrays by name.
    """
    from ingest.bert import Bert, read_tensors

    config = _json(weights.folder / "config.json")
    files = [str(weights.folder / "model.safetensors"), str(changed)]
    rest = {
        name: tensor.float().numpy()
        for name, tensor in read_tensors(str(changed), "cpu").items()
        if not name.startswith("encoder.")
    }
    return Bert.load(files, config, fast_dtype(), fast_device()), rest


def fast_device() -> str:
    """Return "cuda" where there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def fast_dtype() -> "torch.dtype":
    """Return bfloat16 where the hardware computes in it, three times as fast; else float32."""
    import torch

    fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.bfloat16 if fast or fast_device() == "cuda" else torch.float32


@contextmanager
def streams() -> Iterator[ThreadPoolExecutor]:
    """Yield threads, one for each core, that each compute alone.

    Threads that share every product wait for each other after each, and while documents are read
    on the same cores they wait long. What is not begun when the caller leaves is never done.
    """
    import torch

    cores = _cores()
    count = cores if fast_device() == "cpu" else 1
    threads = ThreadPoolExecutor(count, "encoder", torch.set_num_threads, (cores // count,))
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)
        # The threads have set it for the whole process.
        torch.set_num_threads(cores)


@contextmanager
def one_core_left() -> Iterator[None]:
    """Compute in this thread on all cores but one, which is left to what runs beside it.

    Threads that wait for a core that is taken make every product wait.
    """
    import torch

    torch.set_num_threads(max(1, _cores() - 1))
    try:
        yield
    finally:
        torch.set_num_threads(_cores())


def on_one_core() -> None:
    """Let this thread compute on one core from now on."""
    import torch

    torch.set_num_threads(1)


@cache
def _cores() -> int:
    # Asked once: PyTorch's count is what any thread of the process has set last.
    import torch

    return torch.get_num_threads()


class _SentenceTransformerBackbone:
    """Any model that sentence-transformers can load."""

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        self._model = SentenceTransformer(
            str(folder),
            device=fast_device(),
            model_kwargs={"dtype": fast_dtype()},
            local_files_only=True,
        )
        self.dimensions = int(self._model.get_embedding_dimension() or 0)

    def encode(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Pad to the longest sequence and run the model with its own pooling."""
        import torch

        longest = max(map(len, sequences))
        ids = torch.tensor([[*some, *[0] * (longest - len(some))] for some in sequences])
        mask = torch.tensor([[1] * len(some) + [0] * (longest - len(some)) for some in sequences])
        with torch.inference_mode():
            features = {"input_ids": ids, "attention_mask": mask}
            moved = {name: tensor.to(self._model.device) for name, tensor in features.items()}
            vectors = self._model(moved)["sentence_embedding"].float()
        unit: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).cpu().numpy()
        return unit


def _is_mean_pooled(folder: Path) -> bool:
    """Tell whether a sentence's vector is the mean of its tokens', with nothing learnt after."""
    modules = _json(folder / "modules.json")
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return False
    pooling = _json(folder / modules[1]["path"] / "config.json")
    modes = {name for name, value in pooling.items() if name.startswith("pooling_mode") and value}
    return modes == {"pooling_mode_mean_tokens"}


def _json(file: Path) -> Any:
    content: Mapping[str, Any] | list[Any]
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content
