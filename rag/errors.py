"""What can go wrong between a ticket and its draft.

CopilotError
└─ RagError
   ├─ UnknownModelError
   ├─ RetiredModelError
   ├─ MissingUrlError
   ├─ CatalogueError
   ├─ MissingKeyError
   ├─ ForbiddenRegionError
   ├─ ModelUnavailableError      the provider failed; another try may help
   ├─ ContextOverflowError
   ├─ ForbiddenContentError      a reply holds what nothing it cites does
   ├─ EvaluationError
   ├─ TooFewCasesError
   ├─ StoredRunError
   └─ VerifierError
"""

from ingest.errors import CopilotError


class RagError(CopilotError):
    """A draft could not be made."""


class UnknownModelError(RagError):
    """Fields: model."""

    code = "unknown_model"


class RetiredModelError(RagError):
    """Fields: model, reason."""

    code = "retired_model"


class MissingUrlError(RagError):
    """Fields: model."""

    code = "missing_url"


class CatalogueError(RagError):
    """Fields: path, reason."""

    code = "catalogue"


class MissingKeyError(RagError):
    """Fields: model."""

    code = "missing_key"


class ModelUnavailableError(RagError):
    """Fields: model, reason."""

    code = "model_unavailable"


class ForbiddenRegionError(RagError):
    """Fields: model, region."""

    code = "forbidden_region"


class ContextOverflowError(RagError):
    """Fields: model, needed, window."""

    code = "context_overflow"


class ForbiddenContentError(RagError):
    """Fields: found, why."""

    code = "forbidden_content"


class EvaluationError(RagError):
    """Fields: path, reason."""

    code = "evaluation"


class TooFewCasesError(RagError):
    """Fields: count, needed."""

    code = "too_few_cases"


class StoredRunError(RagError):
    """Fields: path, reason."""

    code = "stored_run"


class VerifierError(RagError):
    """Fields: path."""

    code = "verifier"
