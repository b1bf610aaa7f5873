from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

import pytest


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Return what starts processes in milliseconds: forks of one that has imported everything."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.failure.desks", "chromadb"])
    return context
