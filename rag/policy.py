"""What a desk asks for before a reply of its own goes out."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from rag.tables import ClaimKind

MAX_UNDO_SECONDS = 600


def _only_binding(kinds: frozenset[ClaimKind]) -> frozenset[ClaimKind]:
    if ClaimKind.FACT in kinds:
        raise ValueError("facts have sources, not approvers")
    return kinds


_Kinds = Annotated[
    frozenset[ClaimKind], AfterValidator(_only_binding), PlainSerializer(sorted, list[str])
]


class Policy(BaseModel):
    """Which kinds of sentences two people approve, what becomes of refuted ones, how long to undo.

    Sentences of a kind in `second_approver` wait for a second person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    second_approver: _Kinds = frozenset()
    refuted: Literal["warn", "block"] = "warn"
    undo_seconds: int = Field(default=10, ge=0, le=MAX_UNDO_SECONDS)


NO_POLICY = Policy()
"""What a desk asks for that has asked for nothing."""
