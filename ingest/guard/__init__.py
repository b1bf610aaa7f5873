"""Whether a text speaks to a language model, or hides something: asked of all that comes in."""

from ingest.guard.scan import scan
from ingest.guard.signs import Sign, SignKind

__all__ = ["Sign", "SignKind", "scan"]
