"""A desk with the real encoder, for what depends on meaning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rag.desk import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    """Return a new desk without documents."""
    desk = TestDesk(tmp_path / "desk")
    yield desk
    desk.database.close()
