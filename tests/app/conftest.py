"""The desk of `tests.app.people` and its memory, for all tests of this folder."""

from tests.app.memories import known
from tests.app.people import desk

__all__ = ["desk", "known"]
