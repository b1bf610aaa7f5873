"""The desk of `tests.app.people`, for all tests of this folder."""

from tests.app.people import desk

__all__ = ["desk"]
